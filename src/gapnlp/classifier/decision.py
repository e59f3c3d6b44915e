"""From probabilities to labels: one rule for every classifier, with thresholds from its bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapnlp.records.labels import (
    CHURN,
    DIMENSIONS,
    EXPECTATIONS,
    GAPS,
    HEAD_INDEX,
    HEADS,
    LABEL_INDEX,
    POLARITIES,
    SENTIMENTS,
    Labels,
    dimension_label,
    expectation_label,
    gap_label,
    head_names,
    sentiment_label,
)


@dataclass(frozen=True, slots=True)
class Abstention:
    """When a decision is too doubtful to act on unread.

    cut: expected wrong labels in a segment above which the classifier abstains. risk: share of kept segments in which
    something asserted (a dimension, a gap, the sentiment) was wrong, out of fold; at most `limit` with 95 % confidence.
    coverage: share of segments kept. Selective classification after Geifman and El-Yaniv (2017).
    """

    cut: float
    limit: float
    risk: float
    coverage: float


_POLARITY_COLUMNS = {d: [LABEL_INDEX[dimension_label(d, p)] for p in POLARITIES] for d in DIMENSIONS}
_GAP_COLUMNS = {g: LABEL_INDEX[gap_label(g)] for g in GAPS}
_SENTIMENT_COLUMNS = [LABEL_INDEX[sentiment_label(s)] for s in SENTIMENTS]
_EXPECTATION_COLUMNS = {e: LABEL_INDEX[expectation_label(e)] for e in EXPECTATIONS if e != "none"}
_CHURN_COLUMN = LABEL_INDEX[CHURN]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where a probability becomes a label; chosen on cross-validated predictions, kept in the bundle.

    presence: dimension -> least summed probability of its polarities. gaps, expectations: least probability.
    sentiment: factor on each sentiment's probability before the largest is taken (SENTIMENTS order).
    """

    presence: Mapping[str, float]
    gaps: Mapping[str, float]
    expectations: Mapping[str, float]
    sentiment: tuple[float, ...]
    churn: float


def decide(values: NDArray[np.float64], thresholds: Thresholds) -> tuple[Labels, ...]:
    """Turn probabilities into labels, row by row.

    values: shape (n_segments, n_labels), columns as LABELS.
    """
    sentiments = (values[:, _SENTIMENT_COLUMNS] * np.asarray(thresholds.sentiment)).argmax(axis=1)
    presence = {d: values[:, columns].sum(axis=1) >= thresholds.presence[d] for d, columns in _POLARITY_COLUMNS.items()}
    polarity = {d: values[:, columns].argmax(axis=1) for d, columns in _POLARITY_COLUMNS.items()}
    gaps = {g: values[:, column] >= thresholds.gaps[g] for g, column in _GAP_COLUMNS.items()}
    expectations = _expectations(values, thresholds)
    churn = values[:, _CHURN_COLUMN] >= thresholds.churn
    return tuple(
        Labels(
            sentiment=SENTIMENTS[sentiments[i]],
            dimensions={d: POLARITIES[polarity[d][i]] for d in DIMENSIONS if presence[d][i]},
            gaps=tuple(g for g in GAPS if gaps[g][i]),
            expectation=expectations[i],
            churn=bool(churn[i]),
        )
        for i in range(len(values))
    )


def head_matrix(labels: Sequence[Labels]) -> NDArray[np.bool_]:
    """Say which heads say yes to each segment, shape (n_segments, 33), columns as HEADS."""
    found = np.zeros((len(labels), len(HEADS)), dtype=bool)
    for row, label in zip(found, labels, strict=True):
        row[[HEAD_INDEX[name] for name in head_names(label)]] = True
    return found


def expected_errors(values: NDArray[np.float64], thresholds: Thresholds) -> NDArray[np.float64]:
    """How many labels of each segment are expected to be wrong, shape (n_segments,): the doubt about a decision.

    Under calibrated probabilities: 1 - p for every label given, p for every one withheld.
    """
    sentiment = values[:, _SENTIMENT_COLUMNS]
    chosen = (sentiment * np.asarray(thresholds.sentiment)).argmax(axis=1)
    doubt: NDArray[np.float64] = 1 - np.take_along_axis(sentiment, chosen[:, None], axis=1)[:, 0]
    for d, columns in _POLARITY_COLUMNS.items():
        presence, likeliest = values[:, columns].sum(axis=1), values[:, columns].max(axis=1)
        doubt += np.where(presence >= thresholds.presence[d], 1 - likeliest, presence)
    single = [(c, thresholds.gaps[g]) for g, c in _GAP_COLUMNS.items()]
    single += [(c, thresholds.expectations[e]) for e, c in _EXPECTATION_COLUMNS.items()]
    for column, threshold in [*single, (_CHURN_COLUMN, thresholds.churn)]:
        p = values[:, column]
        doubt += np.where(p >= threshold, 1 - p, p)
    return doubt


def abstains(doubt: NDArray[np.float64], abstention: Abstention | None) -> NDArray[np.bool_]:
    """Which segments are too doubtful, shape (n_segments,); none for a bundle without a rule."""
    if abstention is None:
        return np.zeros(len(doubt), dtype=bool)
    return doubt > abstention.cut


def _expectations(values: NDArray[np.float64], thresholds: Thresholds) -> list[str]:
    """Take the outcome that passes its threshold by the largest factor, or "none"."""
    names = list(_EXPECTATION_COLUMNS)
    limits = np.asarray([thresholds.expectations[e] for e in names])
    ratios = values[:, list(_EXPECTATION_COLUMNS.values())] / limits
    best = ratios.argmax(axis=1)
    return [names[b] if ratio[b] >= 1 else "none" for b, ratio in zip(best, ratios, strict=True)]
