"""Peers' predictions on disk, so that a killed run goes on where it stopped. Identifiers and labels only, no text.

One file a language and peer, in the form of the gold data's own scorer, so `score.py dev.jsonl FILE` reads it too. The
name ends with a digest of all that the answer depends on: another training text gives another file.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.quality.splits import Predictions, Rows, Split
from gapnlp.classifier.decision import Thresholds
from gapnlp.errors import InputError
from gapnlp.records.labels import Labels


def split_digest(split: Split) -> str:
    """First digits of a sha256 over all items, their segments and the labels of train."""
    content = hashlib.sha256()
    for part in (split.train, split.dev):
        content.update(part.language.encode())
        for item in part.items:
            spans = [(s.start, s.end) for s in item.segments]
            content.update(f"{item.id}\t{item.text}\t{spans}\n".encode())
    content.update(json.dumps([asdict(x) for x in split.train.labels]).encode())
    return content.hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Cache:
    """A folder of predictions; without a folder nothing is kept."""

    folder: Path | None

    def read(self, name: str, rows: Rows) -> Predictions | None:
        """Give kept predictions, or None. Raises InputError when a file is not of these rows."""
        path = self._path(f"{name}.jsonl")
        if path is None or not path.is_file():
            return None
        try:
            records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            found = {r["id"]: tuple(_labels(s) for s in r["segments"]) for r in records}
            kept = [found[item.id] for item in rows.items]
            if [len(x) for x in kept] != [len(item.segments) for item in rows.items]:
                raise ValueError("another number of segments")
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: cannot be used ({error}); delete it, and it will be made again") from None
        return kept

    def write(self, name: str, rows: Rows, predictions: Predictions) -> None:
        """Keep predictions, whole or not at all."""
        lines = [
            json.dumps({"id": item.id, "lang": item.language, "segments": [asdict(x) for x in labels]})
            for item, labels in zip(rows.items, predictions, strict=True)
        ]
        self._write(f"{name}.jsonl", lines)

    def read_thresholds(self, name: str) -> Thresholds | None:
        """Give kept thresholds, or None. Raises InputError when the file is not of the form written here."""
        path = self._path(f"{name}.thresholds.json")
        if path is None or not path.is_file():
            return None
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return Thresholds(**{**found, "sentiment": tuple(found["sentiment"])})
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: cannot be used ({error}); delete it, and it will be made again") from None

    def write_thresholds(self, name: str, thresholds: Thresholds) -> None:
        """Keep thresholds, whole or not at all."""
        self._write(f"{name}.thresholds.json", [json.dumps(asdict(thresholds))])

    def _path(self, name: str) -> Path | None:
        return self.folder / name if self.folder else None

    def _write(self, name: str, lines: Sequence[str]) -> None:
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self.folder / f"{name}.partial"
        partial.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        os.replace(partial, self.folder / name)


def _labels(record: dict[str, object]) -> Labels:
    found = Labels(**record)  # type: ignore[arg-type]
    return Labels(found.sentiment, dict(found.dimensions), tuple(found.gaps), found.expectation, found.churn)
