"""How much each dimension moves the overall judgement, derived from the items rather than asked.

How often a dimension is mentioned is not how much it matters. Here an item's outcome (its rating, or else its overall
sentiment) is regressed on x_d in {-1, 0, 1}, the item's polarity toward each dimension d (0: silent or balanced). A
dimension's importance is its share of the explained variance averaged over all orders in which the dimensions may enter
(Lindeman, Merenda and Gold 1980, "LMG"; Groemping 2006), its effect the least-squares coefficient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from math import factorial

import numpy as np
from numpy.typing import NDArray

from gapnlp.aggregator.columns import INDEX
from gapnlp.aggregator.intervals import estimate_from_replicates
from gapnlp.aggregator.rows import Counts
from gapnlp.records.labels import DIMENSIONS
from gapnlp.records.report import Estimate, Importance

Floats = NDArray[np.float64]

LEAST_ITEMS = 30
LEAST_RATED_SHARE = 0.2

# A dimension takes part if at least so many items judge it clearly for or against.
LEAST_JUDGING = 10

# Beyond this condition number of their correlations, dimensions cannot be told apart.
WORST_CONDITION = 1e6

# Below this share of explained variance the shares of it mean little.
LEAST_EXPLAINED = 0.05

# Hundredths of the outcome to points on a 0-100 scale: sentiment runs from -100 to 100.
POINTS: Mapping[str, float] = {"rating": 1.0, "sentiment": 0.5}


@dataclass(frozen=True, slots=True)
class Derivation:
    """What importance was derived from and what came out.

    outcome: "rating" or "sentiment". items: that have it. explained: R squared in [0, 1], None without a fit.
    caveats: keys that apply.
    """

    outcome: str
    items: int
    explained: float | None
    importances: Mapping[str, Importance]
    caveats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Moments:
    """Centred second moments of a fit, plain and replicated: xx (r, p, p), xy (r, p), yy (r,), r = 1 + n_replicates."""

    xx: Floats
    xy: Floats
    yy: Floats


def derive_importance(replicated: Counts, *, level: float) -> Derivation:
    """Derive each dimension's importance from the tally's cross-products, shape (1 + n_replicates, n_columns)."""
    outcome = choose_outcome(replicated[0])
    items = int(replicated[0, INDEX[f"{outcome}:n"]])
    caveats = ("importance_from_sentiment",) if outcome == "sentiment" and items else ()
    active = _active_dimensions(replicated[0], outcome)
    if items < LEAST_ITEMS or not active or not _varies(replicated[0], outcome):
        return Derivation(outcome, items, None, {}, ("importance_too_few",) if items else ())
    moments = centred_moments(replicated, outcome, active)
    if _condition(moments.xx[0]) > WORST_CONDITION:
        return Derivation(outcome, items, None, {}, (*caveats, "importance_inseparable"))
    shares, explained = lmg_shares(moments)
    effects = POINTS[outcome] * fit_effects(moments)
    if explained[0] < LEAST_EXPLAINED:
        caveats = (*caveats, "importance_weak")
    importances = {
        dimension: Importance(
            share=_estimate(shares[:, i], n=items, level=level), effect=_estimate(effects[:, i], n=items, level=level)
        )
        for i, dimension in enumerate(active)
    }
    return Derivation(outcome, items, float(explained[0]), importances, caveats)


def choose_outcome(sums: Counts) -> str:
    """Prefer the rating where enough items have one and it varies; else the items' overall sentiment."""
    rated, items = sums[INDEX["rating:n"]], sums[INDEX["items"]]
    enough = rated >= LEAST_ITEMS and rated >= LEAST_RATED_SHARE * items
    return "rating" if enough and _varies(sums, "rating") else "sentiment"


def _varies(sums: Counts, outcome: str) -> bool:
    n, y, yy = (int(sums[INDEX[f"{outcome}:{name}"]]) for name in ("n", "y", "yy"))
    return n * yy - y * y > 0


