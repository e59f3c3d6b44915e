"""Feedback as it comes in: one item, or the reason why a row did not become one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

# Why a row that was read is not scored. scored + these four = rows read.
FAILURE_KINDS = ("failed", "duplicate", "empty", "unsupported")


@dataclass(frozen=True, slots=True)
class Source:
    """Where an item stands in what the user gave.

    file: name without folders. row: as a spreadsheet counts (header 1, first item 2) for tables; line number for
    JSONL; position from 1 for JSON arrays and Parquet.
    """

    file: str
    row: int


@dataclass(frozen=True, slots=True)
class Part:
    """One of the texts an item was put together from; `text[start:end]`, in code points.

    role: "title", "body", "positive" or "negative" (Booking.com asks for the last two apart).
    """

    role: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Feedback:
    """One feedback item before scoring.

    id: the export's own, or "file:row" where it has none. text: the parts joined by line feeds.
    rating: as written. satisfaction: the rating's place on its scale, in [0, 1]. language: the export's own claim
    (a lower-case ISO 639-1 code), checked later. group: the value of the --by column.
    notices: what was wrong in this row without stopping it ("date '31/02/2025' is no date").
    """

    id: str
    text: str
    source: Source
    parts: tuple[Part, ...] = ()
    date: date | None = None
    rating: float | None = None
    satisfaction: float | None = None
    language: str | None = None
    group: str | None = None
    notices: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Failure:
    """A row that was read and not scored: which, and why in plain words (never the row's text).

    kind: one of FAILURE_KINDS. language: of an unsupported item, as ISO 639-1.
    """

    source: Source
    kind: str
    reason: str
    id: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class ColumnRole:
    """One line of "what was recognised": a column, the role it was given, and why.

    role: "text", "title", "positive", "negative", "date", "rating", "id", "link", "language", "group", "ignored";
    in labelled files also "labels", "annotator", "ticket".
    """

    column: str
    role: str
    why: str


@dataclass(frozen=True, slots=True)
class Recognition:
    """How one input file was understood: printed to the user and kept in the report.

    format: "csv", "xlsx", "json", "jsonl" or "parquet". preset: name of the known export, or None.
    rating_scale: (lowest, highest) that ratings can take, or None without ratings.
    """

    file: str
    format: str
    encoding: str | None
    delimiter: str | None
    preset: str | None
    columns: tuple[ColumnRole, ...]
    rating_scale: tuple[float, float] | None = None
    sha256: str = ""
