"""Two classifiers' F1 on the same tickets, and how far the difference would move with other tickets.

Tickets are drawn with replacement, both classifiers' answers together (paired bootstrap; Efron and Tibshirani 1993), so
that what makes a ticket hard for both cancels out. Rows of one ticket are drawn together (cluster bootstrap; Davison
and Hinkley 1997, 3.8). A draw is a vector of weights, so F1 comes from weighted counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from gapnlp.classifier.ticket_answers import TicketAnswers

Floats = NDArray[np.float64]
# Draws that are worked on at once: bounds the memory, and is part of what a seed means.
_BLOCK = 100


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Rows that neither classifier has seen, and what both say of them.

    truth: 1, 0, or -1 where not given; this and the answers have the shape (n_rows, n_labels). groups: rows with the
    same number are of one ticket, (n_rows,); None where each is a ticket of its own.
    """

    truth: NDArray[np.int8]
    current: TicketAnswers
    new: TicketAnswers
    groups: NDArray[np.intp] | None = None

    def labels(self, chosen: Sequence[int]) -> HeldOut:
        """Keep some columns."""
        both = [TicketAnswers(a.values[:, chosen], a.decided[:, chosen]) for a in (self.current, self.new)]
        return HeldOut(self.truth[:, chosen], both[0], both[1], self.groups)

    def rows(self, kept: NDArray[np.bool_]) -> HeldOut:
        """Keep some rows."""
        both = [TicketAnswers(a.values[kept], a.decided[kept]) for a in (self.current, self.new)]
        return HeldOut(self.truth[kept], both[0], both[1], None if self.groups is None else self.groups[kept])


@dataclass(frozen=True, slots=True)
class Sample:
    """Held-out rows in an order that depends on nothing but their contents; answers to cells not given are blank.

    truth: 1, 0, or -1 where not given; this and the answers have the shape (n_rows, n_labels). tickets: the number of
    each row's ticket, from 0 without gaps, (n_rows,).
    """

    truth: NDArray[np.int8]
    current: TicketAnswers
    new: TicketAnswers
    tickets: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Difference:
    """F1 of the two classifiers, and the interval of new less current; all in [-1, 1]."""

    current: float
    new: float
    low: float
    high: float

    @property
    def difference(self) -> float:
        """New less current."""
        return self.new - self.current


@dataclass(frozen=True, slots=True)
class Redraws:
    """How the interval is made: number of draws, level of the interval in (0, 1), seed."""

    draws: int = 2000
    level: float = 0.95
    seed: int = 0


def arrange(held: HeldOut) -> Sample:
    """Drop rows without a given label, blank what was not given, and put the rest into an order of their own.

    The order rests on the truth and the current answers first, so that better new answers meet the same draws.
    """
    given = held.truth >= 0
    both = [np.where(given, x, 0).astype(np.float64) for a in (held.current, held.new) for x in (a.decided, a.values)]
    first = np.hstack([held.truth.astype(np.float64), *both[:2]])
    kept = np.flatnonzero(given.any(axis=1))
    ranks = [
        np.unique(keys[kept], axis=0, return_inverse=True)[1].ravel() for keys in (first, np.hstack([first, *both]))
    ]
    groups = np.arange(len(given)) if held.groups is None else held.groups
    order, tickets = _order(groups[kept], ranks[0], ranks[1])
    rows = kept[order]
    return Sample(held.truth[rows], _pick(held.current, given, rows), _pick(held.new, given, rows), tickets)


def _ranks(keys: Floats) -> NDArray[np.intp]:
    """Rank rows, equal ones alike, by their first column before all."""
    found: NDArray[np.intp] = np.unique(keys, axis=0, return_inverse=True)[1].ravel()
    return found


def _order(
    groups: NDArray[np.intp], first: NDArray[np.intp], whole: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Order groups by their rows' ranks, `first` before all; give the rows so, and the number of each one's group."""
    members: dict[int, list[int]] = {}
    for row in np.lexsort((whole, first)).tolist():
        members.setdefault(int(groups[row]), []).append(row)
    ordered = sorted(members.values(), key=lambda rows: (first[rows].tolist(), whole[rows].tolist()))
    order = np.asarray(list(chain.from_iterable(ordered)), dtype=np.intp)
    return order, np.repeat(np.arange(len(ordered)), [len(rows) for rows in ordered])


def _pick(answers: TicketAnswers, given: NDArray[np.bool_], order: NDArray[np.intp]) -> TicketAnswers:
    values, decided = np.where(given, answers.values, 0.0), answers.decided & given
    return TicketAnswers(values[order], decided[order])


def compare_f1(sample: Sample, redraws: Redraws) -> tuple[tuple[Difference, ...], Difference]:
    """Compare the two on every label, and on the mean over the labels (macro F1).

    Every label needs a ticket with it. Draws that hold no ticket with a label say nothing of that label.
    """
    blocks = [[_f1(sample, a, weights) for a in (sample.current, sample.new)] for weights in _weights(sample, redraws)]
    drawn = np.vstack([new - current for current, new in blocks])
    even = np.ones((1, len(sample.truth)))
    current, new = (_f1(sample, a, even)[0] for a in (sample.current, sample.new))
    labels = tuple(_difference((current[j], new[j]), drawn[:, j], redraws.level) for j in range(sample.truth.shape[1]))
    return labels, _difference((current.mean(), new.mean()), _known_means(drawn), redraws.level)


def _weights(sample: Sample, redraws: Redraws) -> Iterator[Floats]:
    """Give how often each row's ticket is drawn, in blocks of shape (at most _BLOCK, n_rows)."""
    n, rng = int(sample.tickets.max()) + 1, np.random.default_rng(redraws.seed)
    for start in range(0, redraws.draws, _BLOCK):
        rows = min(_BLOCK, redraws.draws - start)
        places = rng.integers(0, n, (rows, n)) + n * np.arange(rows)[:, None]
        drawn = np.bincount(places.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)
        yield drawn[:, sample.tickets]


def _f1(sample: Sample, answers: TicketAnswers, weights: Floats) -> Floats:
    """F1 of every label under each row of weights, shape (n_rows, n_labels); nan where no ticket has the label."""
    true = (sample.truth == 1).astype(np.float64)
    said = answers.decided.astype(np.float64)
    # Whole numbers, far below 2^53: sums are exact, whatever order they are added in.
    hits, positives, claims = weights @ (true * said), weights @ true, weights @ said
    return np.where(positives > 0, 2 * hits / np.maximum(positives + claims, 1), np.nan)


def _known_means(rows: Floats) -> Floats:
    known = ~np.isnan(rows)
    sums: Floats = np.where(known, rows, 0.0).sum(axis=1)
    return np.where(known.any(axis=1), sums / np.maximum(known.sum(axis=1), 1), np.nan)


def _difference(f1: tuple[float, float], drawn: Floats, level: float) -> Difference:
    low, high = np.nanquantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Difference(float(f1[0]), float(f1[1]), float(low), float(high))
