"""What a file would take in memory once a reader opens it, counted beforehand as a stream.

Some readers hold a file whole: a workbook as a rectangle of cells, JSON as objects, a line as one text. A small file
can be made to fill any memory that way, so what cannot be told from its size is counted here first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from pyarrow import ArrowException

from gapnlp.errors import InputError
from gapnlp.ingest.delimited import MAX_RECORD_CHARS, find_encoding
from gapnlp.ingest.encodings import open_binary, open_text
from gapnlp.ingest.footprint_parquet import check_parquet_texts
from gapnlp.ingest.footprint_workbook import check_workbook_cells
from gapnlp.ingest.limits import UploadLimits
from gapnlp.ingest.readers import format_of, sniff_file

_BLOCK = 1 << 20
# Bytes of one line: readers take lines whole. Four a character, and as much again for escapes and UTF-16.
_LONGEST_LINE = 8 * MAX_RECORD_CHARS
# JSON is parsed whole, into many times its bytes, most of all when its values are small.
_MOST_JSON_BYTES = 64_000_000
_MOST_JSON_VALUES = 10_000_000
_SPOILED = (ValueError, ArithmeticError, LookupError, RecursionError, ArrowException)


def check_footprint(path: Path, limits: UploadLimits) -> None:
    """Check a file whose size, packed and unpacked, is within the limits already (see limits.check_packing).

    Takes about as long as reading it once. Raises InputError that says where it is too large, and what to do.
    """
    kind = format_of(path)
    if kind is not None:
        _CHECKS[kind](path, limits)
        _open_once(path)


def _open_once(path: Path) -> None:
    """Turn what a parser may raise over spoiled bytes into an error like any other."""
    try:
        sniff_file(path)
    except _SPOILED as error:
        raise _damaged(path, error) from None
    except BaseException as error:
        # What the workbook reader's Rust code raises when it panics; it is no Exception.
        if type(error).__name__ == "PanicException":
            raise _damaged(path, error) from None
        raise


def _damaged(path: Path, error: BaseException) -> InputError:
    return InputError(f"{path.name}: is damaged ({type(error).__name__} while reading); copy or export it again")


def _check_csv(path: Path, limits: UploadLimits) -> None:
    """Refuse long lines by name: the reader would give them up as rows with a broken quotation mark."""
    _check_lines(path, limits)
    with open_text(path, find_encoding(path)) as lines:
        for number, line in enumerate(lines, start=1):
            if len(line) > MAX_RECORD_CHARS:
                raise _line_too_long(path, number, limits)


def _check_lines(path: Path, limits: UploadLimits) -> None:
    """Refuse lines that would fill the memory before any reader could judge them."""
    number, length = 1, 0
    for block in _blocks(path):
        first, *rest = block.split(b"\n")
        length += len(first)
        for line in rest:
            if length > _LONGEST_LINE:
                break
            number, length = number + 1, len(line)
        if length > _LONGEST_LINE:
            raise _line_too_long(path, number, limits)


def _check_json(path: Path, limits: UploadLimits) -> None:
    size = values = 0
    for block in _blocks(path):
        size += len(block)
        values += block.count(b",") + block.count(b"[")
        if size > _MOST_JSON_BYTES or values > _MOST_JSON_VALUES:
            raise InputError(
                f"{path.name}: JSON of more than {_MOST_JSON_BYTES:,} bytes or {_MOST_JSON_VALUES:,} values is not "
                "taken; send JSON Lines (.jsonl), one object a line"
            )


def _line_too_long(path: Path, number: int, limits: UploadLimits) -> InputError:
    return InputError(
        f"{path.name}, line {number}: has more than {MAX_RECORD_CHARS:,} characters; a cell may have "
        f"{limits.cell_characters:,}: shorten it or leave the column out"
    )


def _blocks(path: Path) -> Iterator[bytes]:
    with open_binary(path) as stream:
        while block := stream.read(_BLOCK):
            yield block


_CHECKS: Mapping[str, Callable[[Path, UploadLimits], None]] = {
    "csv": _check_csv,
    "jsonl": _check_lines,
    "json": _check_json,
    "xlsx": check_workbook_cells,
    "parquet": check_parquet_texts,
}
