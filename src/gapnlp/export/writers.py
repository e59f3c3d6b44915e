"""Rows -> CSV, JSON Lines or Parquet, chunk by chunk: memory does not grow with the file."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gapnlp.errors import InputError
from gapnlp.export.rows import Row
from gapnlp.records.formulas import FORMULA_STARTS

Columns = Mapping[str, type]
Chunks = Iterable[Sequence[Row]]

# Names of files and ids can hold lone surrogates, which UTF-8 cannot: they are written as escapes.
_LONE = "backslashreplace"
_ARROW_TYPES = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}


def write_csv(path: Path, columns: Columns, chunks: Chunks) -> None:
    """Write UTF-8 with a byte-order mark, as spreadsheets want it; texts that look like formulas get a leading '."""
    with path.open("w", encoding="utf-8-sig", errors=_LONE, newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for rows in chunks:
            writer.writerows([_cell(row.get(c)) for c in columns] for row in rows)


def write_jsonl(path: Path, columns: Columns, chunks: Chunks) -> None:
    """Write one JSON object a line, every column in it, texts as they were."""
    with path.open("w", encoding="utf-8", errors=_LONE, newline="\n") as file:
        for rows in chunks:
            for row in rows:
                file.write(json.dumps({c: row.get(c) for c in columns}, ensure_ascii=False) + "\n")


def write_parquet(path: Path, columns: Columns, chunks: Chunks) -> None:
    """Write typed columns, one row group a chunk."""
    schema = pa.schema([(c, _ARROW_TYPES[t]) for c, t in columns.items()])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for rows in chunks:
            whole = [{c: _whole(v) for c, v in row.items()} for row in rows]
            writer.write_table(pa.Table.from_pylist(whole, schema=schema))


def make_folder(folder: Path) -> None:
    """Make the folder that results go into. Raises InputError when it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: the folder cannot be made ({error.strerror}); choose another --out") from None


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a partial file to write to, beside `path`; it takes the path's place when all is written, else it goes."""
    partial = path.with_name(path.name + ".partial")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


WRITERS: Mapping[str, Callable[[Path, Columns, Chunks], None]] = {
    ".csv": write_csv,
    ".jsonl": write_jsonl,
    ".parquet": write_parquet,
}


def choose_writer(path: Path) -> Callable[[Path, Columns, Chunks], None]:
    """Pick the writer by the file's ending.

    Raises InputError for another ending.
    """
    writer = WRITERS.get(path.suffix.lower())
    if writer is None:
        raise InputError(f"{path.name}: results are written as {', '.join(WRITERS)}; choose one of these endings")
    return writer


def _whole(value: Any) -> Any:
    """Write a text's lone surrogates as escapes; leave any other value as it is."""
    return value.encode("utf-8", _LONE).decode() if isinstance(value, str) and not value.isascii() else value


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return "'" + value
    return value
