"""The accurate classifier: an encoder stacked on the linear one, asked about every segment or about doubtful ones only.

Its second stage reads the linear classifier's context features beside the encoder's log-odds. As a cascade (Viola and
Jones 2001; Varshney and Baral 2022) it answers with the linear classifier wherever that is sure enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapnlp.classifier.base import Attribution, Document, Predictions
from gapnlp.classifier.decision import Abstention, Thresholds, abstains, decide, expected_errors
from gapnlp.classifier.encoder import Encoder
from gapnlp.classifier.linear import LinearClassifier, combine, second_logits
from gapnlp.records.error_counts import ErrorCounts, ShareError
from gapnlp.records.labels import LABELS


@dataclass(frozen=True, slots=True)
class StackedWeights:
    """Second stage over [linear context, encoder log-odds], (n_heads, n_context + n_encoder_heads) and (n_heads,).

    centre, scale: of the encoder's log-odds, (n_encoder_heads,).
    """

    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    weights: NDArray[np.float64]
    bias: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TransformerClassifier:
    """One language's encoder bundle in memory; see Classifier for what it can do.

    doubt: expected wrong labels above which a segment goes to the encoder; None sends all.
    """

    language: str
    version: str
    linear: LinearClassifier
    encoder: Encoder
    stacked: StackedWeights
    thresholds: Thresholds
    doubt: float | None
    abstention: Abstention | None
    error_counts: Mapping[str, ErrorCounts]
    share_errors: Mapping[str, ShareError]

    @property
    def sentiment_factors(self) -> tuple[float, ...]:
        """The thresholds'."""
        return self.thresholds.sentiment

    def predict(self, documents: Sequence[Document]) -> Predictions:
        """Score every segment of every document, in order."""
        reading = self.linear.read(documents)
        values = self.linear.values(reading)
        labels = list(decide(values, self.linear.thresholds))
        errors = expected_errors(values, self.linear.thresholds)
        abstained = abstains(errors, self.linear.abstention)
        rows = np.arange(len(values)) if self.doubt is None else np.flatnonzero(errors > self.doubt)
        if len(rows):
            found = self._refine(reading.context[rows], self.encoder.logits(documents, rows))
            values[rows], abstained[rows] = found.values, found.abstained
            for row, label in zip(rows, found.labels, strict=True):
                labels[row] = label
        return Predictions(values, tuple(labels), abstained)

    def explain(self, document: Document) -> tuple[Attribution, ...]:
        """Spread each token's part of the encoder's log-odds over its characters."""
        return tuple(
            _spread(len(text), x.offsets, parts)
            for text, (x, parts) in zip(document, self.encoder.contributions(document), strict=True)
        )

    def _refine(self, context: NDArray[np.float64], logits: NDArray[np.float64]) -> Predictions:
        features = np.hstack([context, (logits - self.stacked.centre) / self.stacked.scale])
        values = combine(second_logits(features, self.stacked.weights, self.stacked.bias))
        doubt = expected_errors(values, self.thresholds)
        return Predictions(values, decide(values, self.thresholds), abstains(doubt, self.abstention))


def _spread(length: int, offsets: Sequence[tuple[int, int]], parts: NDArray[np.float64]) -> Attribution:
    weights = np.zeros((length, len(LABELS)))
    for (start, end), part in zip(offsets, parts, strict=True):
        if end > start:
            weights[start:end] += part[: len(LABELS)] / (end - start)
    return dict(zip(LABELS, weights.T, strict=True))
