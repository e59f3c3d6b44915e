"""How a cell's value may be shown in a notice: short, on one line, never a customer's text."""

from __future__ import annotations

QUOTED_CHARS = 40


def quote_value(value: object) -> str:
    """Quote the first QUOTED_CHARS characters of a date or rating, without control characters."""
    shown = "".join(c if c.isprintable() else " " for c in str(value)[:QUOTED_CHARS])
    return f"'{shown}'"
