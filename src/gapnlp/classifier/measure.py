"""The measure of quality: F1 figures over gold segments, with the definitions of the gold data's own scorer.

`headline` is the mean of dimensions+polarity, gaps, sentiment and unmet expectation, each at segment level.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from gapnlp.records.labels import DIMENSIONS, GAPS, POLARITIES, Labels

_JUDGED_SENTIMENTS = ("neg", "neu", "pos")  # gold "mixed" is left out, as the measure defines


@dataclass(frozen=True, slots=True)
class Measure:
    """F1 figures in [0, 1]; None where neither gold nor predictions hold the label.

    dimensions: presence; dimensions_polarity: presence with the right polarity; each figure by label.
    """

    segments: int
    dimensions: Mapping[str, float | None]
    dimensions_polarity: Mapping[str, float | None]
    gaps: Mapping[str, float | None]
    sentiment: Mapping[str, float | None]
    expectation_unmet: float | None
    expectation_kept: float | None
    churn: float | None
    item_dimensions: Mapping[str, float | None]
    item_gaps: Mapping[str, float | None]

    @property
    def headline(self) -> float | None:
        """Mean of the four main figures; None when all are unknown."""
        return macro(
            {
                "dimensions": macro(self.dimensions_polarity),
                "gaps": macro(self.gaps),
                "sentiment": macro(self.sentiment),
                "unmet": self.expectation_unmet,
            }
        )


def macro(figures: Mapping[str, float | None]) -> float | None:
    """Mean over the figures that are known."""
    known = [f for f in figures.values() if f is not None]
    return fmean(known) if known else None


def measure(pairs: Iterable[tuple[Sequence[Labels], Sequence[Labels]]]) -> Measure:
    """Compare predictions with gold.

    pairs: one item each: its gold segments' labels and its predicted ones, same length and order.
    Raises ValueError when an item's lengths differ.
    """
    counts = _Counts()
    for gold, predicted in pairs:
        for g, p in zip(gold, predicted, strict=True):
            counts.add_segment(g, p)
        counts.add_item(gold, predicted)
    return Measure(
        segments=counts.segments,
        dimensions=counts.f1s("dimension", DIMENSIONS),
        dimensions_polarity=counts.f1s("polarity", DIMENSIONS),
        gaps=counts.f1s("gap", GAPS),
        sentiment=counts.f1s("sentiment", _JUDGED_SENTIMENTS),
        expectation_unmet=counts.f1("expectation", "unmet"),
        expectation_kept=counts.f1("expectation", "kept"),
        churn=counts.f1("churn", "churn"),
        item_dimensions=counts.f1s("item_dimension", DIMENSIONS),
        item_gaps=counts.f1s("item_gap", GAPS),
    )


class _Counts:
    """Hits, false alarms and misses by (kind, label)."""

    def __init__(self) -> None:
        self.segments = 0
        self._hits: Counter[tuple[str, str]] = Counter()
        self._alarms: Counter[tuple[str, str]] = Counter()
        self._misses: Counter[tuple[str, str]] = Counter()

    def _add(self, kind: str, label: str, gold: bool, predicted: bool) -> None:
        key = (kind, label)
        self._hits[key] += gold and predicted
        self._alarms[key] += predicted and not gold
        self._misses[key] += gold and not predicted

    def add_segment(self, gold: Labels, predicted: Labels) -> None:
        self.segments += 1
        for d in DIMENSIONS:
            self._add("dimension", d, d in gold.dimensions, d in predicted.dimensions)
            for p in POLARITIES:
                self._add("polarity", d, gold.dimensions.get(d) == p, predicted.dimensions.get(d) == p)
        for g in GAPS:
            self._add("gap", g, g in gold.gaps, g in predicted.gaps)
        if gold.sentiment != "mixed":
            for s in _JUDGED_SENTIMENTS:
                self._add("sentiment", s, gold.sentiment == s, predicted.sentiment == s)
        self._add("expectation", "unmet", gold.expectation == "unmet", predicted.expectation == "unmet")
        kept = ("met", "exceeded")
        self._add("expectation", "kept", gold.expectation in kept, predicted.expectation in kept)
        self._add("churn", "churn", gold.churn, predicted.churn)

    def add_item(self, gold: Sequence[Labels], predicted: Sequence[Labels]) -> None:
        for d in DIMENSIONS:
            self._add(
                "item_dimension", d, any(d in x.dimensions for x in gold), any(d in x.dimensions for x in predicted)
            )
        for g in GAPS:
            self._add("item_gap", g, any(g in x.gaps for x in gold), any(g in x.gaps for x in predicted))

    def f1(self, kind: str, label: str) -> float | None:
        key = (kind, label)
        errors = self._alarms[key] + self._misses[key]
        total = 2 * self._hits[key] + errors
        return 2 * self._hits[key] / total if total else None

    def f1s(self, kind: str, labels: Sequence[str]) -> dict[str, float | None]:
        return {label: self.f1(kind, label) for label in labels}
