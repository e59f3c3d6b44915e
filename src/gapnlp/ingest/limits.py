"""What an upload may cost: checked before a file is trusted with memory, by unpacking it once without keeping it."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyarrow.parquet as pq
from pyarrow import ArrowException

from gapnlp.errors import InputError
from gapnlp.ingest.layout import Layout
from gapnlp.ingest.readers import format_of, read_rows, sniff_file

_BLOCK = 1 << 20
# Rows after which a long check asks whether it should go on.
_ROWS_BETWEEN = 10_000
# An archive below this may be packed as tightly as it likes: a short text repeated is no attack.
_SMALL_BYTES = 10_000_000


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """The most that is taken: bytes as they are and unpacked, times a file grows by unpacking, rows, columns, cells."""

    upload_bytes: int
    decompressed_bytes: int
    zip_ratio: float
    rows: int
    columns: int
    cell_characters: int


def check_packing(path: Path, limits: UploadLimits) -> int:
    """Check a file's size as it is and unpacked; returns the latter, in bytes.

    What an archive says of itself is not believed: it is unpacked, block by block, and let go of at the limit.
    Raises InputError when it is too large or damaged.
    """
    size = path.stat().st_size
    if size > limits.upload_bytes:
        raise InputError(f"{path.name}: has {size:,} bytes; at most {limits.upload_bytes:,} are taken: split the file")
    if size == 0:
        raise InputError(f"{path.name}: the file is empty; give a table with a header row")
    kind = format_of(path)
    try:
        if kind == "xlsx":
            return _unzipped(path, limits)
        if kind == "parquet":
            return _parquet_bytes(path, limits)
        if path.suffix.lower() == ".gz":
            with gzip.open(path, "rb") as stream:
                return _count(stream, path, limits, so_far=0)
    except (OSError, EOFError, ValueError, NotImplementedError, RuntimeError, zlib.error, zipfile.BadZipFile):
        raise InputError(f"{path.name}: the archive is damaged; copy or export it again") from None
    return size


def check_table(path: Path, limits: UploadLimits) -> Layout:
    """Check the number of columns and the cells of the first rows. Raises InputError."""
    sniffed = sniff_file(path)
    width = len(sniffed.layout.columns)
    if width > limits.columns:
        raise InputError(f"{path.name}: has {width:,} columns; at most {limits.columns:,} are taken: leave some out")
    longest = max((_longest(cells) for cells in (sniffed.layout.columns, *sniffed.head)), default=0)
    if longest > limits.cell_characters:
        raise _cell_too_long(path, "one of the first rows", longest, limits)
    return sniffed.layout


def check_rows(path: Path, layout: Layout, limits: UploadLimits, *, keep_on: Callable[[], None]) -> int:
    """Read all rows once and check how many there are and how long their cells; returns their number.

    keep_on: called every so often; what it raises ends the check. Raises InputError.
    """
    count = 0
    for row in read_rows(path, layout):
        count += 1
        if count > limits.rows:
            raise InputError(f"{path.name}: has more than {limits.rows:,} rows, which is the most: split the file")
        longest = _longest(row.cells)
        if longest > limits.cell_characters:
            raise _cell_too_long(path, f"row {row.number}", longest, limits)
        if count % _ROWS_BETWEEN == 0:
            keep_on()
    return count


def _unzipped(path: Path, limits: UploadLimits) -> int:
    total = 0
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if entry.file_size > limits.decompressed_bytes:
                raise _too_large(path, limits)
            with archive.open(entry) as stream:
                total = _count(stream, path, limits, so_far=total)
    return total


def _count(stream: IO[bytes] | gzip.GzipFile, path: Path, limits: UploadLimits, *, so_far: int) -> int:
    """Count the bytes of an unpacked stream, on top of those counted so far."""
    packed = path.stat().st_size
    while block := stream.read(_BLOCK):
        so_far += len(block)
        if so_far > limits.decompressed_bytes:
            raise _too_large(path, limits)
        if so_far > _SMALL_BYTES and so_far > packed * limits.zip_ratio:
            raise InputError(
                f"{path.name}: unpacks to more than {limits.zip_ratio:g} times its size, as no export does; send it "
                "unpacked"
            )
    return so_far


def _parquet_bytes(path: Path, limits: UploadLimits) -> int:
    try:
        metadata = pq.read_metadata(path)
    except ArrowException:
        raise InputError(f"{path.name}: cannot be read as Parquet; write it again") from None
    total = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
    if total > limits.decompressed_bytes:
        raise _too_large(path, limits)
    return int(total)


def _longest(cells: Sequence[object]) -> int:
    """Count the characters of the longest text among cells."""
    return max((len(c) for c in cells if isinstance(c, str)), default=0)


def _too_large(path: Path, limits: UploadLimits) -> InputError:
    most = limits.decompressed_bytes
    return InputError(f"{path.name}: unpacks to more than {most:,} bytes, which is the most: split the file")


def _cell_too_long(path: Path, where: str, length: int, limits: UploadLimits) -> InputError:
    return InputError(
        f"{path.name}, {where}: a cell has {length:,} characters; at most {limits.cell_characters:,} are taken: "
        "shorten it or leave the column out"
    )
