"""How many rows there will be, for progress bars: quick, and only about right."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq
from pyarrow import ArrowException

from gapnlp.ingest.readers import format_of

_BLOCK = 1 << 20


def estimate_rows(paths: Sequence[Path]) -> int | None:
    """Rows over all files, or None when one of them does not tell without being read whole.

    Quoted line breaks count as rows, so the estimate is an upper bound for CSV.
    """
    counts = [_rows(path) for path in paths]
    return None if None in counts else sum(c for c in counts if c is not None)


def _rows(path: Path) -> int | None:
    kind = format_of(path)
    try:
        if kind == "parquet":
            return int(pq.read_metadata(path).num_rows)
        return _lines(path) if kind in ("csv", "jsonl") else None
    except (OSError, EOFError, zlib.error, ArrowException):
        return None  # a damaged file is the reader's to report, with what can be done about it


def _lines(path: Path) -> int:
    with gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb") as file:
        lines = sum(block.count(b"\n") for block in iter(lambda: file.read(_BLOCK), b""))
    return max(lines, 1)
