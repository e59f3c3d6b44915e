"""What is known of a bundle: its card, what the gate said of it, and the figures in both."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gapnlp.classifier.bundle import BundleInfo, default_models_folder, find_version, read_manifest, read_verified
from gapnlp.errors import InputError, ModelError
from gapnlp.retraining.registry import Candidate, candidates

# What would steer a terminal instead of being read; line ends and tabs stay.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """A bundle with its card. page: the card to read. verdict: what the gate said; empty where it was never asked."""

    info: BundleInfo
    card: Mapping[str, Any]
    page: str
    verdict: Mapping[str, Any]

    @property
    def reasons(self) -> tuple[str, ...]:
        """The gate's reasons in plain sentences."""
        return tuple(str(reason) for reason in self.verdict.get("reasons", ()))

    @property
    def figures(self) -> dict[str, float]:
        """All numbers of the card's metrics and of the verdict, by the path that leads to them."""
        metrics = dict(_numbers("", self.card.get("metrics") or {}))
        return metrics | dict(_numbers("gate", self.verdict))


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of two bundles; None where one does not have it."""

    name: str
    first: float | None
    second: float | None

    @property
    def difference(self) -> float | None:
        """How much more the second one has."""
        return None if self.first is None or self.second is None else self.second - self.first


def find_bundle(models: Path | None, name: str) -> BundleInfo:
    """Find a bundle by version or name: among those that serve, then the candidates, then all that ever served.

    models: None is the shipped folder. Raises InputError when there is none.
    """
    return _find(models, name)[0]


def read_figures(models: Path | None, name: str) -> ModelFigures:
    """Read what is known of a bundle. Raises InputError for an unknown name, ModelError for changed files."""
    info, candidate = _find(models, name)
    contents = read_verified(info)
    try:
        card = dict(json.loads(contents["card.json"]))
        page = contents.get("CARD.md", json.dumps(card, indent=1, ensure_ascii=False).encode() + b"\n").decode()
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        kind = type(error).__name__
        raise ModelError(f"{info.folder}: its card cannot be read ({kind}); rebuild or train the bundle") from None
    return ModelFigures(info, card, _CONTROLS.sub("", page), candidate.verdict if candidate else {})


def side_by_side(first: ModelFigures, second: ModelFigures) -> list[Row]:
    """Pair the figures of two bundles; those that both have come first."""
    one, other = first.figures, second.figures
    names = sorted({*one, *other}, key=lambda n: (not (n in one and n in other), n))
    return [Row(n, one.get(n), other.get(n)) for n in names]


def _find(models: Path | None, name: str) -> tuple[BundleInfo, Candidate | None]:
    folder = models or default_models_folder()
    serving, known = read_manifest(folder), candidates(folder)
    of_version = {c.info.version: c for c in known}
    for info in (*serving, *(c.info for c in known)):
        if name in (info.version, info.name, info.folder.name):
            return info, of_version.get(info.version)
    if old := find_version(folder, name):
        return old, None
    there = ", ".join(dict.fromkeys(b.version for b in (*serving, *(c.info for c in known))))
    raise InputError(f"{name}: no such bundle in {folder}; there are: {there}")


def _numbers(path: str, content: Any) -> Iterator[tuple[str, float]]:
    if isinstance(content, Mapping):
        for key, value in content.items():
            yield from _numbers(f"{path}.{key}" if path else str(key), value)
    elif isinstance(content, int | float) and not isinstance(content, bool):
        yield path, float(content)
