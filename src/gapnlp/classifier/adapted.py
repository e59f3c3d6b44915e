"""A classifier with an adapter on top: what a user's own labelled tickets taught, the shipped bundle untouched.

Log-odds are the base's, plus a linear correction that reads the base's log-odds of all heads, those of the neighbours,
and n-grams of the user's tickets: stacked generalisation (Wolpert 1992) with the base as offset. Heads that were not
learnt answer exactly as the base does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from gapnlp.classifier.base import Attribution, Classifier, Document, Predictions
from gapnlp.classifier.decision import Thresholds, decide
from gapnlp.classifier.features import character_weights, encode
from gapnlp.classifier.linear import POLARITY_SLICES, combine, logits_of, unique_texts
from gapnlp.errors import ModelError
from gapnlp.records.error_counts import ErrorCounts, ShareError
from gapnlp.records.labels import (
    CHURN,
    DIMENSIONS,
    EXPECTATIONS,
    GAPS,
    HEAD_INDEX,
    HEADS,
    LABELS,
    POLARITIES,
    Labels,
    dimension_label,
    expectation_label,
    gap_label,
    presence_label,
    sentiment_label,
)

Matrix = NDArray[np.float64]


class Signals(Protocol):
    """A further reader of segments beside the base, such as an encoder that was fine-tuned on the tickets."""

    @property
    def names(self) -> tuple[str, ...]:
        """One name a column."""

    def logits(self, documents: Sequence[Document]) -> Matrix:
        """Log-odds, shape (n_segments, n_names)."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """All that was learnt from labelled tickets of one language; heads as records.labels.HEADS (33).

    learnt: which heads it corrects, (33,). centre, scale: of the base's log-odds and the further signals,
    (33 + n_further,).
    signals: (33, 33 + n_further + 33) weights of those, then of the neighbours' mean log-odds. ngrams: (33, n_ngrams).
    bias: (33,). thresholds: of the learnt heads. error_counts: of learnt heads, where the tickets tell.
    further: names of further signals.
    """

    language: str
    learnt: NDArray[np.bool_]
    vectorizers: tuple[TfidfVectorizer, ...]
    centre: Matrix
    scale: Matrix
    signals: Matrix
    ngrams: NDArray[np.float32]
    bias: Matrix
    thresholds: Thresholds
    error_counts: Mapping[str, ErrorCounts]
    further: tuple[str, ...] = ()

    def shift(self, logits: Matrix, texts: Sequence[str], lengths: Sequence[int], further: Matrix) -> Matrix:
        """Correct log-odds: what is to be added to the base's, shape (n_segments, 33)."""
        features = signal_features(np.hstack([logits, further]), lengths, centre=self.centre, scale=self.scale)
        # einsum and sparse products sum each row the same way whatever the number of rows
        found: Matrix = np.einsum("ij,kj->ik", features, self.signals) + self.bias
        if self.ngrams.shape[1]:
            unique, where = unique_texts(texts)
            found += np.asarray(encode(self.vectorizers, unique) @ self.ngrams.T, dtype=np.float64)[where]
        return np.where(self.learnt, found, 0.0)


@dataclass(frozen=True, slots=True)
class AdaptedClassifier:
    """A base classifier and the adapter on top of it; see Classifier for what it can do.

    adapter_version: of the adapter's bundle. reader: gives the adapter's further signals, where it has any.
    """

    base: Classifier
    adapter: Adapter
    adapter_version: str
    reader: Signals | None = None

    def __post_init__(self) -> None:
        """Refuse an adapter of another language, or one whose further signals nobody gives."""
        if self.adapter.language != self.base.language:
            raise ModelError(f"an adapter for {self.adapter.language!r} cannot stand on {self.base.version}")
        if self.adapter.further and (self.reader is None or self.reader.names != self.adapter.further):
            raise ModelError(f"{self.adapter_version}: its further signals are not there; reinstall the bundle")

    @property
    def version(self) -> str:
        """Both versions: the adapter's, then the base's."""
        return f"{self.adapter_version}@{self.base.version}"

    @property
    def language(self) -> str:
        """The base's language."""
        return self.base.language

    @property
    def error_counts(self) -> Mapping[str, ErrorCounts]:
        """The tickets' held-out counts where they tell, else the base's."""
        return {**self.base.error_counts, **self.adapter.error_counts}

    @property
    def share_errors(self) -> Mapping[str, ShareError]:
        """The base's: tickets of one firm do not tell how far shares are off in another domain."""
        return self.base.share_errors

    @property
    def sentiment_factors(self) -> tuple[float, ...]:
        """The adapter's where it learnt sentiments, else the base's."""
        learnt = self.adapter.learnt[HEAD_INDEX[sentiment_label("neg")]]
        return self.adapter.thresholds.sentiment if learnt else self.base.sentiment_factors

    def predict(self, documents: Sequence[Document]) -> Predictions:
        """Score every segment of every document, in order; abstention is the base's."""
        found = self.base.predict(documents)
        texts = list(chain.from_iterable(documents))
        if not texts or not self.adapter.learnt.any():
            return found
        logits = logits_of(found.values)
        further = self.reader.logits(documents) if self.adapter.further and self.reader else np.zeros((len(texts), 0))
        shift = self.adapter.shift(logits, texts, [len(d) for d in documents if d], further)
        values = np.where(touched_labels(self.adapter.learnt), combine(logits + shift), found.values)
        return Predictions(
            values, merge_decisions(found.labels, values, self.adapter.learnt, self.adapter.thresholds), found.abstained
        )

    def explain(self, document: Document) -> tuple[Attribution, ...]:
        """Add the weights of the adapter's n-grams to what the base says; a dimension's presence counts for it."""
        weights = self.adapter.ngrams[: len(LABELS)].copy()
        for i, columns in enumerate(POLARITY_SLICES):
            weights[columns] += self.adapter.ngrams[len(LABELS) + i]
        own = [character_weights(self.adapter.vectorizers, weights, text) for text in document]
        return tuple(
            {label: attribution[label] + part[j] for j, label in enumerate(LABELS)}
            for attribution, part in zip(self.base.explain(document), own, strict=True)
        )


