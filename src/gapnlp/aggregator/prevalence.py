"""Shares corrected for the classifier's error: the mean of its calibrated probabilities.

Labels are decisions. A decision at a threshold misses some segments and takes in others, and the two seldom balance, so
a share of labels is biased however much text there is. Calibrated probabilities balance by construction: the mean over
segments is the expected share ("probabilistic classify and count", Bella, Ferri, Hernandez-Orallo and Ramirez-Quintana
2010). Corrections that divide by measured rates of true and false positives (Forman 2008) were further off on held-out
domains than uncorrected counts, since those rates do not carry over from one domain to another.

Calibration does not carry over exactly either. How far mean probabilities were from the truth in domains that were held
out of training (`ShareError`) is added to every interval.
"""

from __future__ import annotations

from collections.abc import Mapping
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from gapnlp.aggregator.intervals import estimate_from_replicates
from gapnlp.records.error_counts import ShareError
from gapnlp.records.report import Estimate

# With fewer true examples, or fewer than two held-out groups, the error between domains is itself not known.
LEAST_POSITIVES = 30
LEAST_DOMAINS = 2

# A language that cannot be corrected is left out if it has at most this share of the segments (stray items).
MOST_LEFT_OUT = 0.05

# Draws of the error between domains per bootstrap replicate: it often outweighs the sampling's.
DRAWS = 5

# language -> (sum of probabilities, segments), each plain sum then bootstrap sums, shape (1 + n_replicates,)
LanguageCounts = Mapping[str, tuple[NDArray[np.float64], NDArray[np.int64]]]


def can_correct(error: ShareError) -> bool:
    """Say whether a label's error in new domains is known well enough to state a corrected share with an interval."""
    return error.positives >= LEAST_POSITIVES and error.domains >= LEAST_DOMAINS


def correctable(segments: Mapping[str, int], errors: Mapping[str, ShareError]) -> tuple[str, ...]:
    """Choose the languages whose share can be corrected; none when the others hold too many segments to leave out.

    segments: language -> its segments. errors: language -> error of the label's share.
    """
    present = [language for language, n in segments.items() if n > 0]
    chosen = tuple(sorted(language for language in present if language in errors and can_correct(errors[language])))
    left_out = sum(segments[language] for language in present if language not in chosen)
    return chosen if left_out <= MOST_LEFT_OUT * sum(segments.values()) else ()


def estimate_corrected(
    counts: LanguageCounts, errors: Mapping[str, ShareError], *, label: str, clusters: int, level: float
) -> Estimate:
    """Estimate a label's true share of segments over all languages that can be corrected.

    The interval joins two uncertainties: which items happened to be written (bootstrap over items), and how far mean
    probabilities lie from true shares in a domain that was not in training (normal on the log-odds scale, drawn for
    each language by itself). label seeds the draws, so that a report is the same each time. value is None when the
    error of the label's share is not known well enough.
    """
    languages = correctable({name: int(n[0]) for name, (_, n) in counts.items()}, errors)
    if not languages:
        return Estimate(None, None, None, sum(int(n[0]) for _, n in counts.values()))
    n = sum(int(counts[name][1][0]) for name in languages)
    value = sum(float(counts[name][0][0]) for name in languages) / n
    total = np.repeat(np.sum([counts[name][1][1:] for name in languages], axis=0), DRAWS)
    replicates = np.zeros(total.shape)
    for name in languages:
        expected, segments = counts[name]
        seed = crc32(f"{name} {label}".encode())
        drawn = _draw_shares(expected[1:], segments[1:], errors[name].spread, seed=seed)
        replicates += drawn * np.repeat(segments[1:], DRAWS) / np.maximum(total, 1)
    return estimate_from_replicates(value, replicates[total > 0], n=n, clusters=clusters, level=level)


def _draw_shares(
    expected: NDArray[np.float64], segments: NDArray[np.int64], spread: float, *, seed: int
) -> NDArray[np.float64]:
    """Draw what one language's true share in a new domain may be, shape (n_replicates * DRAWS,)."""
    odds = np.repeat(logit(_inner_shares(expected, segments)), DRAWS)
    shifts = spread * np.random.default_rng(seed).standard_normal(odds.shape)
    drawn: NDArray[np.float64] = expit(odds + shifts)
    return drawn


def _inner_shares(expected: NDArray[np.float64], segments: NDArray[np.int64]) -> NDArray[np.float64]:
    """Shares within (0, 1): 0 and 1, which have no log-odds, are moved inwards by half an observation."""
    n = np.maximum(segments, 1)
    shares = expected / n
    shares = np.where(shares <= 0, 0.5 / n, shares)
    return np.where(shares >= 1, 1 - 0.5 / n, shares)
