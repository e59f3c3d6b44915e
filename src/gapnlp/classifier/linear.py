"""The linear classifier: n-gram heads, then heads that read the first ones' answers in context.

Stacked generalisation (Wolpert 1992). Stage one scores each segment alone, one logistic head per label. Stage two reads
those logits for the segment, its neighbours and its item, and gives calibrated probabilities: it is fitted on
out-of-fold logits, so it also does what Platt (1999) scaling does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, softmax
from sklearn.feature_extraction.text import TfidfVectorizer

from gapnlp.classifier.base import Attribution, Document, Predictions
from gapnlp.classifier.context import context_features
from gapnlp.classifier.decision import Abstention, Thresholds, abstains, decide, expected_errors
from gapnlp.classifier.features import character_weights, encode
from gapnlp.records.error_counts import ErrorCounts, ShareError
from gapnlp.records.labels import DIMENSIONS, LABELS, POLARITIES, SENTIMENTS

# Both stages have the heads of records.labels.HEADS; stage two reads them as the groups below.

SENTIMENT_SLICE = slice(
    LABELS.index(f"sentiment:{SENTIMENTS[0]}"), LABELS.index(f"sentiment:{SENTIMENTS[0]}") + len(SENTIMENTS)
)
# Each dimension's polarities, as columns.
POLARITY_SLICES = tuple(slice(i * len(POLARITIES), (i + 1) * len(POLARITIES)) for i in range(len(DIMENSIONS)))
# The least probability that log-odds are taken of.
_LEAST = 1e-6


@dataclass(frozen=True, slots=True)
class LinearWeights:
    """All that was learnt.

    first: (n_first_heads, n_features), first_bias: (n_first_heads,). centre, scale: of the context features,
    (n_context,). second: (n_second_heads, n_context), second_bias: (n_second_heads,).
    """

    first: NDArray[np.float32]
    first_bias: NDArray[np.float32]
    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    second: NDArray[np.float64]
    second_bias: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reading:
    """Stage one of a batch: the segments' texts in order, and their standardised context (n_segments, n_context)."""

    texts: list[str]
    context: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LinearClassifier:
    """One language's linear bundle in memory; see Classifier for what it can do."""

    language: str
    version: str
    vectorizers: tuple[TfidfVectorizer, ...]
    weights: LinearWeights
    thresholds: Thresholds
    abstention: Abstention | None
    error_counts: Mapping[str, ErrorCounts]
    share_errors: Mapping[str, ShareError]

    @property
    def sentiment_factors(self) -> tuple[float, ...]:
        """The thresholds'."""
        return self.thresholds.sentiment

    def predict(self, documents: Sequence[Document]) -> Predictions:
        """Score every segment of every document, in order; equal segments are read once."""
        values = self.values(self.read(documents))
        doubt = expected_errors(values, self.thresholds)
        return Predictions(values, decide(values, self.thresholds), abstains(doubt, self.abstention))

    def read(self, documents: Sequence[Document]) -> Reading:
        """Run stage one."""
        texts = list(chain.from_iterable(documents))
        if not texts:
            return Reading([], np.zeros((0, len(self.weights.centre))))
        unique, where = unique_texts(texts)
        logits = first_logits(self.weights, encode(self.vectorizers, unique))[where]
        context = context_features(logits, texts, [len(d) for d in documents if d])
        return Reading(texts, (context - self.weights.centre) / self.weights.scale)

    def values(self, reading: Reading) -> NDArray[np.float64]:
        """Run stage two: calibrated probabilities, shape (n_segments, n_labels)."""
        return combine(second_logits(reading.context, self.weights.second, self.weights.second_bias))

    def explain(self, document: Document) -> tuple[Attribution, ...]:
        """Stage one's n-gram weights, spread over the characters that each n-gram covers."""
        weights = self.weights.first[: len(LABELS)]
        return tuple(
            dict(zip(LABELS, character_weights(self.vectorizers, weights, text), strict=True)) for text in document
        )


def first_logits(weights: LinearWeights, features: NDArray[np.float32]) -> NDArray[np.float64]:
    """Log-odds of stage one, shape (n_texts, n_first_heads), from sparse features (n_texts, n_features)."""
    return np.asarray(features @ weights.first.T + weights.first_bias, dtype=np.float64)


def second_logits(
    features: NDArray[np.float64], weights: NDArray[np.float64], bias: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Log-odds of a second stage, columns as HEADS, from standardised features."""
    # einsum, unlike BLAS, sums each row the same way whatever the number of rows: batches cannot change an answer.
    logits: NDArray[np.float64] = np.einsum("ij,kj->ik", features, weights) + bias
    return logits


def combine(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn stage two's log-odds, columns as HEADS, into probabilities, columns as LABELS.

    A dimension's polarities get its presence times the softmax over polarities, so they sum to the presence.
    """
    values: NDArray[np.float64] = expit(logits[:, : len(LABELS)])
    presence = expit(logits[:, len(LABELS) :])
    for i, columns in enumerate(POLARITY_SLICES):
        values[:, columns] = presence[:, [i]] * softmax(logits[:, columns], axis=1)
    values[:, SENTIMENT_SLICE] = softmax(logits[:, SENTIMENT_SLICE], axis=1)
    return values


def logits_of(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn probabilities, columns as LABELS, back into log-odds, columns as HEADS: the inverse of `combine`.

    Those of a softmax are given with mean 0. Probabilities nearer to 0 or 1 than a millionth count as that.
    """
    presence = np.column_stack([values[:, columns].sum(axis=1) for columns in POLARITY_SLICES])
    logits = np.hstack([_log_odds(values), _log_odds(presence)])
    for i, columns in enumerate(POLARITY_SLICES):
        logits[:, columns] = _centred_logs(values[:, columns] / np.maximum(presence[:, [i]], 1e-300))
    logits[:, SENTIMENT_SLICE] = _centred_logs(values[:, SENTIMENT_SLICE])
    return logits


def _log_odds(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = logit(np.clip(probabilities, _LEAST, 1 - _LEAST))
    return found


def _centred_logs(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    logs = np.log(np.maximum(shares, _LEAST))
    centred: NDArray[np.float64] = logs - logs.mean(axis=1, keepdims=True)
    return centred


def unique_texts(texts: Sequence[str]) -> tuple[list[str], NDArray[np.intp]]:
    """List the distinct texts in order of appearance, and where each text stands among them."""
    index: dict[str, int] = {}
    where = np.fromiter((index.setdefault(t, len(index)) for t in texts), dtype=np.intp, count=len(texts))
    return list(index), where
