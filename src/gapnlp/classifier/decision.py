"""From probabilities to labels: one rule for every classifier, with thresholds from its bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapnlp.records.labels import (
    CHURN,
    DIMENSIONS,
    EXPECTATIONS,
    GAPS,
    LABEL_INDEX,
    POLARITIES,
    SENTIMENTS,
    Labels,
    dimension_label,
    expectation_label,
    gap_label,
    sentiment_label,
)

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


def _expectations(values: NDArray[np.float64], thresholds: Thresholds) -> list[str]:
    """Take the outcome that passes its threshold by the largest factor, or "none"."""
    names = list(_EXPECTATION_COLUMNS)
    limits = np.asarray([thresholds.expectations[e] for e in names])
    ratios = values[:, list(_EXPECTATION_COLUMNS.values())] / limits
    best = ratios.argmax(axis=1)
    return [names[b] if ratio[b] >= 1 else "none" for b, ratio in zip(best, ratios, strict=True)]
