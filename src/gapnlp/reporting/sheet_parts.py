"""Pieces that the sheets of the report and of the ledger share: columns, figures, sentences, what was read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from gapnlp.records.feedback import Recognition
from gapnlp.records.report import Estimate, Evidence, ModelUsed
from gapnlp.reporting.summary import Finding, Tile
from gapnlp.reporting.words import Words

Value = str | int | float | bool | date | None
Row = Sequence[Value]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, how its numbers are written, and its width in characters.

    kind: "text", "share", "scale", "whole", "tiny" (p and q) or "date".
    """

    title: str
    kind: str = "text"
    width: float = 14


Sheet = tuple[Sequence[Column], Iterable[Row]]


def summary_columns(words: Words) -> tuple[Column, ...]:
    """Give the columns of findings: topic, finding, detail."""
    return (
        Column(words.say("sheet.topic"), width=26),
        Column(words.say("sheet.finding"), width=70),
        Column(words.say("sheet.detail"), width=90),
    )


def finding_rows(tiles: Iterable[Tile], findings: Iterable[Finding]) -> list[Row]:
    """Fill those columns with the large figures and then the findings."""
    rows: list[Row] = [(tile.label, tile.value, tile.note) for tile in tiles]
    rows.extend((finding.topic, finding.headline, finding.detail) for finding in findings)
    return rows


def estimate_columns(words: Words, name: str, kind: str) -> tuple[Column, ...]:
    """Give a figure four columns: value, both ends of its interval, n."""
    return (
        Column(name, kind),
        Column(words.say("sheet.low", name=name), kind),
        Column(words.say("sheet.high", name=name), kind),
        Column(words.say("sheet.n", name=name), "whole", 10),
    )


def estimate_cells(estimate: Estimate | None) -> tuple[float | None, float | None, float | None, int | None]:
    """Fill those four columns; empty where there is no figure."""
    return (estimate.value, estimate.low, estimate.high, estimate.n) if estimate else (None, None, None, None)


def evidence_columns(words: Words) -> tuple[Column, ...]:
    """Give the columns of sentences, with what each is evidence of and where it stands."""
    say = words.say
    return (
        Column(say("sheet.about"), width=40),
        Column(say("sheet.kind"), width=12),
        Column(say("sheet.sentence"), width=80),
        Column(say("sheet.before"), width=30),
        Column(say("sheet.after"), width=30),
        Column(say("sheet.id"), width=20),
        Column(say("data.file"), width=24),
        Column(say("data.row"), "whole", 8),
        Column(say("sheet.start"), "whole", 8),
        Column(say("sheet.end"), "whole", 8),
        Column(say("sheet.date"), "date", 12),
        Column(say("data.language"), width=12),
        Column(say("sheet.rating"), "scale", 10),
        Column(say("sheet.group"), width=20),
        Column(say("sheet.probability"), "share", 12),
    )


def evidence_row(about: str, entry: Evidence, words: Words) -> Row:
    """Fill the columns of one sentence."""
    kind = words.say(f"evidence.{entry.kind}") if words.has(f"evidence.{entry.kind}") else entry.kind
    place = (entry.item_id, entry.file, entry.row, entry.start, entry.end, entry.date)
    text = (entry.text, entry.before, entry.after)
    return (about, kind, *text, *place, words.language(entry.language), entry.rating, entry.group, entry.probability)


def intake_columns(words: Words) -> tuple[Column, ...]:
    """Give the columns of what was read: counts, files, columns and their roles."""
    say = words.say
    return (
        Column(say("data.outcome"), width=30),
        Column(say("data.file"), width=30),
        Column(say("data.rows"), "whole", 12),
        Column(say("data.column"), width=30),
        Column(say("data.role"), width=20),
        Column(say("data.reason"), width=80),
    )


def source_rows(inputs: Iterable[Recognition], models: Iterable[ModelUsed], words: Words) -> Iterator[Row]:
    """Give one row per column of each file read, and one per model."""
    say = words.say
    for given in inputs:
        for column in given.columns:
            role = say(f"role.{column.role}") if words.has(f"role.{column.role}") else column.role
            yield (say("data.files"), given.file, None, column.column, role, column.why)
    for model in models:
        told = f"{model.name} {model.version}"
        yield (say("models.name"), None, None, None, words.language(model.language), told)
