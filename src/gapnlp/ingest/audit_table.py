"""The table of an audit: one row a segment, its place, and what people say of it; CSV, XLSX and other tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from gapnlp.errors import InputError
from gapnlp.ingest.readers import read_rows, sniff_file
from gapnlp.records.audit import AUDIT_GROUPS, PRESENCES, AuditRow, AuditTable, SegmentKey
from gapnlp.records.labels import (
    DIMENSIONS,
    EXPECTATIONS,
    GAPS,
    POLARITIES,
    SENTIMENTS,
    dimension_label,
    expectation_label,
    gap_label,
    sentiment_label,
)

# Columns that a table must have; "item", "file", "text", "language", "model_version" and "done" may be missing.
_PLACE = ("row", "start", "end")
_YES = frozenset({"1", "true", "yes", "y", "x", "tak", "prawda", "是", "true()"})
_NO = frozenset({"", "0", "false", "no", "n", "nie", "fałsz", "否", "false()"})


def read_audit(path: Path) -> AuditTable:
    """Read an audit table: the rows that people have labelled; rows that wait are counted.

    A row is labelled when its `done` cell says yes; without such a column, when any of its label cells is filled.
    Raises InputError, naming the line, for a missing column, a word that is no label, or a segment that is there twice.
    """
    layout = sniff_file(path).layout
    names = [name.strip().casefold() for name in layout.columns]
    _check_columns(names, path.name)
    rows: list[AuditRow] = []
    waiting = 0
    for row in read_rows(path, layout):
        where = f"{path.name}, row {row.number}"
        if row.problem is not None:
            raise InputError(f"{where}: {row.problem}; mend the row")
        cells = dict(zip(names, map(_plain, row.cells), strict=False))
        if _is_done(cells, where):
            rows.append(_read_row(cells, row.number, where))
        else:
            waiting += 1
    _check_twice(rows, path.name)
    if not rows:
        raise InputError(f"{path.name}: no row is labelled yet; fill in the label columns and write yes under done")
    return AuditTable(path.name, tuple(rows), waiting)


def _plain(cell: object) -> str:
    """Write a cell as text; whole numbers, which workbooks hold as floats, without a decimal point."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _check_columns(names: Sequence[str], file: str) -> None:
    missing = [name for name in _PLACE if name not in names]
    if missing:
        raise InputError(f"{file}: no column {', '.join(missing)}; each segment is named by row, start and end")
    if not any(group in names for group in AUDIT_GROUPS):
        raise InputError(f"{file}: no column of labels; give at least one of {', '.join(AUDIT_GROUPS)}")


def _check_twice(rows: Sequence[AuditRow], file: str) -> None:
    seen: dict[SegmentKey, int] = {}
    for row in rows:
        if row.key in seen:
            raise InputError(f"{file}, row {row.line}: the segment of row {seen[row.key]} again; keep one of them")
        seen[row.key] = row.line


def _is_done(cells: Mapping[str, str], where: str) -> bool:
    if "done" in cells:
        return _yes_or_no(cells["done"], "done", where)
    return any(cells.get(group) for group in AUDIT_GROUPS)


def _read_row(cells: Mapping[str, str], line: int, where: str) -> AuditRow:
    given: dict[str, bool] = {}
    for group, read in _GROUPS.items():
        if group in cells:
            true = set(read(cells[group], where))
            given |= {label: label in true for label in AUDIT_GROUPS[group]}
    row, start, end = (_whole(cells[name], name, where) for name in _PLACE)
    if not start < end:
        raise InputError(f"{where}: the segment ends where it starts or before; copy start and end from the sample")
    return AuditRow(
        key=SegmentKey(row, start, end, cells.get("file") or None),
        item=cells.get("item", ""),
        text=cells.get("text", ""),
        given=given,
        line=line,
        language=cells.get("language") or None,
        model_version=cells.get("model_version") or None,
    )


def _whole(cell: str, name: str, where: str) -> int:
    if not cell.isdecimal():
        raise InputError(f"{where}: {name} is no whole number; copy the column from the sample")
    return int(cell)


def _sentiment(cell: str, where: str) -> Iterator[str]:
    if not cell:
        raise InputError(f"{where}: no sentiment; give one of {', '.join(SENTIMENTS)}, or empty the cell under done")
    yield sentiment_label(_known(cell, SENTIMENTS, "sentiment", where))


def _dimensions(cell: str, where: str) -> Iterator[str]:
    found: set[str] = set()
    for entry in _entries(cell):
        name, _, polarity = entry.partition(":")
        dimension = _known(name, DIMENSIONS, "dimension", where)
        if dimension in found:
            raise InputError(f"{where}: {dimension} stands there twice; praise and fault at once is {dimension}:neu")
        found.add(dimension)
        yield dimension_label(dimension, _known(polarity, POLARITIES, f"polarity of {dimension}", where))
        yield PRESENCES[DIMENSIONS.index(dimension)]


def _gaps(cell: str, where: str) -> Iterator[str]:
    for entry in _entries(cell):
        yield gap_label(_known(entry, GAPS, "gap", where))


def _expectation(cell: str, where: str) -> Iterator[str]:
    if cell and (known := _known(cell, EXPECTATIONS, "expectation", where)) != "none":
        yield expectation_label(known)


def _churn(cell: str, where: str) -> Iterator[str]:
    if _yes_or_no(cell, "churn", where):
        yield "churn"


# Column -> what turns its cell into the labels that are true.
_GROUPS: Mapping[str, Callable[[str, str], Iterator[str]]] = {
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


def _known(word: str, known: Sequence[str], what: str, where: str) -> str:
    folded = word.strip().casefold()
    if folded not in known:
        raise InputError(f"{where}: the {what} is not one of {', '.join(known)}")
    return folded


def _yes_or_no(cell: str, name: str, where: str) -> bool:
    folded = cell.casefold()
    if folded in _YES:
        return True
    if folded in _NO:
        return False
    raise InputError(f"{where}: {name} is neither yes nor no")
