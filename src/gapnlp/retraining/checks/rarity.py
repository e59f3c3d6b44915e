"""Which labels can be learnt from what was given, by a stated rule."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from gapnlp.records.labels import HEADS
from gapnlp.records.tickets import LabelledTicket
from gapnlp.retraining.checks.texts import text_key

# Two texts for each part of a five-fold validation.
FEWEST_TEXTS = 10
# One ticket for each of the five parts, because parts never cut a ticket.
FEWEST_TICKETS = 5
# With 50 positive texts the 95 % interval of a recall of 0.7 is about 0.25 wide: below, figures say little.
THIN = 50

RULE = (
    f"A label can be learnt from at least {FEWEST_TEXTS} different texts that have it, in at least {FEWEST_TICKETS} "
    f"tickets, and {FEWEST_TEXTS} that do not; with fewer than {THIN} texts that have it, its figures are rough."
)
LEARNABLE, ROUGH, ONE_SIDED, RARE, DENIED = "learnable", "rough", "one-sided", "too rare", "only denied"


@dataclass(frozen=True, slots=True)
class LabelCount:
    """How often a label was given. yes, no: different texts; tickets: that have it; masked: rows that say nothing."""

    label: str
    yes: int
    no: int
    tickets: int
    masked: int

    @property
    def state(self) -> str:
        """Judge by RULE: learnable, rough, one-sided (nothing says when it does not hold), too rare, only denied."""
        if not self.yes:
            return DENIED
        if self.yes < FEWEST_TEXTS or self.tickets < FEWEST_TICKETS:
            return RARE
        if self.no < FEWEST_TEXTS:
            return ONE_SIDED
        return ROUGH if self.yes < THIN else LEARNABLE


def count_labels(tickets: Iterable[LabelledTicket]) -> tuple[LabelCount, ...]:
    """Count every label that was given at least once, in the order of HEADS."""
    yes: dict[str, set[str]] = defaultdict(set)
    no: dict[str, set[str]] = defaultdict(set)
    owners: dict[str, set[str]] = defaultdict(set)
    rows = 0
    judged: dict[str, int] = defaultdict(int)
    for ticket in tickets:
        rows += 1
        key = text_key(ticket.text)
        for label, holds in ticket.given.items():
            judged[label] += 1
            (yes if holds else no)[label].add(key)
            if holds:
                owners[label].add(ticket.ticket)
    return tuple(
        LabelCount(label, len(yes[label]), len(no[label]), len(owners[label]), rows - judged[label])
        for label in HEADS
        if label in judged
    )
