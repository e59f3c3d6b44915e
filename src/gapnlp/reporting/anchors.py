"""The places in the HTML page that bars, points and numbers link to."""

from __future__ import annotations


def gap_anchor(gap: str) -> str:
    """Where a gap is told."""
    return f"gap-{gap}"


def dimension_anchor(dimension: str) -> str:
    """Where a dimension is told."""
    return f"dimension-{dimension}"


def cell_anchor(breakdown: int, cell: int) -> str:
    """Where a group or period is told: numbers, as a group's name may hold anything."""
    return f"cell-{breakdown}-{cell}"


def promise_anchor(place: int) -> str:
    """Where a promise is told: its place in the ledger, from 0."""
    return f"promise-{place}"


def words_anchor(anchor: str) -> str:
    """Where the sentences behind a figure stand, inside its <details>: a browser opens it on arrival."""
    return f"{anchor}-words"
