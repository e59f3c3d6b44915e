"""TF-IDF and logistic regression: the baseline that the gold data's README gives, with the same settings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_union

from benchmarks.quality.peers.peer import Values
from benchmarks.quality.splits import Rows
from gapnlp.records.labels import (
    CHURN,
    DIMENSIONS,
    EXPECTATIONS,
    GAPS,
    LABEL_INDEX,
    LABELS,
    POLARITIES,
    SENTIMENTS,
    dimension_label,
    expectation_label,
    gap_label,
    sentiment_label,
)


def score_tfidf(train: Rows, texts: Sequence[str]) -> Values:
    """Character 2-5-grams and word 1-2-grams, one balanced logistic regression a label, no tuning.

    A dimension has one model for whether it is judged, and one for its polarity where it is.
    """
    features = make_union(
        TfidfVectorizer(analyzer="char", ngram_range=(2, 5), min_df=2, sublinear_tf=True),
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
    )
    seen, new = features.fit_transform(train.texts), features.transform(texts)
    values = np.zeros((len(texts), len(LABELS)))
    for column, target in _yes_no_targets(train).items():
        values[:, column] = _probabilities(seen, np.asarray(target), new, [False, True])[:, 1]
    sentiments = np.asarray([x.sentiment for x in train.labels])
    columns = [LABEL_INDEX[sentiment_label(s)] for s in SENTIMENTS]
    values[:, columns] = _probabilities(seen, sentiments, new, SENTIMENTS)
    for d in DIMENSIONS:
        judged = np.asarray([d in x.dimensions for x in train.labels])
        polarities = np.asarray([x.dimensions[d] for x in train.labels if d in x.dimensions])
        presence = _probabilities(seen, judged, new, [False, True])[:, 1]
        columns = [LABEL_INDEX[dimension_label(d, p)] for p in POLARITIES]
        values[:, columns] = presence[:, None] * _probabilities(seen[judged], polarities, new, POLARITIES)
    return values


def _yes_no_targets(train: Rows) -> dict[int, list[bool]]:
    found = {gap_label(g): [g in x.gaps for x in train.labels] for g in GAPS}
    found |= {expectation_label(e): [x.expectation == e for x in train.labels] for e in EXPECTATIONS if e != "none"}
    found[CHURN] = [x.churn for x in train.labels]
    return {LABEL_INDEX[name]: target for name, target in found.items()}


def _probabilities(seen: sp.csr_matrix, target: Values, new: sp.csr_matrix, classes: Sequence[object]) -> Values:
    """Probability of each class, shape (n_texts, n_classes); 0 for a class that train does not hold."""
    values = np.zeros((new.shape[0], len(classes)))
    found = np.unique(target)
    if len(found) < 2:
        for known in found:
            values[:, classes.index(known.item())] = 1.0
        return values
    model = LogisticRegression(class_weight="balanced", solver="lbfgs", max_iter=300).fit(seen, target)
    values[:, [classes.index(c.item()) for c in model.classes_]] = model.predict_proba(new)
    return values
