"""The table of an audit: one row a segment, its place, and what people say of it; CSV, XLSX and other tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from gapnlp.errors import InputError
from gapnlp.ingest.label_cells import LabelCellError, is_done, read_label_cell, unguarded
from gapnlp.ingest.readers import read_rows, sniff_file
from gapnlp.records.audit import AUDIT_GROUPS, AuditRow, AuditTable, SegmentKey
from gapnlp.records.labels import SENTIMENTS

# Columns that a table must have; "item", "file", "text", "language", "model_version" and "done" may be missing.
_PLACE = ("row", "start", "end")
# What `gapnlp review` writes under "reason" for segments drawn at random; its others were picked for being doubtful.
_AT_RANDOM = "audit"


def read_audit(path: Path) -> AuditTable:
    """Read an audit table: the rows that people have labelled; rows that wait are counted.

    A row is labelled when its `done` cell is filled, with anything but a no; without such a column, when any of its
    label cells is filled. Where there is a column `reason`, as `gapnlp review` writes it, only rows with "audit" there
    are part of the audit: the others are no random sample. They are counted and not looked at.
    Raises InputError, naming the line, for a missing column, a word that is no label, or a segment that is there twice.
    """
    layout = sniff_file(path).layout
    names = [name.strip().casefold() for name in layout.columns]
    _check_columns(names, path.name)
    rows: list[AuditRow] = []
    waiting = left_out = 0
    for row in read_rows(path, layout):
        where = f"{path.name}, row {row.number}"
        if row.problem is not None:
            raise InputError(f"{where}: {row.problem}; mend the row")
        cells = dict(zip(names, map(_plain, row.cells), strict=False))
        if cells.get("reason", _AT_RANDOM).casefold() != _AT_RANDOM:
            left_out += 1
        elif _is_done(cells):
            rows.append(_read_row(cells, row.number, where))
        else:
            waiting += 1
    _check_twice(rows, path.name)
    if not rows:
        raise InputError(_why_none(path.name, waiting, left_out))
    return AuditTable(path.name, tuple(rows), waiting, left_out)


def _why_none(file: str, waiting: int, left_out: int) -> str:
    if left_out and not waiting:
        return (
            f"{file}: no row was drawn at random (reason: {_AT_RANDOM}), so no share can be read off it; draw some "
            "with `gapnlp review --audit 100`, or take the column reason out if all rows are a random sample"
        )
    return f"{file}: no row is labelled yet; fill in the label columns and write yes under done"


def _plain(cell: object) -> str:
    """Write a cell as text; whole numbers, which workbooks hold as floats, without a decimal point."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return unguarded(str(cell).strip())


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


def _is_done(cells: Mapping[str, str]) -> bool:
    if "done" in cells:
        return is_done(cells["done"])
    return any(cells.get(group) for group in AUDIT_GROUPS)


def _read_row(cells: Mapping[str, str], line: int, where: str) -> AuditRow:
    given = _read_labels(cells, where)
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


def _read_labels(cells: Mapping[str, str], where: str) -> dict[str, bool]:
    if cells.get("sentiment") == "":
        raise InputError(f"{where}: no sentiment; give one of {', '.join(SENTIMENTS)}, or empty the cell under done")
    given: dict[str, bool] = {}
    try:
        for group in AUDIT_GROUPS:
            if group in cells:
                given |= read_label_cell(group, cells[group])
    except LabelCellError as error:
        raise InputError(f"{where}: {error}") from None
    return given


def _whole(cell: str, name: str, where: str) -> int:
    if not cell.isdecimal():
        raise InputError(f"{where}: {name} is no whole number; copy the column from the sample")
    return int(cell)