def _active_dimensions(sums: Counts, outcome: str) -> tuple[str, ...]:
    """Dimensions that enough items judge, and not all of them in the same way."""
    n = int(sums[INDEX[f"{outcome}:n"]])
    active = []
    for d in DIMENSIONS:
        x, xx = int(sums[INDEX[f"{outcome}:x:{d}"]]), int(sums[INDEX[f"{outcome}:xx:{d}:{d}"]])
        if xx >= LEAST_JUDGING and n * xx - x * x > 0:
            active.append(d)
    return tuple(active)


def centred_moments(replicated: Counts, outcome: str, dimensions: tuple[str, ...]) -> Moments:
    """Turn sums of products into variances and covariances, per replicate."""
    n = np.maximum(replicated[:, INDEX[f"{outcome}:n"]], 1).astype(np.float64)
    mean_y = replicated[:, INDEX[f"{outcome}:y"]] / n
    mean_x = replicated[:, [INDEX[f"{outcome}:x:{d}"] for d in dimensions]] / n[:, None]
    xy = replicated[:, [INDEX[f"{outcome}:xy:{d}"] for d in dimensions]] / n[:, None]
    pairs = [INDEX[_pair(outcome, d, e)] for d in dimensions for e in dimensions]
    xx = (replicated[:, pairs] / n[:, None]).reshape(-1, len(dimensions), len(dimensions))
    return Moments(
        xx=xx - mean_x[:, :, None] * mean_x[:, None, :],
        xy=xy - mean_x * mean_y[:, None],
        yy=replicated[:, INDEX[f"{outcome}:yy"]] / n - mean_y**2,
    )


def _pair(outcome: str, left: str, right: str) -> str:
    first, second = sorted((left, right), key=DIMENSIONS.index)
    return f"{outcome}:xx:{first}:{second}"


def _condition(xx: Floats) -> float:
    deviations = np.sqrt(np.diag(xx))
    return float(np.linalg.cond(xx / np.outer(deviations, deviations)))


def fit_effects(moments: Moments) -> Floats:
    """Fit by least squares: coefficients, shape (r, p).

    Dimensions that are collinear in a replicate share their effect there (pseudo-inverse).
    """
    effects: Floats = np.einsum("rij,rj->ri", np.linalg.pinv(moments.xx, hermitian=True), moments.xy)
    return effects


def explained_variance(moments: Moments, chosen: tuple[int, ...]) -> Floats:
    """R squared of the fit on some of the dimensions, in [0, 1], shape (r,)."""
    if not chosen:
        return np.zeros(len(moments.yy))
    part = Moments(moments.xx[:, chosen][:, :, chosen], moments.xy[:, chosen], moments.yy)
    explained = np.einsum("ri,ri->r", fit_effects(part), part.xy)
    shares: Floats = np.clip(explained / np.where(part.yy > 0, part.yy, np.inf), 0.0, 1.0)
    return shares


def lmg_shares(moments: Moments) -> tuple[Floats, Floats]:
    """Share of the explained variance per dimension, shape (r, p), rows summing to 1, and R squared, shape (r,)."""
    parts = lmg_parts(moments)
    explained = parts.sum(axis=1)
    even = np.full(parts.shape, 1 / parts.shape[1])
    return np.divide(parts, explained[:, None], out=even, where=explained[:, None] > 1e-12), explained


def lmg_parts(moments: Moments) -> Floats:
    """R squared split over the dimensions, averaged over all orders of entry, shape (r, p); rows sum to R squared."""
    p = moments.xy.shape[1]
    subsets = [s for size in range(p + 1) for s in combinations(range(p), size)]
    explained = {s: explained_variance(moments, s) for s in subsets}
    parts = np.zeros(moments.xy.shape)
    for subset in subsets:
        weight = factorial(len(subset)) * factorial(p - len(subset) - 1) / factorial(p) if len(subset) < p else 0.0
        for k in set(range(p)) - set(subset):
            parts[:, k] += weight * (explained[tuple(sorted((*subset, k)))] - explained[subset])
    return parts


def _estimate(values: Floats, *, n: int, level: float) -> Estimate:
    return estimate_from_replicates(float(values[0]), values[1:], n=n, clusters=n, level=level)
