"""From what was said of segments to a problem of numbers, and from its solution back to an adapter's weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from gapnlp.classifier.adapted import Adapter, signal_features
from gapnlp.classifier.linear import logits_of
from gapnlp.records.labels import HEADS
from gapnlp.retraining.training.asking import Said
from gapnlp.retraining.training.bags import Bags
from gapnlp.retraining.training.fit import Problem, Weights, join_features, learnable, rotate, unrotate
from gapnlp.retraining.training.ngrams import carry_over, encode_ngrams, fit_ngrams
from gapnlp.retraining.training.objective import bag_targets

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Further:
    """Signals beside the base's log-odds: names of the columns, and (n_segments, n_names).

    logits: of the tickets' segments. replay: of the replayed ones.
    """

    names: tuple[str, ...]
    logits: Matrix
    replay: Matrix


@dataclass(frozen=True, slots=True)
class Lesson:
    """All that is learnt from: tickets as bags, what the base said of them and of texts to be replayed.

    factors: of the base, on sentiments.
    """

    language: str
    bags: Bags
    own: Said
    replay: Said
    further: Further
    prior: Adapter | None
    factors: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """Weights that new ones are held to: zeros, or those of an earlier adapter; heads as HEADS."""

    signals: Matrix
    ngrams: Matrix
    bias: Matrix


@dataclass(frozen=True, slots=True)
class Design:
    """The problem, and how its columns came about. rotated: the n-grams' part of the features."""

    problem: Problem
    vectorizers: tuple[TfidfVectorizer, ...]
    ngrams: sp.csr_matrix
    rotated: Matrix | sp.csr_matrix
    centre: Matrix
    scale: Matrix
    held: Held


def make_design(lesson: Lesson) -> Design:
    """Build the problem: the tickets' segments, then the replayed ones."""
    before = np.vstack([logits_of(lesson.own.values), logits_of(lesson.replay.values)])
    raw = np.hstack([before, np.vstack([lesson.further.logits, lesson.further.replay])])
    centre, scale = _standard(raw[: len(lesson.own.values)], lesson)
    signals = signal_features(raw, [*lesson.own.lengths, *lesson.replay.lengths], centre=centre, scale=scale)
    vectorizers = fit_ngrams(lesson.bags, lesson.language, lesson.prior)
    ngrams = encode_ngrams(vectorizers, [*lesson.own.texts, *lesson.replay.texts])
    rotated = rotate(ngrams)
    held = _held(lesson, vectorizers)
    problem = Problem(
        features=join_features(signals, rotated),
        signals=signals.shape[1],
        offset=before + signals @ held.signals.T + np.asarray(ngrams @ held.ngrams.T) + held.bias,
        before=before[len(lesson.own.values) :],
        heads=np.flatnonzero(learnable(lesson.bags.truth)),
        targets=bag_targets(lesson.bags.truth, lesson.bags.lengths),
    )
    return Design(problem, vectorizers, ngrams, rotated, centre, scale, held)


def final_weights(design: Design, found: Weights) -> tuple[Matrix, NDArray[np.float32], Matrix]:
    """Give what was found, on top of what it was held to: of signals, n-grams and bias, for all heads."""
    heads, signals = design.problem.heads, design.problem.signals
    held = design.held
    by_signal, by_ngram, bias = held.signals.copy(), held.ngrams.copy(), held.bias.copy()
    by_signal[heads] += found.weights[:, :signals]
    by_ngram[heads] += unrotate(found.weights[:, signals:], design.rotated, design.ngrams)
    bias[heads] += found.bias
    return by_signal, by_ngram.astype(np.float32), bias


def _standard(raw: Matrix, lesson: Lesson) -> tuple[Matrix, Matrix]:
    """Mean and deviation of signals; an earlier adapter's where it has the signal, since its weights belong to them."""
    # A deviation below a quarter of a log-odd is noise that a large weight would blow up.
    centre, scale = raw.mean(axis=0), np.maximum(raw.std(axis=0), 0.25)
    if lesson.prior is not None:
        known = len(lesson.prior.centre)
        centre[:known], scale[:known] = lesson.prior.centre, lesson.prior.scale
    return centre, scale


def _held(lesson: Lesson, vectorizers: tuple[TfidfVectorizer, ...]) -> Held:
    """Weights to hold to: an earlier adapter's, 0 for signals that it has not."""
    heads, terms, signals = len(HEADS), sum(len(v.vocabulary) for v in vectorizers), len(lesson.further.names)
    prior = lesson.prior
    if prior is None:
        return Held(np.zeros((heads, 2 * heads + signals)), np.zeros((heads, terms)), np.zeros(heads))
    if prior.further not in ((), lesson.further.names):
        raise ValueError("an adapter cannot be gone on from without its further signals")
    own = heads + len(prior.further)
    new = np.zeros((heads, signals - len(prior.further)))
    by_signal = np.hstack([prior.signals[:, :own], new, prior.signals[:, own:]])
    return Held(by_signal, carry_over(prior, vectorizers), prior.bias)
