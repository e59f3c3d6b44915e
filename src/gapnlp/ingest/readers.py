"""One reader per file format; READERS is the list of what can be read."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from gzip import BadGzipFile
from pathlib import Path

from pyarrow import ArrowException

from gapnlp.errors import InputError
from gapnlp.ingest.arrow_tables import read_parquet, sniff_parquet
from gapnlp.ingest.delimited import read_delimited, sniff_delimited
from gapnlp.ingest.layout import Layout, Row, Sniffed
from gapnlp.ingest.structured import (
    Entry,
    json_entries,
    jsonl_entries,
    read_json,
    read_jsonl,
    sniff_json,
    sniff_jsonl,
)
from gapnlp.ingest.workbooks import read_workbook, sniff_workbook


@dataclass(frozen=True, slots=True)
class Reader:
    """How to read a format: sniff finds out layout and first rows, rows hands out every row once."""

    sniff: Callable[[Path], Sniffed]
    rows: Callable[[Path, Layout], Iterator[Row]]


READERS: dict[str, Reader] = {
    "csv": Reader(sniff_delimited, read_delimited),
    "xlsx": Reader(sniff_workbook, read_workbook),
    "json": Reader(sniff_json, read_json),
    "jsonl": Reader(sniff_jsonl, read_jsonl),
    "parquet": Reader(sniff_parquet, read_parquet),
}

# Formats that nest: every item as it is.
ENTRIES: dict[str, Callable[[Path, Layout], Iterator[Entry]]] = {"json": json_entries, "jsonl": jsonl_entries}

# File ending -> key of READERS.
ENDINGS: dict[str, str] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".xlsx": "xlsx",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".csv.gz": "csv",
    ".tsv.gz": "csv",
    ".txt.gz": "csv",
    ".json.gz": "json",
    ".jsonl.gz": "jsonl",
    ".ndjson.gz": "jsonl",
}


def format_of(path: Path) -> str | None:
    """Name the format that a file's ending stands for, or None when it cannot be read."""
    name = path.name.lower()
    return next((ENDINGS[ending] for ending in ENDINGS if name.endswith(ending)), None)


def sniff_file(path: Path) -> Sniffed:
    """Find out a file's layout and first rows. Raises InputError when it cannot be read."""
    kind = format_of(path)
    if kind is None:
        raise InputError(f"{path.name}: this kind of file cannot be read; give one of {', '.join(ENDINGS)}")
    try:
        return READERS[kind].sniff(path)
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(path, error) from None


def read_rows(path: Path, layout: Layout) -> Iterator[Row]:
    """Hand out every row of a file. Raises InputError when the file breaks off (a damaged archive, a lost disk)."""
    try:
        yield from READERS[layout.format].rows(path, layout)
    except (OSError, EOFError, zlib.error, ArrowException) as error:
        raise _unreadable(path, error) from None


def read_entries(path: Path, layout: Layout) -> Iterator[Entry]:
    """Hand out every item of a file with its nesting kept; a table's rows become objects of columns and cells.

    Raises InputError when the file breaks off.
    """
    nested = ENTRIES.get(layout.format)
    if nested is None:
        for row in read_rows(path, layout):
            yield Entry(row.number, dict(zip(layout.columns, row.cells, strict=False)), row.problem)
        return
    try:
        yield from nested(path, layout)
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> InputError:
    cause = "the archive is damaged" if isinstance(error, (EOFError, BadGzipFile, zlib.error)) else str(error)
    return InputError(f"{path.name}: cannot be read to its end ({cause}); copy or export it again")
