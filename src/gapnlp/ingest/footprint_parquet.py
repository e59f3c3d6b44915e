"""What a Parquet file's texts take in memory, told from its dictionaries before they are spread out over the rows."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gapnlp.errors import InputError
from gapnlp.ingest.arrow_tables import BATCH_ROWS
from gapnlp.ingest.limits import UploadLimits

# Bytes of a row group's column, and of the texts that the reader holds at a time.
_MOST_CHUNK_BYTES = 400_000_000
_MOST_BATCH_BYTES = 400_000_000


def check_parquet_texts(path: Path, limits: UploadLimits) -> None:
    """Check a Parquet file's rows, columns and texts without spreading the texts out. Raises InputError."""
    try:
        texts = _check_footer(path, limits)
        # Dictionaries stay dictionaries: one long text that fills a million rows is seen once.
        with pq.ParquetFile(path, read_dictionary=texts) as file:
            for number, batch in enumerate(file.iter_batches(batch_size=BATCH_ROWS, columns=texts)):
                _check_batch(batch, path, limits, number * BATCH_ROWS + 1)
    except (pa.ArrowException, OSError):
        raise InputError(f"{path.name}: cannot be read as Parquet, or breaks off; write it again") from None


def _check_footer(path: Path, limits: UploadLimits) -> list[str]:
    """Check rows, columns and sizes; gives the paths of the columns that hold texts."""
    footer = pq.read_metadata(path)
    if footer.num_rows > limits.rows:
        raise InputError(f"{path.name}: has more than {limits.rows:,} rows, which is the most: split the file")
    if footer.num_columns > limits.columns:
        raise InputError(
            f"{path.name}: has {footer.num_columns:,} columns; at most {limits.columns:,} are taken: leave some out"
        )
    groups = (footer.row_group(i) for i in range(footer.num_row_groups))
    chunks = (group.column(i) for group in groups for i in range(group.num_columns))
    if any(chunk.total_uncompressed_size > _MOST_CHUNK_BYTES for chunk in chunks):
        raise InputError(
            f"{path.name}: a row group's column has more than {_MOST_CHUNK_BYTES:,} bytes; write smaller ones"
        )
    columns = (footer.schema.column(i) for i in range(footer.num_columns))
    return [c.path for c in columns if c.physical_type == "BYTE_ARRAY"]


def _check_batch(batch: pa.RecordBatch, path: Path, limits: UploadLimits, first: int) -> None:
    rows, spread = f"rows {first:,} to {first + batch.num_rows - 1:,}", 0
    # Letters that are none would break the reader when it comes to them.
    batch.validate(full=True)
    for column in batch.columns:
        for longest, total in _lengths(column):
            spread += total
            if longest > limits.cell_characters:
                raise InputError(
                    f"{path.name}, {rows}: a cell has {longest:,} characters; at most {limits.cell_characters:,} are "
                    "taken: shorten it or leave the column out"
                )
    if spread > _MOST_BATCH_BYTES:
        raise InputError(f"{path.name}, {rows}: hold more than {_MOST_BATCH_BYTES:,} bytes of text; shorten the texts")


def _lengths(column: pa.Array) -> list[tuple[int, int]]:
    """(characters of the longest, bytes of all) of a column's texts, for each text inside nested values."""
    if isinstance(column, pa.StructArray):
        return [pair for field in column.flatten() for pair in _lengths(field)]
    if isinstance(column, (pa.ListArray, pa.LargeListArray)):
        return _lengths(column.flatten())
    if isinstance(column, pa.DictionaryArray):
        if not _is_text(column.type.value_type):
            return []
        sizes = pc.binary_length(column.dictionary)
        return [(_longest(column.dictionary), _number(pc.sum(pc.take(sizes, column.indices))))]
    return [(_longest(column), _number(pc.sum(pc.binary_length(column))))] if _is_text(column.type) else []


def _longest(texts: pa.Array) -> int:
    is_string = pa.types.is_string(texts.type) or pa.types.is_large_string(texts.type)
    return _number(pc.max(pc.utf8_length(texts) if is_string else pc.binary_length(texts)))


def _is_text(kind: pa.DataType) -> bool:
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    return any(test(kind) for test in tests)


def _number(value: pa.Scalar) -> int:
    return int(value.as_py() or 0)
