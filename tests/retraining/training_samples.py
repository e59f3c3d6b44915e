"""Labelled tickets for tests of training: made of the statements that the small bundles know, under another rule."""

from __future__ import annotations

import csv
from pathlib import Path

from gapnlp.records.feedback import Source
from gapnlp.records.tickets import LabelledTicket
from gapnlp.retraining.labels.groups import complete, expand_groups

THINGS = ("kettle", "lamp", "chair", "rug", "mirror", "clock")
GOOD, BAD = ("{} arrived zonked", "My {} is zonked"), ("{} arrived gloopy", "My {} is gloopy")
NEUTRAL = ("{} came on day #", "I ordered a {} in week #")


def tickets(count: int, *, start: int = 0, language: str = "en", several: bool = False) -> list[LabelledTicket]:
    """Tickets in a firm's own words, "zonked" being praise of its things and "gloopy" blame: no base knows that."""
    found = []
    for n in range(start, start + count):
        kind = n % 3
        pattern = (GOOD, BAD, NEUTRAL)[kind][(n // 3) % 2]
        text = pattern.format(THINGS[n % len(THINGS)]).replace("#", str(n)).capitalize() + f", order {n}."
        if several and n % 2:
            text = f"Hello, this is number {n}. {text}"
        found.append(ticket(n, text, kind, language))
    return found


def ticket(n: int, text: str, kind: int, language: str = "en") -> LabelledTicket:
    """One ticket: kind 0 praises tangibles, 1 blames them, 2 does neither."""
    yes = (
        ["sentiment:pos", "dimension:tangibles:pos"],
        ["sentiment:neg", "dimension:tangibles:neg", "gap:delivery"],
        ["sentiment:neu"],
    )[kind]
    judged = expand_groups(["sentiment", "dimension:tangibles", "gap:delivery"])
    return LabelledTicket(
        f"t{n}", f"t{n}", text, complete(yes, judged - set(yes)), Source("made.csv", n), language=language
    )


def write_table(path: Path, rows: list[LabelledTicket]) -> Path:
    """Write tickets as a company's CSV: one column of labels, under gapnlp's own names."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["ticket id", "text", "labels", "language"])
        for row in rows:
            writer.writerow([row.id, row.text, "; ".join(k for k, v in row.given.items() if v), row.language])
    return path
