"""Logistic regression on a set's own labels, by cross-validation: on n-grams, on our probabilities, on both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from gapnlp.classifier.features import FEATURES, encode, new_vectorizer

Matrix = NDArray[np.float64]
Targets = NDArray[np.bool_]
FEATURE_SETS = ("n-grams", "ours", "ours + n-grams")
_C = 4.0


def learn_by_folds(
    texts: Sequence[str], language: str, *, targets: Targets, folds: NDArray[np.intp], features: Sequence[Matrix]
) -> dict[str, Matrix]:
    """Scores of every row by models that did not learn from its fold: feature set -> (n_rows, n_columns), yes above 0.

    targets: (n_rows, n_columns). features: for each fold, what our classifier of that fold says of all rows,
    (n_rows, n_features): so neither the row's label nor, through gold, its text is known to the model that judges it.
    """
    scores = {name: np.zeros(targets.shape) for name in FEATURE_SETS}
    for fold, ours in enumerate(features):
        held = folds == fold
        if not held.any() or held.all():
            continue
        for name, (seen, new) in _feature_sets(texts, language, held, ours).items():
            scores[name][held] = np.column_stack([_learn(seen, target[~held], new) for target in targets.T])
    return scores


def _feature_sets(
    texts: Sequence[str], language: str, held: Targets, ours: Matrix
) -> Mapping[str, tuple[sp.csr_matrix, sp.csr_matrix]]:
    seen, new = _n_grams(_taken(texts, ~held), _taken(texts, held), language)
    scale = StandardScaler().fit(ours[~held])
    # Rows of about length one, like those of the n-grams: one C serves both.
    dense = sp.csr_matrix(scale.transform(ours) / np.sqrt(ours.shape[1]))
    own, own_new = dense[~held], dense[held]
    both = (sp.hstack([seen, own], format="csr"), sp.hstack([new, own_new], format="csr"))
    return dict(zip(FEATURE_SETS, ((seen, new), (own, own_new), both), strict=True))


def _n_grams(seen: Sequence[str], new: Sequence[str], language: str) -> tuple[sp.csr_matrix, sp.csr_matrix]:
    vectorizers = [new_vectorizer(spec).fit(seen) for spec in FEATURES[language]]
    return encode(vectorizers, seen), encode(vectorizers, new)


def _taken(texts: Sequence[str], where: Targets) -> list[str]:
    return [t for t, here in zip(texts, where, strict=True) if here]


def _learn(seen: sp.csr_matrix, target: Targets, new: sp.csr_matrix) -> Matrix:
    if target.all() or not target.any():
        return np.full(new.shape[0], 1.0 if target.all() else -1.0)
    model = LogisticRegression(solver="liblinear", dual=True, C=_C, max_iter=300, random_state=0)
    return np.asarray(model.fit(seen, target).decision_function(new))
