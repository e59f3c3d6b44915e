"""Groups and periods against the rest of the data: which differences are more than chance.

Tests are by permutation: if the items of a cell were a random draw from all items, how often would its figure lie so
far out? For shares of items that is the hypergeometric distribution (Fisher's exact test). For perceptions and the
sentiment balance the cell's sum is taken to follow Pearson's type III with its exact variance and its skewness, which
holds far into the tails (Mielke and Berry 2007); a normal approximation would invent differences in small cells. The
p-values of a table are then adjusted for false discoveries (Benjamini and Hochberg 1995).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainc, gammaincc, gammaln, ndtr

from gapnlp.aggregator.intervals import NOTHING, Scale, estimate_mean, estimate_share
from gapnlp.aggregator.moments import MOMENT_INDEX, RATIOS, SHARES, ratio_powers
from gapnlp.aggregator.rows import Counts
from gapnlp.records.report import Cell, Comparison, Estimate, Evidence

FDR = 0.05

# Items that a cell needs to speak.
LEAST_ITEMS = 30

# Items that judge a dimension, in the cell and in the rest, before the two are tested.
LEAST_JUDGING = 10

# Items with a gap, in all the data, before its shares are tested.
LEAST_EVENTS = 5

BALANCE: Scale = (-1.0, 1.0)
LIKERT: Scale = (1.0, 7.0)


@dataclass(frozen=True, slots=True)
class Ratio:
    """Sums over the items of a cell for a ratio a/b; n: items with b > 0."""

    n: float
    a: float
    b: float
    aa: float
    ab: float
    bb: float
    aaa: float
    aab: float
    abb: float
    bbb: float

    @property
    def value(self) -> float:
        """The ratio of sums."""
        return self.a / self.b

    def residual_sums(self, ratio: float) -> tuple[float, float]:
        """Sum up the squares and cubes of a - ratio * b over items."""
        r = ratio
        squares = self.aa - 2 * r * self.ab + r * r * self.bb
        cubes = self.aaa - 3 * r * self.aab + 3 * r * r * self.abb - r**3 * self.bbb
        return max(0.0, squares), cubes

    def variance(self) -> float:
        """Variance of the ratio by linearisation (Cochran 1977), items as units."""
        squares, _ = self.residual_sums(self.value)
        return squares / self.b**2 * self.n / max(1.0, self.n - 1)


def ratio_of(cell: Counts, measure: str) -> Ratio:
    """Read one ratio's sums out of a cell."""
    return Ratio(*(float(v) for v in ratio_powers(cell, measure)))


def permutation_p(cell: Ratio, everything: Ratio) -> float:
    """Two-sided p that a random draw of the cell's number of items lies as far from the overall ratio."""
    squares, cubes = everything.residual_sums(everything.value)
    n, total = cell.n, everything.n
    fraction = n / total
    variance = n * (1 - fraction) * squares / (total - 1)
    if variance <= 0:
        return 1.0
    deviation = squares / total
    skewness = cubes / total / deviation**1.5 * (1 - 2 * fraction) / sqrt(n * (1 - fraction))
    z = (cell.a - everything.value * cell.b) / sqrt(variance)
    return min(1.0, 2 * min(upper_tail(z, skewness), upper_tail(-z, -skewness)))


def upper_tail(z: float, skewness: float) -> float:
    """P(Z >= z) for a standardised Pearson type III variable; never below the normal's.

    Taking the larger of the two guards the short tail, which type III cuts off.
    """
    normal = float(ndtr(-z))
    if abs(skewness) < 1e-3:
        return normal
    shape = 4 / skewness**2
    place = max(0.0, shape + 2 * z / skewness)
    tail = gammaincc(shape, place) if skewness > 0 else gammainc(shape, place)
    return max(normal, float(tail))


def hypergeometric_p(hits: int, n: int, *, all_hits: int, total: int) -> float:
    """Two-sided p of Fisher's exact test (twice the smaller tail): `hits` of the cell's n, `all_hits` of the total."""
    upper = _at_least(hits, n, all_hits, total)
    lower = _at_least(n - hits, n, total - all_hits, total)
    return min(1.0, 2 * min(upper, lower))


