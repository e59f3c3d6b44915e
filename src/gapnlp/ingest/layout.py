"""What every reader says about a file (Layout) and hands out of it (Row)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

# Rows that columns, dates and rating scales are recognised from.
HEAD_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is laid out, found out from its beginning.

    format: a key of readers.READERS. columns: unique names in file order. encoding, delimiter: None where the format
    has none. first_row: number of the header's row. sheet: of a workbook. list_key: name of the list inside a JSON
    object. note: something that the user should know about the layout, for the "why" of the text column.
    """

    format: str
    columns: tuple[str, ...]
    encoding: str | None = None
    delimiter: str | None = None
    first_row: int = 1
    sheet: str | None = None
    list_key: str | None = None
    note: str = ""


class Row(NamedTuple):
    """One row: its number (as records.feedback.Source counts) and its cells in the order of Layout.columns.

    problem: why the row cannot be used (its cells are then empty). notice: what was mended in it.
    """

    number: int
    cells: Sequence[object]
    problem: str | None = None
    notice: str | None = None


@dataclass(frozen=True, slots=True)
class Sniffed:
    """A file's layout and its first HEAD_ROWS usable rows of cells."""

    layout: Layout
    head: tuple[Sequence[object], ...]


def take_head(rows: Iterator[Row]) -> tuple[Sequence[object], ...]:
    """Collect the cells of the first HEAD_ROWS rows, without those that cannot be used."""
    return tuple(row.cells for row in islice(rows, HEAD_ROWS) if row.problem is None)


def unique_names(header: Sequence[object]) -> tuple[str, ...]:
    """Name columns so that each name is there once: a repeated "Comment" becomes "Comment (2)".

    Nameless columns are called by their position, "column 3".
    """
    taken: set[str] = set()
    names = []
    for position, cell in enumerate(header, start=1):
        wanted = ("" if cell is None else str(cell)).strip("\ufeff \t\r\n") or f"column {position}"
        name, copy = wanted, 1
        while name in taken:
            copy += 1
            name = f"{wanted} ({copy})"
        taken.add(name)
        names.append(name)
    return tuple(names)
