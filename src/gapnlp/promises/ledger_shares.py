"""Shares of items that break or keep a promise, corrected for the matcher's known error.

The matcher decides for too many items (precision) and misses others (recall). Where both carry over from the held-out
cases they were measured on, `decided * precision / recall` items are expected to be true. The interval joins the
sampling of items with the uncertainty of precision and recall by simulation with fixed points, so the same counts
always give the same figures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, gammaincinv, ndtri

from gapnlp.records.promises import RELATIONS
from gapnlp.records.report import Estimate
from gapnlp.records.shares import wilson

NOTHING = Estimate(None, None, None, 0)

# Points of the simulation. With a hundred times as many, bounds moved by at most a fiftieth of the interval's width.
POINTS = 2_000
# Halton bases: of the items' sampling, and of each relation's three kinds of decisions.
_SAMPLING_BASE = 2
_BASES = {"breaks": (3, 5, 7), "keeps": (11, 13, 17)}

Draws = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MatcherError:
    """Counts of one relation's decisions on held-out cases: right (tp), wrong (fp) and missed (fn).

    Raises ValueError for a negative count, or without any right decision: nothing is then known of the matcher.
    """

    tp: int
    fp: int
    fn: int

    def __post_init__(self) -> None:
        if self.tp < 1 or self.fp < 0 or self.fn < 0:
            raise ValueError(f"a matcher's error needs tp > 0 and no negative count, not {self}; measure it again")

    @property
    def precision(self) -> float:
        """How many of the decided ones are right, in [0, 1]."""
        return self.tp / (self.tp + self.fp)

    @property
    def recall(self) -> float:
        """How many of the true ones are found, in [0, 1]."""
        return self.tp / (self.tp + self.fn)


@dataclass(frozen=True, slots=True)
class Correction:
    """How many true items one decided item stands for: precision / recall, and draws of it, shape (POINTS,)."""

    factor: float
    draws: Draws


def make_correction(error: MatcherError, relation: str) -> Correction:
    """Draw precision / recall from what the held-out counts leave open.

    Right, wrong and missed decisions are drawn together, from a Dirichlet distribution with half an observation added
    to each (Jeffreys). So precision has its Beta(tp + 1/2, fp + 1/2) and recall its Beta(tp + 1/2, fn + 1/2), and they
    share the right decisions: drawn apart, the interval would be too wide.
    """
    counts = (error.tp, error.fp, error.fn)
    right, wrong, missed = (gammaincinv(n + 0.5, _halton(b)) for n, b in zip(counts, _BASES[relation], strict=True))
    return Correction(error.precision / error.recall, (right + missed) / (right + wrong))


def count_share(count: int, n: int, *, level: float) -> Estimate:
    """Estimate a share of items as counted, with Wilson's interval; nothing where there is no item."""
    if n == 0:
        return NOTHING
    low, high = wilson(count / n, n, float(ndtri((1 + level) / 2)))
    return Estimate(count / n, low, high, n)


def correct_share(decided: int, n: int, *, correction: Correction, level: float) -> Estimate:
    """Estimate the true share of `n` items of which the matcher decided `decided`; nothing where there is no item."""
    if n == 0:
        return NOTHING
    decided = min(decided, n)
    draws = np.minimum(1.0, _draw_share(decided, n) * correction.draws)
    value = min(1.0, decided / n * correction.factor)
    low, high = _bounds(draws, level)
    return Estimate(value, 0.0 if decided == 0 else min(low, value), max(high, value), n)


def bound_ratio(breaks: int, keeps: int, *, corrections: dict[str, Correction], level: float) -> tuple[float, float]:
    """Bound the share of breaks among items that break or keep a promise, each corrected; (0, 1) where none does."""
    if breaks + keeps == 0:
        return 0.0, 1.0
    share = _draw_share(breaks, breaks + keeps)
    true = {r: s * corrections[r].draws for r, s in zip(RELATIONS, (share, 1 - share), strict=True)}
    low, high = _bounds(true["breaks"] / (true["breaks"] + true["keeps"]), level)
    return (0.0 if breaks == 0 else low), (1.0 if keeps == 0 else high)


def _draw_share(count: int, n: int) -> Draws:
    """Draw a share from what `count` of `n` leave open: Jeffreys' posterior, widened at the ends.

    At 0 and n the posterior is too narrow; the exact bound (Clopper and Pearson 1934) stands in for it, as Brown, Cai
    and DasGupta (2001) advise.
    """
    hits, misses = count + 0.5, n - count + 0.5
    if count == 0:
        hits, misses = 1.0, float(n)
    elif count == n:
        hits, misses = float(n), 1.0
    draws: Draws = betaincinv(hits, misses, _halton(_SAMPLING_BASE))
    return draws


def _bounds(draws: Draws, level: float) -> tuple[float, float]:
    low, high = np.quantile(draws, ((1 - level) / 2, (1 + level) / 2))
    return float(low), float(high)


def _halton(base: int) -> Draws:
    """Spread POINTS points evenly over (0, 1) (Halton 1960): no generator, so no version can change the figures."""
    left = np.arange(1, POINTS + 1)
    points, scale = np.zeros(POINTS), 1.0
    while left.any():
        scale /= base
        points += scale * (left % base)
        left //= base
    return points
