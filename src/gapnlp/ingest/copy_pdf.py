"""PDF -> blocks, by pypdf: printed lines put back together into headings, paragraphs and bullets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from pypdf import PdfReader
from pypdf.errors import DependencyError

from gapnlp.errors import InputError
from gapnlp.ingest.copy_blocks import BULLET, LONE_BULLET, MAX_PACKED_BYTES, check_size, make_blocks, width
from gapnlp.ingest.copy_pdf_lines import Line, drop_margins, join_printed, most_common_size, read_lines
from gapnlp.ingest.copy_plain import WRAPPED_COLUMNS, continues
from gapnlp.records.promises import CopyBlock

MAX_PAGES = 500
MAX_LINES = 100_000
# Letters so much larger than most are a heading's.
HEADING_SIZE = 1.15
MAX_HEADING_CHARS = 200
# Lines of one paragraph: letters of one size, and from line to line less than so many times that size.
SAME_SIZE = 0.06
LINE_PITCH = 2.0
# ... and not much more than the closest lines of this size stand from one another.
LOOSE_PITCH = 1.25
# Lines whose feet differ by less than this part of the size stand beside each other.
SAME_LINE = 0.3


def read_pdf(path: Path) -> list[CopyBlock]:
    """Read a PDF that holds text.

    Raises InputError when it is damaged, protected by a password, longer than MAX_PAGES, or holds no text (a scan).
    """
    check_size(path, MAX_PACKED_BYTES)
    try:
        lines = _all_lines(path)
    except InputError:
        raise
    # The library lets through whatever a broken object causes (KeyError, RecursionError, zlib.error ...).
    except Exception as error:
        raise InputError(
            f"{path.name}: cannot be read as PDF ({type(error).__name__}); print it to a new PDF, or give its text"
        ) from None
    if not lines:
        raise InputError(f"{path.name}: holds no text; it may be a scan. Give the text itself, or a PDF with text")
    return list(pdf_blocks(lines, path.name))


def pdf_blocks(lines: Sequence[Line], source: str) -> Iterator[CopyBlock]:
    """Put printed lines together, without running heads, running feet and page numbers."""
    kept = drop_margins(lines)
    body = most_common_size(kept)
    for group in _groups(kept):
        text = join_printed([line.text for line in group])
        bullet = BULLET.match(text)
        kind = "bullet" if bullet else _kind(group, text, body)
        yield from make_blocks(text[bullet.end() :] if bullet else text, kind, f"{source}, page {group[0].page}")


def _all_lines(path: Path) -> list[Line]:
    reader = PdfReader(path)
    if reader.is_encrypted and not _opens(reader):
        raise InputError(f"{path.name}: is protected by a password; save it without one")
    if len(reader.pages) > MAX_PAGES:
        raise InputError(f"{path.name}: has {len(reader.pages)} pages, and {MAX_PAGES} are read; give those with copy")
    lines: list[Line] = []
    for number, page in enumerate(reader.pages, start=1):
        lines.extend(read_lines(page, number))
        if len(lines) > MAX_LINES:
            raise InputError(f"{path.name}: has more than {MAX_LINES:,} lines; give the pages with copy")
    return lines


def _opens(reader: PdfReader) -> bool:
    """Tell whether the file opens without a password; AES would need one more library."""
    try:
        return bool(reader.decrypt(""))
    except DependencyError:
        return False


def _groups(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Yield the lines of each block."""
    pitches = _closest_pitches(lines)
    columns = _columns(lines)
    group: list[Line] = []
    for line in lines:
        if group and not _belongs(group[-1], line, pitch=pitches.get(line.size), columns=columns[line.page]):
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def _belongs(before: Line, line: Line, *, pitch: float | None, columns: int) -> bool:
    """Tell whether a line goes on with the block of the line before it."""
    if LONE_BULLET.fullmatch(before.text):
        return True
    if abs(before.size - line.size) > SAME_SIZE * line.size or LONE_BULLET.fullmatch(line.text):
        return False
    goes_on = continues(before.text, line.text, columns=columns)
    down = before.y - line.y
    if before.page != line.page or down < 0:  # the next page or column
        return goes_on and line.text.lstrip()[0].islower()
    return goes_on and SAME_LINE * line.size < down <= min(LINE_PITCH * line.size, LOOSE_PITCH * (pitch or down))


def _closest_pitches(lines: Sequence[Line]) -> dict[float, float]:
    """Size -> the least distance, in points, between two lines of this size one below the other."""
    pitches: dict[float, float] = {}
    for before, line in pairwise(lines):
        down = before.y - line.y
        if before.page == line.page and before.size == line.size and down > 0.8 * line.size:
            pitches[line.size] = min(down, pitches.get(line.size, down))
    return pitches


def _columns(lines: Sequence[Line]) -> dict[int, int]:
    """Page -> columns of its longest line, as far as a line that was wrapped can be long."""
    widest: dict[int, int] = {}
    for line in lines:
        widest[line.page] = max(widest.get(line.page, 0), min(width(line.text), WRAPPED_COLUMNS[-1]))
    return widest


def _kind(group: Sequence[Line], text: str, body: float) -> str:
    """Tell a heading by the size of its letters."""
    large = group[0].size >= HEADING_SIZE * body
    return "heading" if large and len(text) <= MAX_HEADING_CHARS else "paragraph"
