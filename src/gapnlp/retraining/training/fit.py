"""One fit of an adapter's weights: L-BFGS on the objective, penalised towards what is known already."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import minimize

from gapnlp.classifier.linear import POLARITY_SLICES, SENTIMENT_SLICE
from gapnlp.records.labels import LABELS
from gapnlp.retraining.training.bags import NOT_GIVEN, Truth
from gapnlp.retraining.training.objective import BagTargets, bag_loss, replay_loss

Matrix = NDArray[np.float64]
# Of either answer, before a head is learnt.
FEWEST = 5
# Weight of all replayed segments together, as a share of the tickets that judge a head. On top of the fast English
# bundle, 1,000 airline tweets cost the development split 2.5 points of headline F1 with 0.3, 1.4 with 1 and 0.8 with 3;
# on 1,000 other tweets macro F1 was 0.631, 0.624 and 0.616 (the base: 0.561).
REPLAY_SHARE = 1.0
# Penalty on the bias: it keeps the bias finite, and no more.
_BIAS_PENALTY = 1e-3
_MOST_STEPS = 80
# Segments up to which n-grams are rotated into as many columns as there are segments: exact, dense, and faster.
_MOST_ROTATED = 4_500
_JITTER = 1e-6


@dataclass(frozen=True, slots=True)
class Penalties:
    """How strongly weights are held: of signals (log-odds) and of n-grams. Half of it times the squared weight."""

    signals: float
    ngrams: float


@dataclass(frozen=True, slots=True)
class Problem:
    """All that is fitted to: the segments of bags, then those of replayed items.

    features: (n_rows, n_signals + n_columns), dense or sparse. signals: how many columns are signals. offset:
    log-odds that are corrected, (n_rows, 33). before: the base's log-odds of replayed rows. heads: columns that are
    learnt. targets: of the bags.
    """

    features: Matrix | sp.csr_matrix
    signals: int
    offset: Matrix
    before: Matrix
    heads: NDArray[np.intp]
    targets: BagTargets

    def take(self, bags: NDArray[np.bool_]) -> Problem:
        """Keep some bags, and all that is replayed."""
        rows = np.concatenate([np.repeat(bags, self.targets.lengths), np.ones(len(self.before), dtype=bool)])
        return Problem(
            self.features[rows], self.signals, self.offset[rows], self.before, self.heads, self.targets.take(bags)
        )


@dataclass(frozen=True, slots=True)
class Weights:
    """What a fit found: (n_heads, n_columns of the problem) and (n_heads,), for the problem's heads."""

    weights: Matrix
    bias: Matrix

    def logits(self, problem: Problem) -> Matrix:
        """Log-odds of all rows, corrected, (n_rows, 33)."""
        found = problem.offset.copy()
        found[:, problem.heads] += problem.features @ self.weights.T + self.bias
        return found


def learnable(truth: Truth) -> NDArray[np.bool_]:
    """Which heads can be learnt, (33,): a softmax when two of its classes were seen often enough, else both answers.

    Whether a dimension is judged is also learnt from one polarity alone, asserted and denied: a list of complaints
    names faults, never praise.
    """
    yes, no = (truth == 1).sum(axis=0) >= FEWEST, (truth == 0).sum(axis=0) >= FEWEST
    found: NDArray[np.bool_] = yes & no
    for columns in (*POLARITY_SLICES, SENTIMENT_SLICE):
        found[columns] = yes[columns].sum() >= 2
    for i, columns in enumerate(POLARITY_SLICES):
        found[len(LABELS) + i] |= bool((yes & no)[columns].any())
    return found


def rotate(ngrams: sp.csr_matrix) -> Matrix | sp.csr_matrix:
    """Give features with the same products between rows, as few columns as rows; sparse ones where rows are many.

    A penalised linear fit depends on products between rows alone (Schölkopf et al. 2001), so nothing is lost.
    """
    if not 0 < ngrams.shape[0] <= min(_MOST_ROTATED, ngrams.shape[1]):
        return ngrams
    products = (ngrams @ ngrams.T).toarray()
    products[np.diag_indices_from(products)] += _JITTER
    rotated: Matrix = scipy.linalg.cholesky(products, lower=True)
    return rotated


