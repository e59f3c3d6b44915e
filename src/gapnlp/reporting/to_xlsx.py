"""GapReport -> XLSX for analysts: every figure with its interval in columns of its own, and no cell that can run."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import xlsxwriter

from gapnlp.records.formulas import FORMULA_STARTS
from gapnlp.records.report import GapReport
from gapnlp.reporting.formats import clean, clip
from gapnlp.reporting.sheet_parts import Column, Row, Sheet
from gapnlp.reporting.sheets import SHEETS
from gapnlp.reporting.words import Words, load_words

# A cell holds 32,767 characters at most; the guard may add one.
_CELL = 32_000
# What spreadsheet programs take for the start of a formula, in their full-width forms too (OWASP, CSV injection).
_FORMULA_STARTS = (*FORMULA_STARTS, "\n")
_NUMBER_FORMATS: Mapping[str, Mapping[str, Any]] = {
    "text": {"text_wrap": True, "valign": "top"},
    "share": {"num_format": "0.0%", "valign": "top"},
    "scale": {"num_format": "0.00", "valign": "top"},
    "whole": {"num_format": "#,##0", "valign": "top"},
    "tiny": {"num_format": "0.0000", "valign": "top"},
    "date": {"num_format": "yyyy-mm-dd", "valign": "top", "align": "left"},
}
# Fixed, so that the same report gives the same bytes.
_CREATED = datetime(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class _Look:
    head: Any
    kinds: Mapping[str, Any]


def render_xlsx(report: GapReport, ui: str = "en") -> bytes:
    """Render the report as an Excel workbook; the same report always gives the same bytes."""
    return render_workbook(report, load_words(ui))


def render_workbook(report: GapReport, words: Words) -> bytes:
    """Render the report's workbook in given words."""
    return write_workbook({words.say(f"sheet.{name}"): build(report, words) for name, build in SHEETS.items()}, words)


def write_workbook(sheets: Mapping[str, Sheet], words: Words) -> bytes:
    """Write sheets, by their names and in their order, as a workbook."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(buffer, options) as workbook:
        workbook.set_properties({"title": words.say("page.title"), "author": "gapnlp", "created": _CREATED})
        look = _Look(
            workbook.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1, "bg_color": "#E8ECF1"}),
            {kind: workbook.add_format(dict(props)) for kind, props in _NUMBER_FORMATS.items()},
        )
        for name, (columns, rows) in sheets.items():
            _write_sheet(workbook.add_worksheet(name), columns, rows=rows, look=look)
    return buffer.getvalue()


def guard(text: str) -> str:
    """Make a text harmless even after the sheet is saved as CSV and opened again: it gets a leading apostrophe."""
    shown = clip(clean(text), _CELL)
    return f"'{shown}" if shown.startswith(_FORMULA_STARTS) or shown.lstrip().startswith(_FORMULA_STARTS) else shown


def _write_sheet(sheet: Any, columns: Sequence[Column], *, rows: Iterable[Row], look: _Look) -> None:
    for at, column in enumerate(columns):
        sheet.set_column(at, at, column.width)
        sheet.write_string(0, at, guard(column.title), look.head)
    last = 0
    for last, row in enumerate(rows, start=1):
        for at, (column, value) in enumerate(zip(columns, row, strict=True)):
            if value is not None:
                _WRITERS[_kind(value)](sheet, (last, at), value, look.kinds[column.kind])
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, last, len(columns) - 1)


def _kind(value: object) -> type:
    if isinstance(value, bool | str):
        return type(value)
    return date if isinstance(value, date) else float


def _write_text(sheet: Any, at: tuple[int, int], value: str, style: Any) -> None:
    sheet.write_string(*at, guard(value), style)


def _write_date(sheet: Any, at: tuple[int, int], value: date, style: Any) -> None:
    """Write a date; those before 1900, which Excel does not know, as text."""
    if value.year < 1900:
        sheet.write_string(*at, value.isoformat(), style)
    else:
        sheet.write_datetime(*at, datetime(value.year, value.month, value.day), style)


_WRITERS: Mapping[type, Callable[[Any, tuple[int, int], Any, Any], None]] = {
    str: _write_text,
    bool: lambda sheet, at, value, style: sheet.write_boolean(*at, value, style),
    date: _write_date,
    float: lambda sheet, at, value, style: sheet.write_number(*at, value, style),
}
