"""Labelled tickets as bags of segments, and what a classifier says of a bag.

Labels are given to whole tickets, the classifier reads segments: a ticket has a label when any of its segments has it
(multiple-instance learning; noisy-or after Maron and Lozano-Pérez 1998). Its sentiment is the mean of its segments'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapnlp.classifier.base import Classifier, Predictions
from gapnlp.classifier.decision import head_matrix
from gapnlp.classifier.linear import POLARITY_SLICES, SENTIMENT_SLICE
from gapnlp.classifier.ticket_answers import TicketAnswers
from gapnlp.records.labels import (
    CHURN,
    DIMENSIONS,
    EXPECTATIONS,
    GAPS,
    HEAD_INDEX,
    HEADS,
    LABELS,
    POLARITIES,
    SENTIMENTS,
    Labels,
    dimension_label,
    expectation_label,
    gap_label,
    sentiment_label,
)
from gapnlp.records.tickets import LabelledTicket
from gapnlp.retraining.checks.texts import group_tickets
from gapnlp.text.normalise import normalise
from gapnlp.text.segments import split_segments

Matrix = NDArray[np.float64]
Truth = NDArray[np.int8]
_EVEN = (1.0,) * len(SENTIMENTS)
NOT_GIVEN = -1


@dataclass(frozen=True, slots=True)
class Bags:
    """Tickets in order. documents: their segments, normalised; at least one each.

    truth: columns as HEADS, 1 yes, 0 no, NOT_GIVEN where nobody judged, shape (n_bags, 33). groups: bags with the
    same number are of one ticket or one text and never parted by a split, (n_bags,).
    """

    documents: tuple[tuple[str, ...], ...]
    truth: Truth
    groups: NDArray[np.intp]

    @property
    def lengths(self) -> NDArray[np.intp]:
        """Segments of each bag, (n_bags,)."""
        return np.asarray([len(d) for d in self.documents], dtype=np.intp)


def make_bags(tickets: Sequence[LabelledTicket], language: str) -> Bags:
    """Cut tickets into normalised segments, and their labels into numbers; a bag a ticket, in order."""
    documents = tuple(_segments(t.text, language) for t in tickets)
    return Bags(documents, truth_matrix(tickets), np.asarray(group_tickets(tickets), dtype=np.intp))


def truth_matrix(tickets: Sequence[LabelledTicket]) -> Truth:
    """Give each ticket's labels as 1, 0 or NOT_GIVEN, shape (n_tickets, 33)."""
    truth = np.full((len(tickets), len(HEADS)), NOT_GIVEN, dtype=np.int8)
    for row, ticket in zip(truth, tickets, strict=True):
        for label, holds in ticket.given.items():
            row[HEAD_INDEX[label]] = int(holds)
    return truth


def _segments(text: str, language: str) -> tuple[str, ...]:
    """Cut a text; one that holds no word is a segment all the same, so that each ticket keeps its row."""
    return tuple(normalise(s.text, language) for s in split_segments(text, language)) or (normalise(text, language),)


def answer_tickets(classifier: Classifier, tickets: Sequence[LabelledTicket], language: str) -> TicketAnswers:
    """Ask a classifier about whole tickets, one row each, in order."""
    documents = [_segments(t.text, language) for t in tickets]
    predictions = classifier.predict(documents)
    return answer_bags(predictions, [len(d) for d in documents], classifier.sentiment_factors)


def answer_bags(
    predictions: Predictions, lengths: Sequence[int] | NDArray[np.intp], factors: Sequence[float] = _EVEN
) -> TicketAnswers:
    """Turn what was said of segments into what that says of tickets.

    lengths: segments of each ticket, at least 1. factors: of sentiments, where a ticket has several segments.
    """
    starts = starts_of(lengths)
    decided = np.logical_or.reduceat(head_matrix(predictions.labels), starts, axis=0)
    values = pool_values(predictions.values, lengths)
    likeliest = (values[:, SENTIMENT_SLICE] * np.asarray(factors)).argmax(axis=1)
    several = np.flatnonzero(np.asarray(lengths) > 1)  # of a single segment the decision stands
    decided[several, SENTIMENT_SLICE] = likeliest[several, None] == np.arange(len(SENTIMENTS))
    return TicketAnswers(values, decided)


def pool_values(values: Matrix, lengths: Sequence[int] | NDArray[np.intp]) -> Matrix:
    """Pool segments' probabilities, columns as LABELS, to tickets', columns as HEADS, shape (n_bags, 33)."""
    starts = starts_of(lengths)
    found = 1 - np.exp(np.add.reduceat(np.log1p(-np.minimum(with_presence(values), 1 - 1e-12)), starts, axis=0))
    means = np.add.reduceat(values[:, SENTIMENT_SLICE], starts, axis=0) / np.asarray(lengths, dtype=float)[:, None]
    found[:, SENTIMENT_SLICE] = means
    clipped: Matrix = np.clip(found, 0.0, 1.0)
    return clipped


def with_presence(values: Matrix) -> Matrix:
    """Put each dimension's presence, the sum of its polarities, beside the labels: columns as HEADS."""
    return np.column_stack([values, *(values[:, columns].sum(axis=1) for columns in POLARITY_SLICES)])


def starts_of(lengths: Sequence[int] | NDArray[np.intp]) -> NDArray[np.intp]:
    """Row of each bag's first segment, (n_bags,)."""
    return np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.intp)


def segment_labels(decided: NDArray[np.bool_]) -> tuple[Labels, ...]:
    """Turn back what `head_matrix` made: rows of HEADS into labels."""
    return tuple(_labels(frozenset(HEADS[j] for j in np.flatnonzero(row))) for row in decided)


def _labels(names: frozenset[str]) -> Labels:
    polarities = {d: next((p for p in POLARITIES if dimension_label(d, p) in names), None) for d in DIMENSIONS}
    return Labels(
        sentiment=next(s for s in SENTIMENTS if sentiment_label(s) in names),
        dimensions={d: p for d, p in polarities.items() if p is not None},
        gaps=tuple(g for g in GAPS if gap_label(g) in names),
        expectation=next((e for e in EXPECTATIONS if expectation_label(e) in names), "none"),
        churn=CHURN in names,
    )


def label_columns(labels: Sequence[str]) -> NDArray[np.intp]:
    """Give columns of HEADS by name."""
    return np.asarray([HEAD_INDEX[label] for label in labels], dtype=np.intp)


SINGLE_HEADS = tuple(h for h in LABELS if not h.startswith(("dimension:", "sentiment:")))
