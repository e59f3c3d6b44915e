"""A base that remembers its answers: every draw of a company asks it for the same test rows and the same replay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from gapnlp.classifier.base import Attribution, Classifier, Document, Predictions
from gapnlp.records.error_counts import ErrorCounts, ShareError


@dataclass(frozen=True, slots=True)
class RememberingClassifier:
    """Asks the classifier once for each document; an answer depends on the document alone. Memory grows with them."""

    asked: Classifier
    _known: dict[tuple[str, ...], Predictions] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """The classifier's own."""
        return self.asked.version

    @property
    def language(self) -> str:
        """The classifier's own."""
        return self.asked.language

    @property
    def error_counts(self) -> Mapping[str, ErrorCounts]:
        """The classifier's own."""
        return self.asked.error_counts

    @property
    def share_errors(self) -> Mapping[str, ShareError]:
        """The classifier's own."""
        return self.asked.share_errors

    @property
    def sentiment_factors(self) -> tuple[float, ...]:
        """The classifier's own."""
        return self.asked.sentiment_factors

    def predict(self, documents: Sequence[Document]) -> Predictions:
        """Score every segment, or give what was said of it before."""
        names = [tuple(document) for document in documents]
        new = list(dict.fromkeys(name for name in names if name not in self._known))
        found, start = self.asked.predict(new), 0
        for name in new:
            rows = slice(start, start := start + len(name))
            self._known[name] = Predictions(found.values[rows], found.labels[rows], found.abstained[rows])
        parts = [self._known[name] for name in names]
        return Predictions(
            np.concatenate([found.values[:0], *(p.values for p in parts)]),
            tuple(chain.from_iterable(p.labels for p in parts)),
            np.concatenate([found.abstained[:0], *(p.abstained for p in parts)]),
        )

    def explain(self, document: Document) -> tuple[Attribution, ...]:
        """Ask the classifier: explanations are not remembered."""
        return self.asked.explain(document)
