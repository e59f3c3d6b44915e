"""Breakdowns by group and by period: all cells of a table, each against the rest."""

from __future__ import annotations

from gapnlp.aggregator.comparisons import FDR, LEAST_ITEMS, compare_cells
from gapnlp.aggregator.moments import MOMENT_INDEX
from gapnlp.aggregator.rows import Counts
from gapnlp.aggregator.tally import ALL, Tally
from gapnlp.records.report import Breakdown, Evidence


def build_breakdowns(tally: Tally, *, by: str | None, level: float) -> tuple[Breakdown, ...]:
    """Build the tables that the tally was made for; by: the name of the column that groups come from."""
    breakdowns = []
    if tally.by_group:
        breakdowns.append(_build(tally, "group", by or "group", level=level))
    if tally.period is not None:
        breakdowns.append(_build(tally, "period", tally.period, level=level))
    return tuple(breakdowns)


def _build(tally: Tally, kind: str, by: str, *, level: float) -> Breakdown:
    cells = [(name, sums) for (k, name), sums in tally.cells.items() if k == kind]
    if kind == "group":
        cells.sort(key=lambda cell: (-_items(cell[1]), cell[0]))
    else:
        # Period labels sort in order of time.
        cells.sort(key=lambda cell: cell[0])
    everything = tally.cells[ALL]
    compared = compare_cells(cells, everything, evidence=lambda name: cell_evidence(tally, kind, name), level=level)
    without = _items(everything) - sum(_items(sums) for _, sums in cells)
    return Breakdown(kind, by, LEAST_ITEMS, without, FDR, compared)


def _items(sums: Counts) -> int:
    return int(sums[MOMENT_INDEX["items"]])


def cell_evidence(tally: Tally, kind: str, name: str) -> tuple[Evidence, ...]:
    """List a cell's strongest faults, then its strongest praise."""
    sketches = [tally.evidence.strongest.get((kind, name, polarity)) for polarity in ("neg", "pos")]
    return tuple(evidence for sketch in sketches if sketch for _, evidence in sketch.ranked())
