"""Cuts of learnt heads: where a probability becomes a label, from answers on tickets that were not seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gapnlp.classifier.decision import Thresholds
from gapnlp.classifier.linear import FIRST_HEADS, POLARITY_SLICES
from gapnlp.records.labels import (
    CHURN,
    DIMENSIONS,
    EXPECTATIONS,
    GAPS,
    LABELS,
    SENTIMENTS,
    expectation_label,
    gap_label,
    presence_label,
)
from gapnlp.retraining.training.bags import NOT_GIVEN, Truth, pool_values, starts_of, with_presence

Matrix = NDArray[np.float64]
NEVER = 1.01


def choose_cuts(values: Matrix, lengths: NDArray[np.intp], truth: Truth, learnt: NDArray[np.bool_]) -> Thresholds:
    """Choose the cut of every learnt head; others never speak.

    values: probabilities of segments, columns as LABELS. lengths: segments of each bag. truth: (n_bags, 33).
    """
    highest = np.maximum.reduceat(with_presence(values), starts_of(lengths), axis=0)
    pooled = pool_values(values, lengths)
    cuts = {
        head: expected_f1_cut(highest[truth[:, j] != NOT_GIVEN, j], pooled[truth[:, j] != NOT_GIVEN, j])
        if learnt[j]
        else NEVER
        for j, head in enumerate(FIRST_HEADS)
    }
    for i, dimension in enumerate(DIMENSIONS):
        if learnt[len(LABELS) + i] and not (truth[:, len(LABELS) + i] == 0).any():
            cuts[presence_label(dimension)] = _cut_by_polarity(values, lengths, truth, i)
    return Thresholds(
        presence={d: cuts[presence_label(d)] for d in DIMENSIONS},
        gaps={g: cuts[gap_label(g)] for g in GAPS},
        expectations={e: cuts[expectation_label(e)] for e in EXPECTATIONS if e != "none"},
        sentiment=(1.0,) * len(SENTIMENTS),
        churn=cuts[CHURN],
    )


def _cut_by_polarity(values: Matrix, lengths: NDArray[np.intp], truth: Truth, dimension: int) -> float:
    """Cut a dimension of which only polarities were asked, by the F1 of those.

    A ticket has one where it is the likeliest polarity of a segment in which the dimension is judged.
    """
    columns = POLARITY_SLICES[dimension]
    denied = (truth[:, columns] == 0) & (truth[:, [len(LABELS) + dimension]] == NOT_GIVEN)
    asked = np.flatnonzero(denied.any(axis=0))
    judged = (truth[:, columns][:, asked] != NOT_GIVEN).any(axis=1)
    part = values[:, columns]
    said = np.where(np.isin(part.argmax(axis=1), asked), part.sum(axis=1), 0.0)
    highest = np.maximum.reduceat(said, starts_of(lengths))
    pooled = 1 - np.prod(1 - pool_values(values, lengths)[:, columns][:, asked], axis=1)
    return expected_f1_cut(highest[judged], pooled[judged])


def expected_f1_cut(highest: Matrix, pooled: Matrix) -> float:
    """Find the cut at which F1 is expected to peak, were the probabilities right (Lipton et al. 2014).

    highest: the likeliest segment of each ticket, which the cut is held against. pooled: the ticket's own probability.
    """
    if not len(highest):
        return NEVER
    order = np.argsort(-highest, kind="stable")
    hits = np.cumsum(pooled[order])
    expected = 2 * hits / (np.arange(1, len(order) + 1) + hits[-1])
    return cut_between(highest[order], int(expected.argmax()))


def cut_between(ranked: Matrix, last: int) -> float:
    """Cut between the last ticket that is taken and the next, to six digits; ranked: highest first."""
    following = ranked[last + 1] if last + 1 < len(ranked) else ranked[last]
    return max(round(float(ranked[last] + following) / 2, 6), 1e-6)
