"""Shares from an audit: a random sample of segments labelled by people, helped by the classifier's answers on all.

Prediction-powered inference (Angelopoulos, Bates, Fannjiang, Jordan and Zrnic 2023), for shares the difference
estimator of survey sampling: the share among the audited segments, moved by how far the audited segments' mean
probability lies from the mean over all segments, times a weight. The weight is tuned to the audit (PPI++, Angelopoulos,
Duchi and Zrnic 2024): 0 where the classifier does not help, so that the interval is about as wide as without it.

The published intervals take the error as normal with a variance estimated from the audit. With a hundred segments and
rare labels that fails: at a share of 2 % they hold the truth 80 % of the time. Here the interval is a score interval,
as Wilson's is: all shares that the estimate does not contradict, where the variance is the one that the share itself
would bring. That needs one more figure, the mean probability of segments that truly have the label; it is drawn toward
what calibrated probabilities would give, since an audit holds few such segments.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from gapnlp.aggregator.intervals import t_quantile
from gapnlp.records.report import Estimate

# Fewer audited segments give no figure: intervals were not measured below, and would be too wide to be of use.
LEAST_AUDITED = 30

# With fewer audited segments on either side, the interval also takes in the exact one (Clopper and Pearson 1934).
FEW = 3

# Segments with the label that the calibrated probabilities stand for, beside the audited ones; chosen by coverage.
_PRIOR_POSITIVES = 5.0
# Correlation between segments of one item, and the pairs of audited segments that this guess is worth.
_PRIOR_CORRELATION, _PRIOR_PAIRS = 0.3, 30.0


@dataclass(frozen=True, slots=True)
class Population:
    """One label's probabilities over all segments of the data.

    n: segments. mean, variance: of the probabilities. clustering: the variance of the mean over what it would be if
    segments were independent of their items.
    """

    n: int
    mean: float
    variance: float
    clustering: float = 1.0


@dataclass(frozen=True, slots=True)
class Sample:
    """The audited segments of one label.

    truth: 1 where people gave the label, else 0, shape (n,). probabilities: of the classifier, shape (n,). items: which
    item each segment belongs to, as any whole numbers, shape (n,).
    """

    truth: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    items: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Audited:
    """An audited share and the weight that the classifier's answers had in it, in [0, 1]."""

    estimate: Estimate
    weight: float


def estimate_audited(sample: Sample, population: Population, *, level: float) -> Audited:
    """Estimate a label's true share of segments; value None with fewer than LEAST_AUDITED audited segments.

    The interval covers which segments were drawn for the audit and which items happened to be written. It assumes that
    the segments were drawn at random and that people's labels are right, and nothing about the classifier.
    """
    n = len(sample.truth)
    if n < LEAST_AUDITED:
        return Audited(Estimate(None, None, None, n), 0.0)
    lead = _lead(sample, population)
    weight = _tune(sample, population, lead)
    moved = weight * (population.mean - float(sample.probabilities.mean()))
    share = min(1.0, max(0.0, float(sample.truth.mean()) + moved))
    low, high = _invert(share, _spread(sample, population, lead=lead, weight=weight), level=level)
    if min(sample.truth.sum(), n - sample.truth.sum()) < FEW:
        exact = exact_interval(int(sample.truth.sum()), n, level=level)
        low, high = min(low, exact[0]), max(high, exact[1])
    return Audited(Estimate(share, min(low, share), max(high, share), n), weight)


def exact_interval(count: int, n: int, *, level: float) -> tuple[float, float]:
    """Give the interval of Clopper and Pearson (1934), which holds the truth at least as often as stated."""
    tail = (1 - level) / 2
    low = float(betaincinv(count, n - count + 1, tail)) if count else 0.0
    return low, float(betaincinv(count + 1, n - count, 1 - tail)) if count < n else 1.0


def clustering(residuals: NDArray[np.float64], items: NDArray[np.int64]) -> float:
    """How many times the variance of a mean grows because segments share items; at least 1.

    The correlation is estimated from the pairs of segments of one item. Audits hold few pairs, so it is drawn toward a
    usual value.
    """
    n = len(residuals)
    variance = float(residuals.var())
    _, codes, sizes = np.unique(items, return_inverse=True, return_counts=True)
    pairs = float((sizes * (sizes - 1)).sum()) / 2
    if pairs == 0:
        return 1.0
    centred = residuals - residuals.mean()
    together = np.bincount(codes, weights=centred)
    products = (float((together**2).sum()) - float((centred**2).sum())) / 2
    seen = products / variance if variance > 0 else 0.0
    correlation = (seen + _PRIOR_CORRELATION * _PRIOR_PAIRS) / (pairs + _PRIOR_PAIRS)
    return 1.0 + 2 * pairs / n * min(1.0, max(0.0, correlation))


def _lead(sample: Sample, population: Population) -> float:
    """By how much the mean probability of segments with the label exceeds that of all segments; at least 0.

    Calibrated probabilities p have a mean of E[p * p] / E[p] where the label is true.
    """
    if population.mean <= 0:
        return 0.0
    calibrated = (population.variance + population.mean**2) / population.mean
    found = float(sample.truth.sum())
    seen = float((sample.truth * sample.probabilities).sum())
    return max(0.0, (seen + _PRIOR_POSITIVES * calibrated) / (found + _PRIOR_POSITIVES) - population.mean)


def _tune(sample: Sample, population: Population, lead: float) -> float:
    """Choose the weight of the classifier's answers that makes the variance smallest: covariance over variance."""
    if population.variance <= 0:
        return 0.0
    found = float(sample.truth.sum()) + _PRIOR_POSITIVES * population.mean
    rough = found / (len(sample.truth) + _PRIOR_POSITIVES)
    return min(1.0, max(0.0, rough * lead / population.variance))


@dataclass(frozen=True, slots=True)
class _Spread:
    """The variance of the estimate if the true share were s: s (1 - s) of_share + s of_lead + of_probabilities."""

    of_share: float
    of_lead: float
    of_probabilities: float


def _spread(sample: Sample, population: Population, *, lead: float, weight: float) -> _Spread:
    """Work the variance out as a function of the share.

    A segment's truth y and probability p have variances s (1 - s) and v, and covariance s * lead. So y - w p varies by
    s (1 - s) - 2 w s lead + w w v, once for the audited segments; and the mean of p over all segments varies too.
    """
    residuals = sample.truth - weight * sample.probabilities
    audit = clustering(residuals, sample.items) / len(sample.truth)
    difference = audit - population.clustering / max(1, population.n)
    return _Spread(audit, -2 * weight * lead * difference, weight**2 * population.variance * difference)


def _invert(share: float, spread: _Spread, *, level: float) -> tuple[float, float]:
    """Find the shares s with (share - s) ** 2 <= q * q * variance(s): between the roots of a quadratic.

    q is Student's, for the number of audited segments that the variance is worth.
    """
    q = t_quantile(level, max(2, round(1 / spread.of_share))) ** 2
    square = 1 + q * spread.of_share
    linear = 2 * share + q * (spread.of_share + spread.of_lead)
    constant = share**2 - q * spread.of_probabilities
    root = sqrt(max(0.0, linear**2 - 4 * square * constant))
    return max(0.0, (linear - root) / (2 * square)), min(1.0, (linear + root) / (2 * square))
