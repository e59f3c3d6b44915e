"""Parquet: read in batches, nested fields with dotted names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from gapnlp.errors import InputError
from gapnlp.ingest.layout import Layout, Row, Sniffed, take_head

BATCH_ROWS = 8_192


def sniff_parquet(path: Path) -> Sniffed:
    """Find the columns from the schema; structs are flattened. Raises InputError when the file is no Parquet."""
    with _open(path) as file:
        columns = tuple(_flat(pa.Table.from_batches([], schema=file.schema_arrow)).column_names)
    layout = Layout("parquet", columns)
    return Sniffed(layout, take_head(read_parquet(path, layout)))


def read_parquet(path: Path, layout: Layout) -> Iterator[Row]:
    """Stream the rows, BATCH_ROWS at a time; numbers are positions from 1."""
    number = 0
    with _open(path) as file:
        for batch in file.iter_batches(batch_size=BATCH_ROWS):
            table = _flat(pa.Table.from_batches([batch]))
            for cells in zip(*(table.column(i).to_pylist() for i in range(table.num_columns)), strict=True):
                number += 1
                yield Row(number, cells)


def _open(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except pa.ArrowException as error:
        raise InputError(f"{path.name}: cannot be read as Parquet ({type(error).__name__}); write it again") from None


def _flat(table: pa.Table) -> pa.Table:
    """Flatten structs until none is left: a struct "a" with a field "b" becomes the column "a.b"."""
    while any(pa.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()
    return table
