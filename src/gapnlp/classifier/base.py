"""What every classifier can do, so that linear, encoder and cascade bundles stand beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gapnlp.records.error_counts import ErrorCounts, ShareError
from gapnlp.records.labels import Labels

# The segments of one feedback item in order, already normalised (text.normalise): neighbours are context.
Document = Sequence[str]


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a classifier says of a batch, row by row over all segments of all documents in order.

    values: calibrated probabilities in [0, 1], shape (n_segments, n_labels), columns as records.labels.LABELS.
    labels: the decision for each segment, length n_segments. abstained: where the labels are too doubtful to act on
    unread (see decision.Abstention), shape (n_segments,).
    """

    values: NDArray[np.float64]
    labels: tuple[Labels, ...]
    abstained: NDArray[np.bool_]


# Label -> how much each character of a normalised segment speaks for it, in log-odds, shape (n_characters,).
Attribution = Mapping[str, NDArray[np.float64]]


class Classifier(Protocol):
    """One language's classifier, loaded from a bundle and ready to score.

    version names the bundle and the digest of its files, so that every prediction can be traced.
    error_counts, share_errors: label -> how far its decisions and its mean probability can be trusted.
    sentiment_factors: what each sentiment's probability is multiplied by before the largest is taken.
    """

    @property
    def version(self) -> str:
        """Bundle name, its version and the first digits of its sha256."""

    @property
    def language(self) -> str:
        """The language that it reads, as ISO 639-1."""

    @property
    def error_counts(self) -> Mapping[str, ErrorCounts]:
        """Label -> held-out counts of right and wrong decisions."""

    @property
    def share_errors(self) -> Mapping[str, ShareError]:
        """Label -> how far its mean probability lies from its true share in domains held out of training."""

    @property
    def sentiment_factors(self) -> tuple[float, ...]:
        """One factor a sentiment, in the order of SENTIMENTS."""

    def predict(self, documents: Sequence[Document]) -> Predictions:
        """Score every segment; the answer does not depend on how documents are put into batches."""

    def explain(self, document: Document) -> tuple[Attribution, ...]:
        """Say which characters of each segment speak for each label of LABELS."""
