"""Fitting the linear classifier to labelled rows, with out-of-fold answers for all that is built on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from gapnlp.classifier.context import context_features
from gapnlp.classifier.features import FEATURES, FeatureSpec, encode, new_vectorizer
from gapnlp.classifier.linear import combine
from gapnlp.records.labels import LABELS
from gapnlp.text.normalise import normalise
from training.auxiliary import Auxiliary
from training.material import Material
from training.share_errors import held_out_domains
from training.stages import Linear, fit_auxiliary, fit_first, fit_second, folds, join

# Rows of public sets that an n-gram must occur in, to be kept though the labelled rows have it less than twice.
_AUXILIARY_MIN_DF = 20

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LinearFit:
    """What was fitted, and what it says of rows that it had not seen.

    features: n-grams, (n_rows, n_features). context: stage one's answers out of fold, in context and standardised,
    (n_rows, n_context). centre, scale: of the context, (n_context,). values: stage two's probabilities out of fold,
    columns as LABELS.
    """

    vectorizers: tuple[TfidfVectorizer, ...]
    features: sp.csr_matrix
    auxiliary: list[Linear]
    first: Linear
    context: Matrix
    centre: Matrix
    scale: Matrix
    second: Linear
    values: Matrix


def fit_linear(train: Material, further: Sequence[Auxiliary]) -> LinearFit:
    """Fit both stages; stage two, being what calibrates, on text by customers alone."""
    texts = {head.name: [normalise(t, train.language) for t in head.texts] for head in further}
    public = sorted({t for x in texts.values() for t in x})
    vectorizers = _fit_vectorizers(FEATURES[train.language], train.texts, public)
    features = encode(vectorizers, train.texts)
    auxiliary = [fit_auxiliary(encode(vectorizers, texts[h.name]), h.targets) for h in further]
    raw = context_features(_out_of_fold_first(features, train, auxiliary), train.texts, train.lengths)
    centre, scale = raw[train.real].mean(axis=0), np.maximum(raw[train.real].std(axis=0), 1e-6)
    context = (raw - centre) / scale
    return LinearFit(
        vectorizers=vectorizers,
        features=features,
        auxiliary=auxiliary,
        first=join(fit_first(features, train.targets), auxiliary),
        context=context,
        centre=centre,
        scale=scale,
        second=fit_second(context[train.real], train.targets[train.real]),
        values=out_of_fold_second(context, train),
    )


def eight_bits(weights: Matrix) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Stage one's weights (n_heads, n_features) as a bundle keeps them: whole numbers, and a scale an n-gram."""
    scale = (np.maximum(np.abs(weights).max(axis=0), 1e-6) / 127).astype(np.float32)
    return np.rint(weights / scale).astype(np.int8), scale


def out_of_fold_second(features: Matrix, train: Material) -> Matrix:
    """Probabilities of a second stage on rows that it was not fitted on, columns as LABELS."""
    values = np.zeros((len(train.texts), len(LABELS)))
    for held in folds(train.items):
        rows = ~held & train.real
        values[held] = combine(fit_second(features[rows], train.targets[rows]).logits(features[held]))
    return values


def out_of_domain(fit: LinearFit, train: Material) -> Matrix:
    """Probabilities of each domain's segments by a classifier that saw no label of that domain.

    Domains too small or too large to hold out keep the probabilities out of fold.
    """
    values = fit.values.copy()
    for domain in held_out_domains(train.domains[train.real]):
        held = train.domains == domain
        first = join(fit_first(fit.features[~held], train.targets[~held]), fit.auxiliary)
        places = [i for i, r in enumerate(train.records) if (r.domain or "") == domain]
        texts = [t for t, h in zip(train.texts, held, strict=True) if h]
        fresh = context_features(first.logits(fit.features[held]), texts, [train.lengths[i] for i in places])
        rows = ~held & train.real
        second = fit_second(fit.context[rows], train.targets[rows])
        values[held] = combine(second.logits((fresh - fit.centre) / fit.scale))
    return values


def _fit_vectorizers(
    specs: Sequence[FeatureSpec], labelled: Sequence[str], public: Sequence[str]
) -> tuple[TfidfVectorizer, ...]:
    """Learn the vocabulary from labelled and public texts: frequent in either is enough."""
    fitted = []
    for spec in specs:
        terms = set(new_vectorizer(spec).fit(labelled).vocabulary_)
        rare = replace(spec, min_df=_AUXILIARY_MIN_DF)
        terms |= set(new_vectorizer(rare).fit(public).vocabulary_) if len(public) >= _AUXILIARY_MIN_DF else set()
        vocabulary = {term: i for i, term in enumerate(sorted(terms))}
        fitted.append(new_vectorizer(spec).set_params(vocabulary=vocabulary).fit([*labelled, *public]))
    return tuple(fitted)


def _out_of_fold_first(features: sp.csr_matrix, train: Material, auxiliary: Sequence[Linear]) -> Matrix:
    logits = np.zeros((len(train.texts), train.targets.shape[1] + len(auxiliary)))
    for held in folds(train.items):
        layer = join(fit_first(features[~held], train.targets[~held]), auxiliary)
        logits[held] = layer.logits(features[held])
    return logits