def _at_least(hits: int, n: int, all_hits: int, total: int) -> float:
    """P(X >= hits) when n are drawn from a total with all_hits hits."""
    mean = n * all_hits / total
    if hits <= max(0, n + all_hits - total):
        return 1.0
    if hits < mean:
        return 1.0 - _at_least(n - hits + 1, n, total - all_hits, total)
    deviation = sqrt(mean * (1 - all_hits / total) * (total - n) / max(1, total - 1))
    # Terms fall from here on; beyond 40 standard deviations nothing is left to add.
    last = min(n, all_hits, hits + int(40 * deviation) + 40)
    k = np.arange(hits, last + 1)
    logs = _log_choose(all_hits, k) + _log_choose(total - all_hits, n - k) - _log_choose(total, np.array(n))
    return min(1.0, float(np.exp(logs).sum()))


def _log_choose(n: int, k: NDArray[np.int64]) -> NDArray[np.float64]:
    logs: NDArray[np.float64] = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return logs


def adjust_p(p_values: Sequence[float]) -> list[float]:
    """Benjamini and Hochberg's q: the smallest false-discovery rate at which each test would count as a discovery."""
    m = len(p_values)
    order = np.argsort(p_values, kind="stable")
    scaled = np.array(p_values)[order] * m / np.arange(1, m + 1)
    q = np.empty(m)
    q[order] = np.minimum(1.0, np.minimum.accumulate(scaled[::-1])[::-1])
    return [float(v) for v in q]


def compare_cells(
    cells: Sequence[tuple[str, Counts]],
    everything: Counts,
    *,
    evidence: Callable[[str], tuple[Evidence, ...]],
    level: float,
) -> tuple[Cell, ...]:
    """Compare each named cell with everything else, in the order given, controlling the table's false discoveries."""
    drafts = [_draft_cell(name, sums, everything, evidence=evidence(name), level=level) for name, sums in cells]
    p_values = [c.p for draft in drafts for c in draft.comparisons if c.p is not None]
    q_values = iter(adjust_p(p_values))
    return tuple(replace(d, comparisons=tuple(_with_q(c, q_values) for c in d.comparisons)) for d in drafts)


def _with_q(comparison: Comparison, q_values: Iterator[float]) -> Comparison:
    if comparison.p is None:
        return comparison
    q = next(q_values)
    return replace(comparison, q=q, differs=q <= FDR)


def _draft_cell(name: str, sums: Counts, everything: Counts, *, evidence: tuple[Evidence, ...], level: float) -> Cell:
    items = int(sums[MOMENT_INDEX["items"]])
    enough = items >= LEAST_ITEMS
    comparisons: list[Comparison] = []
    if enough:
        comparisons += [_compare_ratio(m, ratio_of(sums, m), ratio_of(everything, m), level=level) for m in RATIOS]
        comparisons += [_compare_share(m, sums, everything, level=level) for m in SHARES]
    return Cell(name, items, int(sums[MOMENT_INDEX["segments"]]), enough, tuple(comparisons), evidence)


def _compare_ratio(measure: str, cell: Ratio, everything: Ratio, *, level: float) -> Comparison:
    scale = BALANCE if measure == "sentiment" else LIKERT
    slope, middle = (scale[1] - scale[0]) / 2, (scale[0] + scale[1]) / 2
    if cell.b == 0:
        return _no_test(measure, NOTHING, None)
    value = middle + slope * cell.value
    size = (int(cell.b), int(cell.n))
    estimate = estimate_mean(value, slope**2 * cell.variance(), size=size, level=level, scale=scale)
    if everything.b == cell.b:
        return _no_test(measure, estimate, None)
    rest = middle + slope * (everything.a - cell.a) / (everything.b - cell.b)
    if min(cell.n, everything.n - cell.n) < LEAST_JUDGING:
        return _no_test(measure, estimate, rest)
    return replace(_no_test(measure, estimate, rest), p=permutation_p(cell, everything))


def _compare_share(measure: str, sums: Counts, everything: Counts, *, level: float) -> Comparison:
    hits, n = int(sums[MOMENT_INDEX[measure]]), int(sums[MOMENT_INDEX["items"]])
    all_hits, total = int(everything[MOMENT_INDEX[measure]]), int(everything[MOMENT_INDEX["items"]])
    estimate = estimate_share(hits, n, level=level)
    if total == n:
        return _no_test(measure, estimate, None)
    comparison = _no_test(measure, estimate, (all_hits - hits) / (total - n))
    if all_hits < LEAST_EVENTS:
        return comparison
    return replace(comparison, p=hypergeometric_p(hits, n, all_hits=all_hits, total=total))


def _no_test(measure: str, estimate: Estimate, rest: float | None) -> Comparison:
    difference = None if rest is None or estimate.value is None else estimate.value - rest
    return Comparison(measure, estimate, rest, difference, p=None, q=None, differs=False)
