"""Fitting the linear classifier's two stages, with out-of-fold predictions for all that is chosen afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from gapnlp.records.labels import DIMENSIONS, HEADS, LABELS, POLARITIES, SENTIMENTS

Matrix = NDArray[np.float64]
Targets = NDArray[np.int8]

FOLDS = 5
# Chosen on out-of-fold predictions over all three languages (see docs/classifier.md).
FIRST_C = 8.0
AUXILIARY_C = 2.0
SECOND_C = 0.01
# Log-odds of a head that had too few examples to learn, and of a class that never occurred.
_NEVER = -6.0
_FEWEST = 5


@dataclass(frozen=True, slots=True)
class Linear:
    """Weights (n_heads, n_features) and biases (n_heads,) of one layer."""

    weights: Matrix
    bias: Matrix

    def logits(self, features: Matrix) -> Matrix:
        """Log-odds, shape (n_rows, n_heads)."""
        return np.asarray(features @ self.weights.T + self.bias)


def folds(items: NDArray[np.intp]) -> Iterator[NDArray[np.bool_]]:
    """Which rows each fold holds out; all segments of an item share a fold."""
    for fold in range(FOLDS):
        yield items % FOLDS == fold


def fit_first(features: sp.csr_matrix, targets: Targets) -> Linear:
    """One logistic regression per head on n-gram features."""
    return _stack([_fit_sparse(features, targets[:, j], FIRST_C) for j in range(targets.shape[1])])


def fit_auxiliary(features: sp.csr_matrix, target: Sequence[bool]) -> Linear:
    """Fit a further head, trained on its own rows."""
    return _fit_sparse(features, np.asarray(target, dtype=np.int8), AUXILIARY_C)


def _fit_sparse(features: sp.csr_matrix, target: Targets, c: float) -> Linear:
    if target.sum() < _FEWEST:
        return Linear(np.zeros((1, features.shape[1])), np.array([_NEVER]))
    # liblinear's dual solver: fast on sparse rows, and the same bytes every time for a fixed seed.
    model = LogisticRegression(solver="liblinear", dual=True, C=c, max_iter=300, random_state=0)
    model.fit(features, target)
    return Linear(model.coef_, model.intercept_)


def fit_second(context: Matrix, targets: Targets) -> Linear:
    """Calibrated heads on standardised context features.

    Polarity is learnt only where the dimension is judged; polarity and sentiment are multinomial.
    """
    layer = Linear(np.zeros((len(HEADS), context.shape[1])), np.full(len(HEADS), _NEVER))
    groups = _multinomial_groups()
    grouped = {column for columns, _ in groups for column in columns}
    for j in range(len(HEADS)):
        if j not in grouped and _FEWEST <= targets[:, j].sum() < len(targets):
            model = LogisticRegression(C=SECOND_C, max_iter=2000).fit(context, targets[:, j])
            layer.weights[j], layer.bias[j] = model.coef_[0], model.intercept_[0]
    for columns, presence in groups:
        rows = slice(None) if presence is None else targets[:, presence] == 1
        _fit_multinomial(layer, context[rows], targets[rows][:, columns].argmax(axis=1), columns)
    return layer


def _multinomial_groups() -> list[tuple[list[int], int | None]]:
    """Columns of each softmax, and the presence head that says on which rows it is learnt."""
    start = LABELS.index(f"sentiment:{SENTIMENTS[0]}")
    groups: list[tuple[list[int], int | None]] = [(list(range(start, start + len(SENTIMENTS))), None)]
    for i in range(len(DIMENSIONS)):
        groups.append((list(range(i * len(POLARITIES), (i + 1) * len(POLARITIES))), len(LABELS) + i))
    return groups


def _fit_multinomial(layer: Linear, context: Matrix, target: NDArray[np.intp], columns: list[int]) -> None:
    classes = np.unique(target)
    if len(classes) < 2:  # nothing to tell apart: the one class that occurs, if any, is always the answer
        layer.bias[[columns[k] for k in classes]] = -_NEVER
        return
    model = LogisticRegression(C=SECOND_C, max_iter=2000).fit(context, target)
    weights, bias = model.coef_, model.intercept_
    if len(model.classes_) == 2:  # then scikit-learn gives one row, of the second class against the first
        weights, bias = np.vstack([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
    for k, row, intercept in zip(model.classes_, weights, bias, strict=True):
        layer.weights[columns[k]], layer.bias[columns[k]] = row, intercept


def _stack(layers: Sequence[Linear]) -> Linear:
    return Linear(np.vstack([x.weights for x in layers]), np.concatenate([x.bias for x in layers]))


def join(first: Linear, further: Sequence[Linear]) -> Linear:
    """Put further heads below the first ones."""
    return _stack([first, *further])
