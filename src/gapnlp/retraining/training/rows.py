"""Rows of labelled files -> one ticket a text: annotators settled by majority, languages apart, and a fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from gapnlp.records.labels import HEADS, LANGUAGES
from gapnlp.records.tickets import LabelledTicket

# The file of an adapter that holds the marks of the texts it learnt from.
LEARNT_FROM = "tickets.json"
# Digits of a text's hash that a bundle keeps: enough to know it again, not enough to go through all texts there are.
_DIGITS = 16


def by_language(tickets: Iterable[LabelledTicket]) -> dict[str, list[LabelledTicket]]:
    """Part tickets by language, in the order of LANGUAGES; what is in another language is left out."""
    found: dict[str, list[LabelledTicket]] = {language: [] for language in LANGUAGES}
    for ticket in settle(tickets):
        if ticket.language in found:
            found[ticket.language].append(ticket)
    return {language: rows for language, rows in found.items() if rows}


def settle(tickets: Iterable[LabelledTicket]) -> list[LabelledTicket]:
    """Make one ticket of each text: what most annotators said; a label on which they are even counts as not given."""
    grouped: dict[tuple[str, str, str], list[LabelledTicket]] = defaultdict(list)
    for ticket in tickets:
        grouped[ticket.ticket, ticket.id, ticket.text].append(ticket)
    return [_settled(same) for same in grouped.values()]


def _settled(same: Sequence[LabelledTicket]) -> LabelledTicket:
    if len(same) == 1:
        return same[0]
    votes: Counter[str] = Counter()
    for ticket in same:
        votes.update({label: 1 if holds else -1 for label, holds in ticket.given.items()})
    given = {label: votes[label] > 0 for label in HEADS if votes[label]}
    return replace(same[0], given=given, annotator=None)


def fingerprint(tickets: Sequence[LabelledTicket]) -> str:
    """Give the sha256 over texts in order, their labels, and which of them are of one ticket."""
    digest = hashlib.sha256()
    numbers: dict[str, int] = {}
    for ticket in tickets:
        row = [numbers.setdefault(ticket.ticket, len(numbers)), ticket.text, dict(sorted(ticket.given.items()))]
        digest.update(json.dumps(row, ensure_ascii=True).encode() + b"\n")
    return digest.hexdigest()


def text_mark(ticket: LabelledTicket) -> str:
    """Give the first digits of the sha256 of a text, by which it is known again."""
    words = " ".join(ticket.text.split())
    return hashlib.sha256(words.encode("utf-8", "backslashreplace")).hexdigest()[:_DIGITS]


def count_labels(tickets: Sequence[LabelledTicket]) -> Mapping[str, tuple[int, int]]:
    """Count how often each label was given as yes and as no; those never given are left out."""
    counts = {label: (0, 0) for label in HEADS}
    for ticket in tickets:
        for label, holds in ticket.given.items():
            yes, no = counts[label]
            counts[label] = (yes + holds, no + (not holds))
    return {label: pair for label, pair in counts.items() if any(pair)}
