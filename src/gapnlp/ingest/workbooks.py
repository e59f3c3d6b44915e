"""XLSX: the first sheet that holds anything, with its cells' own types."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from gapnlp.errors import InputError
from gapnlp.ingest.layout import Layout, Row, Sniffed, take_head, unique_names


def sniff_workbook(path: Path) -> Sniffed:
    """Take the first sheet with cells and its first filled row as the header. Raises InputError when there is none."""
    workbook = _open(path)
    sheets = {name: workbook.get_sheet_by_name(name) for name in workbook.sheet_names}
    filled = [name for name, sheet in sheets.items() if sheet.start is not None and any(map(_is_filled, _cells(sheet)))]
    if not filled:
        raise InputError(f"{path.name}: the workbook is empty; give a sheet with a header row")
    note = f"sheet {filled[0]!r}, the first of {len(filled)} with cells" if len(filled) > 1 else ""
    numbered = enumerate(_cells(sheets[filled[0]]), start=1)
    first, header = next((number, row) for number, row in numbered if _is_filled(row))
    layout = Layout("xlsx", unique_names(_without_tail(header)), first_row=first, sheet=filled[0], note=note)
    return Sniffed(layout, take_head(read_workbook(path, layout)))


def read_workbook(path: Path, layout: Layout) -> Iterator[Row]:
    """Hand out the rows below the header, the sheet being held in memory; empty rows are counted and left out."""
    width = len(layout.columns)
    sheet = _open(path).get_sheet_by_name(layout.sheet or "")
    for number, cells in enumerate(_cells(sheet), start=1):
        if number > layout.first_row and _is_filled(cells):
            yield Row(number, cells[:width] + [None] * (width - len(cells)))


def _open(path: Path) -> CalamineWorkbook:
    try:
        return CalamineWorkbook.from_path(path)
    except (CalamineError, OSError) as error:
        raise InputError(
            f"{path.name}: cannot be read as XLSX ({type(error).__name__}); save it again as .xlsx"
        ) from None


def _cells(sheet: CalamineSheet) -> Iterator[list[object]]:
    """All rows from the sheet's first on, so that their numbers are those that a spreadsheet shows."""
    return (list[object](cells) for cells in sheet.to_python(skip_empty_area=False))


def _is_filled(cells: list[object]) -> bool:
    return any(cell != "" and cell is not None for cell in cells)


def _without_tail(header: list[object]) -> list[object]:
    """Leave out the nameless columns at the end of a header."""
    last = max(i for i, cell in enumerate(header) if cell != "" and cell is not None)
    return header[: last + 1]
