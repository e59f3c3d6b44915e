"""Intervals for shares and means of feedback, valid for clustered segments and for small counts.

Segments of one item are not independent, so nothing here takes the segment as its unit: variances come from a
bootstrap over items, and counts are deflated to the number of independent observations they are worth.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtrit

from gapnlp.records.report import Estimate
from gapnlp.records.shares import wilson

NOTHING = Estimate(None, None, None, 0)

Scale = tuple[float, float]
UNIT: Scale = (0.0, 1.0)


def normal_quantile(level: float) -> float:
    """Two-sided normal quantile: 1.96 for 0.95."""
    return float(ndtri((1 + level) / 2))


def t_quantile(level: float, clusters: int) -> float:
    """Two-sided Student quantile for a variance estimated from that many clusters (items)."""
    return float(stdtrit(max(1, clusters - 1), (1 + level) / 2))


def estimate_share(count: int, n: int, *, level: float) -> Estimate:
    """Estimate a share of independent items, with Wilson's interval (Brown, Cai and DasGupta 2001)."""
    if n == 0:
        return NOTHING
    return Estimate(count / n, *wilson(count / n, n, normal_quantile(level)), n)


def estimate_mean(value: float, variance: float, *, size: tuple[int, int], level: float, scale: Scale) -> Estimate:
    """Estimate the mean of a figure that lies between the ends of `scale`, from its variance.

    The mean's place between the ends is treated as a share, worth as many observations as would give that variance;
    without any variance (all alike) it is worth one observation per cluster. size: (n, clusters), the denominator and
    the items that it comes from.
    """
    n, clusters = size
    low, high = scale
    place = (value - low) / (high - low)
    spread = place * (1 - place)
    relative = variance / (high - low) ** 2
    effective = min(float(n), spread / relative) if relative > 1e-12 and spread > 1e-12 else float(clusters)
    bounds = wilson(min(1.0, max(0.0, place)), effective, t_quantile(level, clusters))
    return Estimate(value, low + (high - low) * bounds[0], low + (high - low) * bounds[1], n)


def ratio_replicates(numerator: NDArray[np.int64], denominator: NDArray[np.int64]) -> NDArray[np.float64]:
    """Bootstrap replicates of a ratio of sums; replicates with an empty denominator are left out."""
    held = denominator[1:] > 0
    return numerator[1:][held] / denominator[1:][held]


def estimate_ratio(
    sums: tuple[NDArray[np.int64], NDArray[np.int64]],
    *,
    clusters: int,
    level: float,
    ends: Scale = UNIT,
    scale: Scale = UNIT,
) -> Estimate:
    """Estimate a ratio of sums over items, such as a share of segments, from its bootstrap.

    sums: numerator and denominator, each the plain sum, then the bootstrap's, shape (1 + n_replicates,). clusters:
    items that have any of the denominator. ends: lowest and highest value that the ratio can take; scale: what these
    are shown as.
    """
    numerator, denominator = sums
    n = int(denominator[0])
    if n == 0:
        return NOTHING
    slope = (scale[1] - scale[0]) / (ends[1] - ends[0])
    replicates = ratio_replicates(numerator, denominator)
    variance = slope**2 * float(replicates.var(ddof=1)) if len(replicates) > 1 else 0.0
    value = scale[0] + slope * (int(numerator[0]) / n - ends[0])
    return estimate_mean(value, variance, size=(n, clusters), level=level, scale=scale)


def percentile_interval(replicates: NDArray[np.float64], *, clusters: int, level: float) -> tuple[float, float]:
    """Bootstrap percentile interval, widened for few clusters (Hesterberg 2015, "expanded percentile").

    Used for figures without a natural share form (corrected shares, importance). The percentile kind is chosen over
    the basic kind since it keeps inside the range of the figure and follows its skewness.
    """
    stretch = sqrt(clusters / max(1, clusters - 1)) * t_quantile(level, clusters)
    tail = float(ndtr(-stretch))
    low, high = np.quantile(replicates, (tail, 1 - tail))
    return float(low), float(high)


def estimate_from_replicates(
    value: float, replicates: NDArray[np.float64], *, n: int, clusters: int, level: float
) -> Estimate:
    """Estimate a figure by its percentile interval, which is stretched to hold the figure itself."""
    low, high = percentile_interval(replicates, clusters=clusters, level=level)
    return Estimate(value, min(low, value), max(high, value), n)
