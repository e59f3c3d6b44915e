"""CSV and TSV: the delimiter told from the beginning, rows streamed, broken quoting kept to its own line."""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from gapnlp.errors import InputError
from gapnlp.ingest.encodings import SNIFF_BYTES, decode_sample, detect_encoding, open_binary, open_text, read_evidence
from gapnlp.ingest.layout import Layout, Row, Sniffed, take_head, unique_names

DELIMITERS = (",", ";", "\t", "|")
# Stands in for a delimiter in one-column files, whose texts hold commas: it occurs in no text.
NO_DELIMITER = "\x1f"
# Rows that the delimiter is told from.
DELIMITER_ROWS = 200
# A quoted cell that runs on for longer was not closed.
MAX_RECORD_LINES = 1_000
MAX_RECORD_CHARS = 1_000_000

_UNCLOSED = "a quotation mark is opened and never closed, or stands inside a cell"
_MENDED = "a quotation mark stands where none belongs; the row was read as it is"


def sniff_delimited(path: Path) -> Sniffed:
    """Find encoding, delimiter and columns from the first SNIFF_BYTES and the head from the first rows."""
    _raise_field_limit()
    encoding = find_encoding(path)
    with open_binary(path) as stream:
        sample = decode_sample(stream.read(SNIFF_BYTES), encoding).removeprefix("\ufeff")
    lines = list(io.StringIO(sample, newline=""))
    first = next((i for i, line in enumerate(lines) if line.strip()), None)
    if first is None:
        raise InputError(f"{path.name}: the file is empty; give a table with a header row")
    declared = _declared_delimiter(lines[first])
    start = first + 1 if declared else first
    delimiter = declared or find_delimiter(lines[start : start + DELIMITER_ROWS])
    header = next(_strict_reader(iter(lines[start:]), delimiter or NO_DELIMITER, strict=False), [])
    layout = Layout("csv", unique_names(header), encoding, delimiter, first_row=start + 1)
    return Sniffed(layout, take_head(read_delimited(path, layout)))


def find_encoding(path: Path) -> str:
    """Name the codec of a text file. Raises InputError when none fits."""
    encoding = detect_encoding(read_evidence(path))
    if encoding is None:
        raise InputError(f"{path.name}: the encoding of its letters cannot be told; save the file as UTF-8")
    return encoding


def find_delimiter(lines: list[str]) -> str | None:
    """Choose the delimiter under which most rows have as many cells as the header; None for one column."""
    scores = {delimiter: _agreement(lines, delimiter) for delimiter in DELIMITERS}
    best = max(DELIMITERS, key=lambda delimiter: scores[delimiter])
    return best if scores[best][1] > 1 else None


def read_delimited(path: Path, layout: Layout) -> Iterator[Row]:
    """Stream the rows after the header; blank lines are counted and left out."""
    _raise_field_limit()
    width = len(layout.columns)
    with open_text(path, layout.encoding or "utf-8") as lines:
        records = _records(lines, layout.delimiter or NO_DELIMITER)
        for number, cells, problem in records:
            if number <= layout.first_row or (not cells and problem is None):
                continue
            yield _to_row(number, cells, width=width, problem=problem)


def _to_row(number: int, cells: list[str], *, width: int, problem: str | None) -> Row:
    """Check a record's number of cells and whether its quoting had to be mended."""
    if problem is not None and len(cells) != width:
        return Row(number, (), problem=_UNCLOSED)
    if len(cells) > width and not any(cells[width:]):
        return Row(number, cells[:width], notice=problem)
    if len(cells) != width:
        return Row(number, (), problem=f"has {len(cells)} cells, the header has {width}")
    return Row(number, cells, None, problem)


def _records(lines: Iterator[str], delimiter: str) -> Iterator[tuple[int, list[str], str | None]]:
    """Yield (row number, cells, problem) for every record.

    When quoting breaks, only the record's first line is given up (cells empty) or mended; reading goes on at the line
    after it, so one quotation mark cannot swallow the rows below.
    """
    tape = _Tape(lines)
    reader = _strict_reader(tape, delimiter)
    number = 0
    while True:
        tape.taken.clear()
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            line = tape.give_back_all_but_first()
            reader = _strict_reader(tape, delimiter)
            yield number, _mended(line, delimiter), _MENDED
        else:
            yield number, cells, None


class _Tape:
    """The lines of a file for csv.reader, remembering those of the current record so that they can be read again."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.taken: list[str] = []
        self._lines = lines
        self._again: deque[str] = deque()

    def __iter__(self) -> _Tape:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        taken = self.taken
        taken.append(line)
        if len(taken) > 1 and (len(taken) > MAX_RECORD_LINES or sum(map(len, taken)) > MAX_RECORD_CHARS):
            raise csv.Error("record too long")
        return line

    def give_back_all_but_first(self) -> str:
        """Put the current record's later lines back to be read again and return its first."""
        first, *rest = self.taken
        self._again.extendleft(reversed(rest))
        return first


def _mended(line: str, delimiter: str) -> list[str]:
    """Read one line leniently; no cells when a quote stays open or a cell is beyond all bounds."""
    if line.count('"') % 2:
        return []
    try:
        return next(_strict_reader(iter([line]), delimiter, strict=False), [])
    except csv.Error:
        return []


def _strict_reader(lines: Iterator[str], delimiter: str, *, strict: bool = True) -> Iterator[list[str]]:
    return csv.reader(lines, delimiter=delimiter, strict=strict)


def _agreement(lines: list[str], delimiter: str) -> tuple[float, int]:
    """Share of the rows with as many cells as the header (0 for one column), and that number."""
    widths = [len(cells) for cells in _strict_reader(iter(lines), delimiter, strict=False) if cells]
    if not widths or widths[0] < 2:
        return 0.0, 1
    return widths.count(widths[0]) / len(widths), widths[0]


def _declared_delimiter(line: str) -> str | None:
    """Read the "sep=;" line that Excel writes above a header."""
    declared = line.strip().strip('"')
    return declared[4] if declared.startswith("sep=") and len(declared) == 5 else None


def _raise_field_limit() -> None:
    """Let cells be as long as a record may be; csv keeps one limit for the process, so it is only ever raised."""
    if csv.field_size_limit() < MAX_RECORD_CHARS:
        csv.field_size_limit(MAX_RECORD_CHARS)
