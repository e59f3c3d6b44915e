"""How much of a report the page shows, so that it stays under 2 MB whatever the input; the rest is in JSON and XLSX."""

from __future__ import annotations

from dataclasses import dataclass

MAX_BYTES = 2_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """How many of each are shown, and how many code points of a text.

    quotes: sentences per gap, and per side of a dimension. few_quotes: per cause, group or period.
    """

    quotes: int = 10
    few_quotes: int = 4
    text: int = 500
    name: int = 80
    cells: int = 40
    measures: int = 12
    causes: int = 20
    rows: int = 50
    files: int = 20
    columns: int = 40


# Tried in turn until the page fits.
LADDER = (
    Limits(),
    Limits(quotes=6, few_quotes=2, text=300, cells=30, causes=12, rows=30, files=10, columns=25),
    Limits(quotes=2, few_quotes=1, text=160, name=40, cells=12, causes=6, rows=10, files=4, columns=12),
)
