"""Texts that are there more than once: duplicates, leaks into the test set, and contradicting labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gapnlp.ingest.items import made_id
from gapnlp.retraining.checks.texts import Place, place_of, text_key
from gapnlp.retraining.labels.dataset import LabelledRow
from gapnlp.retraining.labels.named import SAID, WHOLE


@dataclass(frozen=True, slots=True)
class Repeat:
    """One text in several rows, in file order."""

    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Leak:
    """A test row that training has seen. why: "text" (the same text) or "ticket" (another text of the same ticket)."""

    train: Place
    test: Place
    why: str


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two rows of one text that cannot both be right; labels: the user's on which they differ."""

    first: Place
    second: Place
    labels: tuple[str, ...]


def find_duplicates(rows: Sequence[LabelledRow]) -> tuple[Repeat, ...]:
    """Find texts that one annotator (or nobody named) labelled more than once.

    Several annotators of one text are no duplicates, nor are several questions of yes or no about it.
    """
    groups = (_distinct_answers(group) for group in _by_text_and_annotator(rows))
    return tuple(Repeat(tuple(map(place_of, group))) for group in groups if len(group) > 1)


def find_leaks(train: Sequence[LabelledRow], test: Sequence[LabelledRow]) -> tuple[Leak, ...]:
    """Find test rows whose text, or else whose ticket, is in the training rows; row numbers are no tickets here."""
    by_text: dict[str, LabelledRow] = {}
    by_ticket: dict[str, LabelledRow] = {}
    for row in train:
        by_text.setdefault(text_key(row.ticket.text), row)
        if _has_ticket(row):
            by_ticket.setdefault(row.ticket.ticket, row)
    leaks = []
    for row in test:
        same = by_text.get(text_key(row.ticket.text))
        relative = by_ticket.get(row.ticket.ticket) if _has_ticket(row) else None
        if same is not None:
            leaks.append(Leak(place_of(same), place_of(row), "text"))
        elif relative is not None:
            leaks.append(Leak(place_of(relative), place_of(row), "ticket"))
    return tuple(leaks)


def _has_ticket(row: LabelledRow) -> bool:
    """Tell whether a row's ticket is one beyond its file: neither made of its place nor a number of its row."""
    return not row.named.counted and row.ticket.ticket != made_id(row.ticket.source)


def find_contradictions(rows: Sequence[LabelledRow]) -> tuple[Contradiction, ...]:
    """Find rows of one text and annotator that teach different things: each against the first of its text.

    Rows that were labelled as a whole differ where one has a label that the other lacks; others only where one says
    yes and the other no. What differing annotators say is a matter of agreement, not of contradiction.
    """
    found = []
    for group in _by_text_and_annotator(rows):
        for row in group[1:]:
            labels = _differences(group[0], row)
            if labels and group[0].ticket.given != row.ticket.given:
                found.append(Contradiction(place_of(group[0]), place_of(row), labels))
    return tuple(found)


def _by_text_and_annotator(rows: Iterable[LabelledRow]) -> list[list[LabelledRow]]:
    groups: dict[tuple[str, str | None], list[LabelledRow]] = defaultdict(list)
    for row in rows:
        groups[text_key(row.ticket.text), row.ticket.annotator].append(row)
    return list(groups.values())


def _distinct_answers(group: Sequence[LabelledRow]) -> list[LabelledRow]:
    """Leave out rows that only add other labels to what was asked before."""
    asked: set[str] = set()
    kept = []
    for row in group:
        answer = row.named.answer
        adds = answer.covers == SAID and bool(asked) and asked.isdisjoint(answer.said)
        asked.update(answer.said)
        if not adds:
            kept.append(row)
    return kept


def _differences(first: LabelledRow, second: LabelledRow) -> tuple[str, ...]:
    a, b = first.named.answer, second.named.answer
    if a.covers == WHOLE == b.covers:
        return tuple(sorted(first.named.chosen ^ second.named.chosen))
    differing = (label for label in a.said if label in b.said and a.said[label] != b.said[label])
    return tuple(sorted(differing))
