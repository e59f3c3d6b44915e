"""Cells that people fill in about a segment ("reliability:neg; empathy:pos") -> gapnlp's labels.

One reading for audits and for training: columns are the keys of records.audit.AUDIT_GROUPS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from gapnlp.records.audit import AUDIT_GROUPS
from gapnlp.records.formulas import FORMULA_STARTS
from gapnlp.records.labels import (
    CHURN,
    DIMENSIONS,
    EXPECTATIONS,
    GAPS,
    POLARITIES,
    SENTIMENTS,
    dimension_label,
    expectation_label,
    gap_label,
    presence_label,
    sentiment_label,
)

_YES = frozenset({"1", "true", "yes", "y", "x", "tak", "prawda", "是", "true()"})
_NO = frozenset({"", "0", "false", "no", "n", "nie", "fałsz", "否", "false()"})


class LabelCellError(ValueError):
    """A cell is no label; the message says what may stand there, without quoting it."""


def read_label_cell(group: str, cell: str) -> dict[str, bool]:
    """Read the cell of a group (a key of AUDIT_GROUPS): every label of the group -> whether it is given.

    An empty cell gives none of them. Raises LabelCellError for a word that is no label.
    """
    given = frozenset(_READERS[group](cell))
    return {label: label in given for label in AUDIT_GROUPS[group]}


def is_done(cell: str) -> bool:
    """Tell whether a cell under `done` is filled: anything but a no says that the row was judged."""
    return cell.strip().casefold() not in _NO


def unguarded(text: str) -> str:
    """Take off the apostrophe that keeps spreadsheets from reading a text as a formula."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA_STARTS) else text


def _sentiment(cell: str) -> Iterator[str]:
    if cell.strip():
        yield sentiment_label(_known(cell, SENTIMENTS, "sentiment"))


def _dimensions(cell: str) -> Iterator[str]:
    found: set[str] = set()
    for entry in _entries(cell):
        name, _, polarity = entry.partition(":")
        dimension = _known(name, DIMENSIONS, "dimension")
        if dimension in found:
            raise LabelCellError(f"{dimension} stands there twice; praise and fault at once is {dimension}:neu")
        found.add(dimension)
        yield dimension_label(dimension, _known(polarity, POLARITIES, f"polarity of {dimension}"))
        yield presence_label(dimension)


def _gaps(cell: str) -> Iterator[str]:
    for entry in _entries(cell):
        yield gap_label(_known(entry, GAPS, "gap"))


def _expectation(cell: str) -> Iterator[str]:
    if cell.strip() and (known := _known(cell, EXPECTATIONS, "expectation")) != "none":
        yield expectation_label(known)


def _churn(cell: str) -> Iterator[str]:
    folded = cell.strip().casefold()
    if folded in _YES:
        yield CHURN
    elif folded not in _NO:
        raise LabelCellError("churn is neither yes nor no")


# Column -> what turns its cell into the labels that are given.
_READERS: Mapping[str, Callable[[str], Iterator[str]]] = {
    "sentiment": _sentiment,
    "dimensions": _dimensions,
    "gaps": _gaps,
    "expectation": _expectation,
    "churn": _churn,
}


def _entries(cell: str) -> list[str]:
    """Split a cell at semicolons or commas, also in their full-width forms."""
    for mark in ",；，、\n":
        cell = cell.replace(mark, ";")
    return [entry.strip() for entry in cell.split(";") if entry.strip()]


def _known(word: str, known: Sequence[str], what: str) -> str:
    folded = word.strip().casefold()
    if folded not in known:
        raise LabelCellError(f"the {what} is not one of {', '.join(known)}")
    return folded
