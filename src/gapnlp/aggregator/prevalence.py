"""Shares corrected for the classifier's known error.

A classifier that misses a third of a rare label and sees it where it is not gives a biased share, however much text is
counted. From its true and false positive rates the bias can be taken out: the adjusted count (Forman 2008; known as
Rogan and Gladen's estimator, 1978, in epidemiology), p = (q - fpr) / (tpr - fpr).

It assumes that the rates found on the labelled segments hold in this data: the mix of labels may differ from there, but
the ways in which each label is worded may not.
"""

from __future__ import annotations

from collections.abc import Mapping
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from gapnlp.aggregator.intervals import estimate_from_replicates
from gapnlp.records.error_counts import ErrorCounts
from gapnlp.records.report import Estimate

# Below these a correction would be noise: tpr - fpr is divided by, tpr rests on the positives.
LEAST_POWER = 0.1
LEAST_POSITIVES = 10

# A language that cannot be corrected is left out if it has at most this share of the segments (stray items).
MOST_LEFT_OUT = 0.05

# Draws of the error rates per bootstrap replicate: their uncertainty often outweighs the sampling's.
DRAWS = 5

# If more of the draws are below 0 (fewer labels seen than the false alarms alone would give) or above 1, the error
# rates do not hold in this data, and a corrected share would be a precise untruth. A true share of 0 is refused in
# error with a probability of about 1 - MOST_IMPOSSIBLE.
MOST_IMPOSSIBLE = 0.9

# A drawn difference of rates is kept from zero, where it would blow up.
_SMALLEST_DRAWN = 0.02

# language -> (segments with the label, all segments), each plain sum then bootstrap sums, (1 + n_replicates,)
LanguageCounts = Mapping[str, tuple[NDArray[np.int64], NDArray[np.int64]]]


def adjusted_count(share: float, counts: ErrorCounts) -> float:
    """Correct an observed share in [0, 1] for known error, clipped to [0, 1]."""
    tpr, fpr = counts.tp / counts.positives, counts.fp / counts.negatives
    return min(1.0, max(0.0, (share - fpr) / (tpr - fpr)))


def can_correct(counts: ErrorCounts) -> bool:
    """Say whether error counts are good enough to correct a share with."""
    if counts.positives < LEAST_POSITIVES or counts.negatives < LEAST_POSITIVES:
        return False
    return counts.tp / counts.positives - counts.fp / counts.negatives >= LEAST_POWER


def correctable(segments: Mapping[str, int], errors: Mapping[str, ErrorCounts]) -> tuple[str, ...]:
    """Choose the languages whose share can be corrected; none when the others hold too many segments to leave out.

    segments: language -> its segments. errors: language -> error counts of the label.
    """
    present = [language for language, n in segments.items() if n > 0]
    chosen = tuple(sorted(language for language in present if language in errors and can_correct(errors[language])))
    left_out = sum(segments[language] for language in present if language not in chosen)
    return chosen if left_out <= MOST_LEFT_OUT * sum(segments.values()) else ()


def estimate_corrected(
    counts: LanguageCounts, errors: Mapping[str, ErrorCounts], *, label: str, clusters: int, level: float
) -> Estimate:
    """Estimate a label's true share of segments over all languages that can be corrected.

    The interval joins two uncertainties: which items happened to be written (bootstrap over items), and how well the
    error rates are known (draws from Beta(tp + 1/2, fn + 1/2) and Beta(fp + 1/2, tn + 1/2)). label seeds the draws, so
    that a report is the same each time. value is None when the classifier's error on the label is not known enough,
    or when the observed share is one that a classifier with such error could hardly give.
    """
    languages = correctable({name: int(n[0]) for name, (_, n) in counts.items()}, errors)
    if not languages:
        return Estimate(None, None, None, sum(int(n[0]) for _, n in counts.values()))
    known = {name: errors[name] for name in languages}
    n = sum(int(counts[name][1][0]) for name in languages)
    total = np.repeat(np.sum([counts[name][1][1:] for name in languages], axis=0), DRAWS)
    value, replicates, unbounded = 0.0, np.zeros(total.shape), np.zeros(total.shape)
    for name in languages:
        found, segments = counts[name]
        value += adjusted_count(int(found[0]) / int(segments[0]), known[name]) * int(segments[0]) / n
        drawn = _draw_shares(found, segments, known[name], seed=crc32(f"{name} {label}".encode()))
        weight = np.repeat(segments[1:], DRAWS) / np.maximum(total, 1)
        replicates += np.clip(drawn, 0.0, 1.0) * weight
        unbounded += drawn * weight
    if max(np.mean(unbounded < 0), np.mean(unbounded > 1)) > MOST_IMPOSSIBLE:
        return Estimate(None, None, None, n)
    return estimate_from_replicates(value, replicates[total > 0], n=n, clusters=clusters, level=level)


def _draw_shares(
    found: NDArray[np.int64], segments: NDArray[np.int64], errors: ErrorCounts, *, seed: int
) -> NDArray[np.float64]:
    """Corrected shares of one language, not kept within [0, 1], shape (n_replicates * DRAWS,)."""
    rng = np.random.default_rng(seed)
    shares = np.repeat(_replicated_shares(found, segments, rng), DRAWS)
    tpr = rng.beta(errors.tp + 0.5, errors.fn + 0.5, size=shares.shape)
    fpr = rng.beta(errors.fp + 0.5, errors.tn + 0.5, size=shares.shape)
    drawn: NDArray[np.float64] = (shares - fpr) / np.maximum(tpr - fpr, _SMALLEST_DRAWN)
    return drawn


def _replicated_shares(
    found: NDArray[np.int64], segments: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Observed share per replicate; where none or all have the label, drawn, as a bootstrap would never vary."""
    count, n = int(found[0]), int(segments[0])
    if count in (0, n):
        return rng.beta(count + 0.5, n - count + 0.5, size=len(found) - 1)
    return found[1:] / np.maximum(segments[1:], 1)
