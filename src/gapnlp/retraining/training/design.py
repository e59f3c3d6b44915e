"""From what was said of segments to a problem of numbers, and from its solution back to an adapter's weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from gapnlp.classifier.adapted import Adapter, signal_features
from gapnlp.classifier.linear import FIRST_HEADS, logits_of
from gapnlp.retraining.training.asking import Said
from gapnlp.retraining.training.bags import Bags
from gapnlp.retraining.training.fit import Problem, Weights, join_features, learnable, rotate, unrotate
from gapnlp.retraining.training.ngrams import carry_over, encode_ngrams, fit_ngrams
from gapnlp.retraining.training.objective import bag_targets

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Further:
    """Signals beside the base's log-odds: names of the columns, and (n_segments, n_names) of the tickets' segments."""

    names: tuple[str, ...]
    logits: Matrix


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
    """Weights that new ones are held to: zeros, or those of an earlier adapter; heads as FIRST_HEADS."""

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
    raw = np.hstack([before, _further(lesson)])
    centre, scale = _standard(raw[: len(lesson.own.values)], lesson.prior)
    signals = signal_features(raw, [*lesson.own.lengths, *lesson.replay.lengths], centre=centre, scale=scale)
    vectorizers = fit_ngrams(lesson.bags, lesson.language, lesson.prior)
    ngrams = encode_ngrams(vectorizers, [*lesson.own.texts, *lesson.replay.texts])
    rotated = rotate(ngrams)
    held = _held(lesson.prior, vectorizers, signals.shape[1])
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


def _further(lesson: Lesson) -> Matrix:
    """Further signals of all rows; of replayed segments they are not known, so their mean stands for them."""
    own = lesson.further.logits
    mean = own.mean(axis=0) if len(own) else np.zeros(own.shape[1])
    return np.vstack([own, np.tile(mean, (len(lesson.replay.values), 1))])


def _standard(raw: Matrix, prior: Adapter | None) -> tuple[Matrix, Matrix]:
    """Mean and deviation of signals; an earlier adapter's where there is one, since its weights belong to them."""
    if prior is not None and len(prior.centre) == raw.shape[1]:
        return prior.centre, prior.scale
    # A deviation below a quarter of a log-odd is noise that a large weight would blow up.
    return raw.mean(axis=0), np.maximum(raw.std(axis=0), 0.25)


def _held(prior: Adapter | None, vectorizers: tuple[TfidfVectorizer, ...], signals: int) -> Held:
    heads = len(FIRST_HEADS)
    terms = sum(len(v.vocabulary) for v in vectorizers)
    if prior is None or prior.signals.shape[1] != signals:
        return Held(np.zeros((heads, signals)), np.zeros((heads, terms)), np.zeros(heads))
    return Held(prior.signals, carry_over(prior, vectorizers), prior.bias)
