"""Gold splits as rows: what every classifier is trained on and measured on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gapnlp.classifier.decision import head_matrix
from gapnlp.ingest.gold import GoldItem, read_gold
from gapnlp.records.labels import Labels

# One tuple of labels an item, in the order of its segments.
Predictions = list[tuple[Labels, ...]]

# The part of train on which thresholds of the "tuned" peers are chosen: one item in so many.
_HELD_ONE_IN = 5


@dataclass(frozen=True, slots=True)
class Rows:
    """Items of one language, and their segments one after the other.

    texts: segments as written. targets: shape (n_segments, n_heads), columns as records.labels.HEADS.
    """

    language: str
    items: tuple[GoldItem, ...]
    texts: list[str]
    labels: list[Labels]
    targets: NDArray[np.int8]

    def grouped(self, flat: Sequence[Labels]) -> Predictions:
        """Put labels of all segments back to their items."""
        rest = iter(flat)
        return [tuple(next(rest) for _ in item.segments) for item in self.items]


@dataclass(frozen=True, slots=True)
class Split:
    """What peers learn from, and what everything is measured on."""

    train: Rows
    dev: Rows

    @property
    def language(self) -> str:
        """The language of both parts."""
        return self.dev.language


def flatten(items: Sequence[GoldItem], language: str) -> Rows:
    """Put the items of one language into rows."""
    kept = tuple(i for i in items if i.language == language)
    labels = [x for i in kept for x in i.labels]
    return Rows(language, kept, [s.text for i in kept for s in i.segments], labels, head_matrix(labels).astype(np.int8))


def read_splits(gold: Path, languages: Sequence[str], *, limit: int | None = None) -> list[Split]:
    """Read train.jsonl and dev.jsonl, one split a language.

    limit: only so many items of each part, for trials. Raises InputError on a file that is not of the gold format.
    """
    train, dev = list(read_gold(gold / "train.jsonl")), list(read_gold(gold / "dev.jsonl"))
    return [Split(_first(flatten(train, x), limit), _first(flatten(dev, x), limit)) for x in languages]


def hold_out(rows: Rows) -> tuple[Rows, Rows]:
    """Cut rows in two by item: four fifths to learn from, one fifth to choose thresholds on."""
    rest = [item for i, item in enumerate(rows.items) if i % _HELD_ONE_IN]
    return flatten(rest, rows.language), flatten(rows.items[::_HELD_ONE_IN], rows.language)


def _first(rows: Rows, limit: int | None) -> Rows:
    return rows if limit is None else flatten(rows.items[:limit], rows.language)
