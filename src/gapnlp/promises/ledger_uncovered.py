"""The other side of the ledger: what customers speak of and no promise covers, and how each entity fares."""

from __future__ import annotations

from collections.abc import Sequence

from gapnlp.promises.ledger_shares import Correction, correct_share, count_share
from gapnlp.promises.ledger_tally import LedgerTally
from gapnlp.records.promises import CopyUnit, EntityRow, Uncovered

LEAST_ITEMS = 3
MOST_SUBJECTS = 12


def find_uncovered(
    tally: LedgerTally, kind: str, *, promises: Sequence[CopyUnit], level: float
) -> tuple[Uncovered, ...]:
    """List the subjects that items fault or praise and no promise has, those of most items first.

    kind: "fault" or "praise". At most MOST_SUBJECTS, each of at least LEAST_ITEMS items.
    """
    covered = {promise.subject for promise in promises}
    found = [
        Uncovered(
            subject, spoken.items, count_share(spoken.items, tally.items, level=level), spoken.sentences.evidence()
        )
        for (subject, said), spoken in tally.subjects.items()
        if said == kind and subject not in covered and spoken.items >= LEAST_ITEMS
    ]
    return tuple(sorted(found, key=lambda u: (-u.items, u.subject))[:MOST_SUBJECTS])


def list_entities(
    tally: LedgerTally, units: Sequence[CopyUnit], *, correction: Correction, level: float
) -> tuple[EntityRow, ...]:
    """Give a row for each entity of the copy, worst first: by the lower bound of its share, then by the share."""
    promises = dict.fromkeys((unit.entity for unit in units if unit.entity is not None), 0)
    for unit in units:
        if unit.entity is not None and unit.is_promise:
            promises[unit.entity] += 1
    rows = []
    for entity, count in promises.items():
        audience = tally.entities.get(entity)
        decided, items = (audience.breaking, audience.items) if audience else (0, 0)
        share = correct_share(decided, items, correction=correction, level=level)
        rows.append(EntityRow(entity, count, items, share))
    rows.sort(key=lambda row: (-(row.break_share.low or 0.0), -(row.break_share.value or 0.0), row.entity))
    return tuple(rows)
