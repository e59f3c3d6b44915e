"""Labels as numbers: what each head of the linear classifier has to learn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gapnlp.records.labels import (
    CHURN,
    HEADS,
    Labels,
    dimension_label,
    expectation_label,
    gap_label,
    presence_label,
    sentiment_label,
)

_COLUMN = {head: i for i, head in enumerate(HEADS)}


def target_matrix(labels: Sequence[Labels]) -> NDArray[np.int8]:
    """1 where a head should say yes, shape (n_segments, n_first_heads)."""
    targets = np.zeros((len(labels), len(HEADS)), dtype=np.int8)
    for row, label in zip(targets, labels, strict=True):
        for head in _heads(label):
            row[_COLUMN[head]] = 1
    return targets


def _heads(labels: Labels) -> list[str]:
    heads = [sentiment_label(labels.sentiment), *(gap_label(g) for g in labels.gaps)]
    for dimension, polarity in labels.dimensions.items():
        heads += [dimension_label(dimension, polarity), presence_label(dimension)]
    if labels.expectation != "none":
        heads.append(expectation_label(labels.expectation))
    if labels.churn:
        heads.append(CHURN)
    return heads
