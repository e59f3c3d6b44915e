"""An audit: segments drawn at random and labelled by people, to state shares that do not rest on the classifier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gapnlp.records.labels import (
    DIMENSIONS,
    EXPECTATIONS,
    GAPS,
    POLARITIES,
    PRESENCE_LABELS,
    SENTIMENTS,
    dimension_label,
    expectation_label,
    gap_label,
    sentiment_label,
)

# Column of an audit table -> the labels that it answers. "presence:reliability" is "about reliability, however".
AUDIT_GROUPS: Mapping[str, tuple[str, ...]] = {
    "sentiment": tuple(sentiment_label(s) for s in SENTIMENTS),
    "dimensions": (*(dimension_label(d, p) for d in DIMENSIONS for p in POLARITIES), *PRESENCE_LABELS),
    "gaps": tuple(gap_label(g) for g in GAPS),
    "expectation": tuple(expectation_label(e) for e in EXPECTATIONS if e != "none"),
    "churn": ("churn",),
}


@dataclass(frozen=True, slots=True)
class SegmentKey:
    """Where a segment stands: its item's row (as Source counts) and its offsets in code points.

    file: name without folders; None where the table does not say, which is enough for a single input file.
    """

    row: int
    start: int
    end: int
    file: str | None = None


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One labelled segment of an audit table.

    item: id of the item that it belongs to, "" where the table has none. text: as it was labelled, to see whether the
    data changed since, or "". given: label of HEADS -> whether people gave it; labels that were not asked for
    are absent. line: of the table, for messages.
    """

    key: SegmentKey
    item: str
    text: str
    given: Mapping[str, bool]
    line: int
    language: str | None = None
    model_version: str | None = None


@dataclass(frozen=True, slots=True)
class AuditTable:
    """What an audit table holds: its labelled rows, and how many rows wait to be labelled.

    left_out: rows that were not drawn at random, labelled or not; they play no part.
    """

    file: str
    rows: tuple[AuditRow, ...]
    waiting: int
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class AuditedSegment:
    """A labelled segment found again among the scored ones.

    probabilities: the classifier's, in the order of HEADS, in [0, 1]. item: a name of its item that no other item
    has.
    """

    key: SegmentKey
    item: str
    probabilities: tuple[float, ...]
    given: Mapping[str, bool]