def unrotate(weights: Matrix, rotated: Matrix | sp.csr_matrix, ngrams: sp.csr_matrix) -> Matrix:
    """Turn weights of rotated columns into weights of n-grams, (n_heads, n_ngrams)."""
    if sp.issparse(rotated):
        return weights
    return np.asarray(scipy.linalg.solve_triangular(rotated, weights.T, lower=True, trans="T").T @ ngrams)


def join_features(signals: Matrix, ngrams: Matrix | sp.csr_matrix) -> Matrix | sp.csr_matrix:
    """Put signals before n-grams."""
    if sp.issparse(ngrams):
        return sp.hstack([sp.csr_matrix(signals), ngrams], format="csr")
    return np.hstack([signals, ngrams])


def fit_weights(problem: Problem, penalties: Penalties, start: Weights | None = None) -> Weights:
    """Find the weights that lose least. start: where to begin, which saves steps and changes nothing else."""
    shape = (len(problem.heads), problem.features.shape[1])
    column = np.full(shape[1], penalties.ngrams)
    column[: problem.signals] = penalties.signals
    root = np.sqrt(column)  # weights times this are all held alike, which L-BFGS wants
    replay = _replay_weights(problem)

    def loss(flat: Matrix) -> tuple[float, Matrix]:
        found = Weights(flat[: -shape[0]].reshape(shape) / root, flat[-shape[0] :])
        value, gradient = _loss(problem, found, replay)
        by_bias = gradient.sum(axis=0) + _BIAS_PENALTY * found.bias
        by_weight = np.asarray(gradient.T @ problem.features) / root
        held = 0.5 * (flat[: -shape[0]] @ flat[: -shape[0]]) + 0.5 * _BIAS_PENALTY * (found.bias @ found.bias)
        return float(value + held), np.concatenate([by_weight.ravel() + flat[: -shape[0]], by_bias])

    first = np.zeros(shape[0] * (shape[1] + 1))
    if start is not None:
        first = np.concatenate([(start.weights * root).ravel(), start.bias])
    options = {"maxiter": _MOST_STEPS, "maxcor": 10, "ftol": 1e-6, "gtol": 1e-4}
    best = minimize(loss, first, jac=True, method="L-BFGS-B", options=options).x
    return Weights(best[: -shape[0]].reshape(shape) / root, best[-shape[0] :])


def _loss(problem: Problem, weights: Weights, replay: Matrix) -> tuple[float, Matrix]:
    """Sum what the data loses, and its gradient by row and learnt head."""
    logits = weights.logits(problem)
    own = len(logits) - len(problem.before)
    losses, by_bag = bag_loss(logits[:own], problem.targets)
    kept, by_replay = replay_loss(logits[own:], problem.before, replay)
    return float(losses.sum()) + kept, np.vstack([by_bag, by_replay])[:, problem.heads]


def _replay_weights(problem: Problem) -> Matrix:
    """Weigh each head's replayed segments by how many tickets judge it, (33,); heads that are not learnt have none."""
    given = problem.targets.truth != NOT_GIVEN
    counts = given.sum(axis=0).astype(float)
    for columns in (*POLARITY_SLICES, SENTIMENT_SLICE):
        counts[columns] = given[:, columns].any(axis=1).sum()
    for i, columns in enumerate(POLARITY_SLICES):
        counts[len(LABELS) + i] = max(counts[len(LABELS) + i], counts[columns.start])
    learnt = np.zeros(len(counts))
    learnt[problem.heads] = 1
    weights: Matrix = REPLAY_SHARE * counts * learnt / max(len(problem.before), 1)
    return weights
