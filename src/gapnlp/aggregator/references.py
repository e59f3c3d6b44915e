"""The table of expectations that a user gives: what perceptions are compared with, and where it comes from."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path

from gapnlp.errors import InputError
from gapnlp.records.labels import DIMENSIONS
from gapnlp.records.report import Reference
from gapnlp.taxonomy.catalogue import UI_LANGUAGES, load_wording

DELIMITERS = (";", "\t", ",")
LOWEST, HIGHEST = 1.0, 7.0

# Column names that are understood, case aside: in English, Polish and Chinese.
HEADERS: Mapping[str, tuple[str, ...]] = {
    "dimension": ("dimension", "wymiar", "维度", "維度"),
    "expectation": ("e", "expectation", "expected", "oczekiwanie", "oczekiwania", "期望", "期望值", "期望分"),
    "source": ("source", "źródło", "zrodlo", "来源", "來源"),
}

_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")
_QUOTES = "put cells that hold the delimiter (a decimal comma, a comma in the source) in double quotes"
_EXAMPLE = "the first line must name the columns dimension, E, source"


def read_references(path: Path) -> dict[str, Reference]:
    """Read a table of expectations: dimension, E on the 1-7 scale, source; dimension -> Reference.

    The delimiter may be a comma, semicolon or tab, decimals may be written with a comma, dimensions by key or by name
    in English, Polish or Chinese. Dimensions may be missing; a source may not.
    Raises InputError, naming the line, for anything that is not understood.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name}: not UTF-8; save the table as CSV in UTF-8") from error
    except OSError as error:
        raise InputError(f"{path.name}: cannot be read ({error.strerror}); check --expectations") from error
    return parse_references(text, path.name)


def parse_references(text: str, name: str) -> dict[str, Reference]:
    """Read the text of a table; name: of the file, for messages. Raises InputError like `read_references`."""
    lines = text.splitlines()
    first = next((line for line in lines if line.strip()), "")
    if not first:
        raise InputError(f"{name}: the table is empty; {_EXAMPLE}")
    delimiter = max(DELIMITERS, key=first.count)
    rows = csv.reader(lines, delimiter=delimiter)
    places: dict[str, int] | None = None
    width = 0
    references: dict[str, Reference] = {}
    for row in rows:
        if not any(cell.strip() for cell in row):
            continue
        if places is None:
            places, width = _find_columns(row, name), len(row)
            continue
        if len(row) != width:
            raise InputError(f"{name}, line {rows.line_num}: {len(row)} cells instead of {width}; {_QUOTES}")
        dimension, reference = _read_row(row, places, where=f"{name}, line {rows.line_num}")
        if dimension in references:
            raise InputError(f"{name}, line {rows.line_num}: {dimension} stands there twice; keep one line for it")
        references[dimension] = reference
    if not references:
        raise InputError(
            f"{name}: no expectations below the first line; add a line such as reliability,6.2,survey 2024"
        )
    return references


def _find_columns(header: Sequence[str], name: str) -> dict[str, int]:
    """Find which column holds what: role -> place."""
    cells = [cell.strip().casefold() for cell in header]
    places = {}
    for role, names in HEADERS.items():
        found = [i for i, cell in enumerate(cells) if cell in names]
        if len(found) != 1:
            raise InputError(f"{name}, first line: {len(found)} columns for the {role}; {_EXAMPLE}")
        places[role] = found[0]
    return places


def _read_row(row: Sequence[str], places: Mapping[str, int], *, where: str) -> tuple[str, Reference]:
    dimension = _find_dimension(row[places["dimension"]], where)
    source = row[places["source"]].strip()
    if not source:
        raise InputError(f"{where}: no source; say where this expectation comes from")
    return dimension, Reference(_read_expectation(row[places["expectation"]], where), source)


def _read_expectation(cell: str, where: str) -> float:
    written = cell.strip()
    value = float(written.replace(",", ".")) if _NUMBER.fullmatch(written) else float("nan")
    if not isfinite(value) or not LOWEST <= value <= HIGHEST:
        raise InputError(f"{where}: expectation {written!r} is no number from 1 to 7")
    return value


def _find_dimension(cell: str, where: str) -> str:
    written = cell.strip().casefold()
    if written in DIMENSIONS:
        return written
    for language in UI_LANGUAGES:
        wording = load_wording(language)
        for dimension in DIMENSIONS:
            if wording.term("dimension", dimension).name.casefold() == written:
                return dimension
    raise InputError(f"{where}: unknown dimension {cell.strip()!r}; use one of {', '.join(DIMENSIONS)}")
