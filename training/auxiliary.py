"""Public labelled sets as further heads of stage one: what they teach flows into stage two as features.

Only their own training parts are read, and no text that is also a gold item: the heads' answers on gold segments must
be as uncertain as on new text. The texts stay outside the project; only weights are kept. Licences: models/README.md.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Auxiliary:
    """One further head: its name, the rows it is trained on, and which of them are positive."""

    name: str
    texts: list[str]
    targets: list[bool]


@dataclass(frozen=True, slots=True)
class _Task:
    files: tuple[str, ...]
    heads: Mapping[str, Callable[[Row], bool]]
    usable: Callable[[Row], bool] = lambda row: True


def _sentiment(value: str) -> Callable[[Row], bool]:
    return lambda row: row["sentiment"] == value


def _aspect(category: str | None, polarity: str) -> Callable[[Row], bool]:
    return lambda row: any(
        a["polarity"] == polarity and category in (None, a["category"]) for a in row.get("aspects", ())
    )


def _binary(row: Row) -> bool:
    return row.get("sentiment") in ("positive", "negative")


TASKS: Mapping[str, tuple[_Task, ...]] = {
    "en": (
        _Task(("airline_tweets",), {f"airline_{s}": _sentiment(s) for s in ("positive", "negative")}),
        _Task(
            ("mams_acsa",),
            {
                f"mams_{c}_{p}": _aspect(c, p)
                for c in ("staff", "service", "ambience", "place", "miscellaneous")
                for p in ("positive", "negative")
            },
        ),
        _Task(("complaints_acl19",), {"complaint": lambda row: bool(row["complaint"])}),
        _Task(
            ("m_absa_en_zh",),
            {f"mabsa_{p}": _aspect(None, p) for p in ("positive", "negative")},
            lambda row: row["lang"] == "en",
        ),
    ),
    "pl": (
        _Task(
            ("polemo_sentences",),
            {f"polemo_{s}": _sentiment(s) for s in ("positive", "negative", "neutral", "ambiguous")},
        ),
    ),
    "zh": (
        _Task(
            ("chnsenticorp_hotel", "waimai_10k", "online_shopping_9_cats"),
            {"reviews_positive": _sentiment("positive")},
            _binary,
        ),
        _Task(("waimai_10k",), {"waimai_positive": _sentiment("positive")}, _binary),
    ),
}


def read_auxiliary(folder: Path, language: str, *, banned: set[str]) -> list[Auxiliary]:
    """Read a language's further heads.

    folder: the public data sets, gzipped JSON Lines. banned: `text_key`s that must not be trained on; a head that has
    no row left is not made.
    """
    heads: list[Auxiliary] = []
    for task in TASKS[language]:
        rows = [r for name in task.files for r in _rows(folder / f"{name}.jsonl.gz") if task.usable(r)]
        rows = [r for r in rows if text_key(r["text"]) not in banned]
        texts = [r["text"][:400] for r in rows]
        heads += [Auxiliary(name, texts, [positive(r) for r in rows]) for name, positive in task.heads.items() if rows]
    return heads


def text_key(text: str) -> str:
    """Normalise a text so that copies which differ in case, space or punctuation are found equal."""
    return re.sub(r"\W+", "", text.lower())


def _rows(path: Path) -> Iterator[Row]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
