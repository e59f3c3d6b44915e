"""How the measures of a comparison are read: which way is good, and how a value is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gapnlp.records.report import Breakdown, Cell, Comparison, Estimate
from gapnlp.reporting.words import Words

# Measures on a scale of their own, where more is better; every other measure is a share of something bad.
_SCALES = {"perception": 6.0, "sentiment": 2.0, "satisfaction": 1.0}


def kind_of(measure: str) -> str:
    """Take the measure without its key: "gap:delivery" -> "gap"."""
    return measure.partition(":")[0]


def is_share(measure: str) -> bool:
    """Whether values are shares in [0, 1], written as percentages."""
    return kind_of(measure) not in ("perception", "sentiment")


def is_worse(comparison: Comparison) -> bool:
    """Whether the cell does worse than the rest of the data."""
    difference = comparison.difference or 0.0
    return difference < 0 if kind_of(comparison.measure) in _SCALES else difference > 0


def verdict(comparison: Comparison) -> str:
    """One of worse_sure, better_sure, worse, better, same: what colour and mark a comparison gets."""
    if not comparison.difference:
        return "same"
    way = "worse" if is_worse(comparison) else "better"
    return f"{way}_sure" if comparison.differs else way


def weight(comparison: Comparison) -> float:
    """Measure a difference as a part of its measure's scale, to order differences by."""
    return abs(comparison.difference or 0.0) / _SCALES.get(kind_of(comparison.measure), 1.0)


def write_value(words: Words, measure: str, value: float | None, *, sign: bool = False) -> str:
    """Write a value as its measure wants: 3.4, +0.12 or 23%."""
    if value is None:
        return "–"
    if is_share(measure):
        return words.formats.percent(value, sign=sign)
    return words.formats.number(value, 1 if kind_of(measure) == "perception" else 2, sign=sign)


def write_interval(words: Words, measure: str, estimate: Estimate) -> str:
    """Write an interval as its measure wants."""
    if is_share(measure):
        return words.formats.share_interval(estimate)
    return words.formats.interval(estimate, 1 if kind_of(measure) == "perception" else 2)


def measures_of(cells: Iterable[Cell]) -> tuple[str, ...]:
    """All measures in the order in which the cells bring them."""
    return tuple(dict.fromkeys(c.measure for cell in cells for c in cell.comparisons))


def by_measure(cell: Cell) -> dict[str, Comparison]:
    """Index a cell's comparisons by what they measure."""
    return {c.measure: c for c in cell.comparisons}


def shown_cells(breakdown: Breakdown, limit: int) -> Sequence[tuple[int, Cell]]:
    """Choose the cells that a page has room for, with their place: the latest periods, or the largest groups."""
    numbered = list(enumerate(breakdown.cells))
    if breakdown.kind == "period":
        return numbered[-limit:]
    return sorted(numbered, key=lambda entry: (-entry[1].items, entry[1].name))[:limit]
