"""What training minimises: how unlikely labelled tickets and replayed answers are, with the gradient.

A bag's likelihood counts the labels given alone. Of one dimension it is exact, not a product over labels that imply
each other: a segment is silent, or has one of three polarities, and S(X), the probability that no segment has a
polarity of the set X, is a product over segments; any answer is a signed sum of S over the eight sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, combinations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, softmax

from gapnlp.classifier.linear import FIRST_HEADS, POLARITY_SLICES, SENTIMENT_SLICE
from gapnlp.records.labels import LABELS, POLARITIES
from gapnlp.retraining.training.bags import SINGLE_HEADS, Truth, label_columns, starts_of

Matrix = NDArray[np.float64]

_SINGLE = label_columns(SINGLE_HEADS)
# Every set of polarities, as rows of 0 and 1.
_SETS = [frozenset(c) for n in range(len(POLARITIES) + 1) for c in combinations(range(len(POLARITIES)), n)]
_MEMBERS = np.asarray([[float(p in x) for p in range(len(POLARITIES))] for x in _SETS])
_PLACE = {x: i for i, x in enumerate(_SETS)}
# The least probability that a logarithm is taken of.
_LEAST = 1e-12


@dataclass(frozen=True, slots=True)
class BagTargets:
    """What is known of bags, made ready for the loss.

    lengths: segments of each bag, (n_bags,). truth: (n_bags, 33). dimensions: of each dimension the factor of S(X),
    (n_bags, 8). sentiments: which the bag may have, (n_bags, 4).
    """

    lengths: NDArray[np.intp]
    truth: Truth
    dimensions: tuple[Matrix, ...]
    sentiments: Matrix

    def take(self, bags: NDArray[np.bool_]) -> BagTargets:
        """Keep some bags."""
        kept = tuple(d[bags] for d in self.dimensions)
        return BagTargets(self.lengths[bags], self.truth[bags], kept, self.sentiments[bags])


def bag_targets(truth: Truth, lengths: NDArray[np.intp]) -> BagTargets:
    """Make targets of labels given as 1, 0 or NOT_GIVEN, columns as FIRST_HEADS."""
    dimensions = tuple(
        np.asarray([_factors(row[columns], row[len(LABELS) + i], n) for row, n in zip(truth, lengths, strict=True)])
        for i, columns in enumerate(POLARITY_SLICES)
    )
    given = truth[:, SENTIMENT_SLICE]
    some = (given == 1).any(axis=1, keepdims=True)
    return BagTargets(lengths, truth, dimensions, np.where(some, given == 1, given != 0).astype(float))


def _factors(polarities: Truth, presence: int, segments: int) -> Matrix:
    """Say by which factors the probability of an answer is a sum of S(X).

    More polarities than segments cannot be: then the dimension is judged, and how is left open.
    """
    factors = np.zeros(len(_SETS))
    asserted = [i for i, p in enumerate(polarities) if p == 1]
    denied = frozenset(i for i, p in enumerate(polarities) if p == 0)
    if len(asserted) > segments:
        asserted, denied, presence = [], frozenset(), 1
    everything = _SETS[-1]
    if not asserted and presence == 1 and denied != everything:  # judged, but with none of the denied ones
        factors[_PLACE[denied]], factors[-1] = 1.0, -1.0
    elif not asserted:
        factors[_PLACE[everything if presence == 0 else denied]] = 1.0
    for n in range(len(asserted) + 1) if asserted else ():  # each asserted one occurs: inclusion and exclusion
        for absent in combinations(asserted, n):
            factors[_PLACE[denied | frozenset(absent)]] += (-1.0) ** n
    return factors


def bag_loss(logits: Matrix, targets: BagTargets) -> tuple[Matrix, Matrix]:
    """How unlikely the bags' labels are: minus log-likelihood by bag and group, and its gradient by segment.

    logits: (n_segments, 33), bags one after the other. Returns (n_bags, 15): single heads, dimensions, sentiment; and
    the gradient of the sum, (n_segments, 33).
    """
    gradient = np.zeros_like(logits)
    starts, bag = starts_of(targets.lengths), np.repeat(np.arange(len(targets.lengths)), targets.lengths)
    losses = [_single_loss(logits, targets.truth[:, _SINGLE], starts, bag, gradient)]
    for i, columns in enumerate(POLARITY_SLICES):
        losses.append(_dimension_loss(logits, targets.dimensions[i], (len(LABELS) + i, columns), starts, gradient))
    losses.append(_sentiment_loss(logits, targets, starts, bag, gradient))
    return np.column_stack(losses), gradient


def _single_loss(
    logits: Matrix, truth: Truth, starts: NDArray[np.intp], bag: NDArray[np.intp], gradient: Matrix
) -> Matrix:
    """Yes/no heads: a bag has the label unless all of its segments are without it."""
    none = np.minimum(np.add.reduceat(log_expit(-logits[:, _SINGLE]), starts, axis=0), -_LEAST)
    loss = np.where(truth == 1, -np.log(-np.expm1(none)), np.where(truth == 0, -none, 0.0))
    slope = np.where(truth == 1, -1.0 / np.expm1(-none), np.where(truth == 0, 1.0, 0.0))
    gradient[:, _SINGLE] = slope[bag] * expit(logits[:, _SINGLE])
    return np.asarray(loss)


def _dimension_loss(
    logits: Matrix, factors: Matrix, heads: tuple[int, slice], starts: NDArray[np.intp], gradient: Matrix
) -> Matrix:
    """One dimension: its presence head and the softmax of its polarities."""
    head, columns = heads
    presence, polarity = expit(logits[:, head])[:, None], softmax(logits[:, columns], axis=1)
    within = polarity @ _MEMBERS.T
    outside = np.maximum(1 - presence * within, _LEAST)
    none = np.exp(np.add.reduceat(np.log(outside), starts, axis=0))
    probability = np.maximum((factors * none).sum(axis=1), _LEAST)
    known = (factors[:, 1:] != 0).any(axis=1)  # of nothing given, S of the empty set alone is asked
    slope = np.where(known[:, None], -factors * none / probability[:, None], 0.0)
    lengths = np.diff([*starts, len(logits)])
    by_set = -np.repeat(slope, lengths, axis=0) / outside
    by_presence = (by_set * within).sum(axis=1, keepdims=True)
    by_polarity = (by_set * presence) @ _MEMBERS
    gradient[:, [head]] = by_presence * presence * (1 - presence)
    gradient[:, columns] = _through_softmax(by_polarity, polarity)
    return np.where(known, -np.log(probability), 0.0)


def _sentiment_loss(
    logits: Matrix, targets: BagTargets, starts: NDArray[np.intp], bag: NDArray[np.intp], gradient: Matrix
) -> Matrix:
    """Sentiment: mean over segments of the softmax, over those that the bag may have."""
    shares = softmax(logits[:, SENTIMENT_SLICE], axis=1)
    lengths = targets.lengths[:, None].astype(float)
    allowed = targets.sentiments
    means = np.add.reduceat(shares, starts, axis=0) / lengths
    open_: NDArray[np.bool_] = np.isin(allowed.sum(axis=1), (0, allowed.shape[1]))
    probability = np.where(open_, 1.0, np.maximum((allowed * means).sum(axis=1), _LEAST))
    slope = np.where(open_[:, None], 0.0, -allowed / probability[:, None] / lengths)
    gradient[:, SENTIMENT_SLICE] = _through_softmax(slope[bag], shares)
    found: Matrix = -np.log(probability)
    return found


def _through_softmax(by_share: Matrix, shares: Matrix) -> Matrix:
    found: Matrix = shares * (by_share - (by_share * shares).sum(axis=1, keepdims=True))
    return found


def replay_loss(logits: Matrix, before: Matrix, weights: Matrix) -> tuple[float, Matrix]:
    """How far answers have moved from the base's on written texts: cross-entropy less its least, and the gradient.

    logits, before: (n_segments, 33) log-odds now and of the base. weights: of each head, (33,); softmaxes take the
    weight of their first head.
    """
    gradient = np.zeros_like(logits)
    yes_no = np.concatenate([_SINGLE, np.arange(len(LABELS), len(FIRST_HEADS))])
    z, target = logits[:, yes_no], expit(before[:, yes_no])
    part = -(target * log_expit(z) + (1 - target) * log_expit(-z))
    loss = float((part.sum(axis=0) * weights[yes_no]).sum())
    gradient[:, yes_no] = (expit(z) - target) * weights[yes_no]
    for columns, share in _softmaxes(before):
        goal, found = softmax(before[:, columns], axis=1), softmax(logits[:, columns], axis=1)
        weight = weights[columns.start] * share
        loss -= float((weight * goal * np.log(np.maximum(found, 1e-300))).sum())
        gradient[:, columns] = weight * (found - goal)
    return loss, gradient


def _softmaxes(before: Matrix) -> list[tuple[slice, Matrix]]:
    """Give each softmax's columns, and how much it matters by segment: a polarity as far as its dimension is judged."""
    judged = expit(before[:, len(LABELS) :])
    groups = [(columns, judged[:, [i]]) for i, columns in enumerate(POLARITY_SLICES)]
    return list(chain(groups, [(SENTIMENT_SLICE, np.ones((len(before), 1)))]))