def signal_features(logits: Matrix, lengths: Sequence[int], *, centre: Matrix, scale: Matrix) -> Matrix:
    """Standardise a segment's log-odds, and put the mean of its neighbours' beside them.

    logits: (n_segments, n_signals), documents one after the other, the base's 33 first. lengths: segments of each.
    Returns (n_segments, n_signals + 33); a segment without neighbours has 0 there, the mean.
    """
    own = (logits - centre) / scale
    heads = own[:, : len(HEADS)]
    item = np.repeat(np.arange(len(lengths)), lengths)
    same = (item[1:] == item[:-1])[:, None]
    sums, count = np.zeros_like(heads), np.zeros((len(heads), 1))
    sums[1:] += np.where(same, heads[:-1], 0.0)
    sums[:-1] += np.where(same, heads[1:], 0.0)
    count[1:] += same
    count[:-1] += same
    return np.hstack([own, sums / np.maximum(count, 1)])


def merge_decisions(
    before: Sequence[Labels], values: Matrix, heads: NDArray[np.bool_], thresholds: Thresholds
) -> tuple[Labels, ...]:
    """Decide what was learnt (heads, (33,)); leave all else as the base decided it."""
    learnt = _Learnt.of(heads)
    # Of a dimension whose presence is the base's, the likeliest polarity is wanted wherever the base sees it.
    presence = {d: cut if learnt.presence[d] else 0.0 for d, cut in thresholds.presence.items()}
    after = decide(values, replace(thresholds, presence=presence))
    return tuple(learnt.merged(old, new) for old, new in zip(before, after, strict=True))


@dataclass(frozen=True, slots=True)
class _Learnt:
    """Which decisions are an adapter's: looked up once a batch, since this runs for every segment."""

    sentiment: bool
    presence: Mapping[str, bool]
    polarity: Mapping[str, bool]
    gaps: Mapping[str, bool]
    fixed: frozenset[str]
    churn: bool

    @classmethod
    def of(cls, heads: NDArray[np.bool_]) -> _Learnt:
        known = dict(zip(HEADS, heads.tolist(), strict=True))
        return cls(
            sentiment=known[sentiment_label("neg")],
            presence={d: known[presence_label(d)] for d in DIMENSIONS},
            polarity={d: known[dimension_label(d, POLARITIES[0])] for d in DIMENSIONS},
            gaps={g: known[gap_label(g)] for g in GAPS},
            fixed=frozenset(e for e in EXPECTATIONS if e != "none" and not known[expectation_label(e)]),
            churn=known[CHURN],
        )

    def merged(self, old: Labels, new: Labels) -> Labels:
        """Take the adapter's decision where it is one, else the base's; there is one outcome at most."""
        fixed = old.expectation in self.fixed or new.expectation in self.fixed
        return Labels(
            sentiment=new.sentiment if self.sentiment else old.sentiment,
            dimensions=self._dimensions(old.dimensions, new.dimensions),
            gaps=tuple(g for g, known in self.gaps.items() if g in (new if known else old).gaps),
            expectation=old.expectation if fixed else new.expectation,
            churn=new.churn if self.churn else old.churn,
        )

    def _dimensions(self, old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
        found = {}
        for d, known in self.presence.items():
            if d in (new if known else old):
                found[d] = old[d] if d in old and not self.polarity[d] else new[d]
        return found


def touched_labels(learnt: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Columns of LABELS whose probabilities change: a dimension's polarities also with its presence."""
    touched = learnt[: len(LABELS)].copy()
    for i, columns in enumerate(POLARITY_SLICES):
        touched[columns] |= learnt[len(LABELS) + i]
    return touched
