"""Plain text -> blocks: headings, paragraphs and bullets told by blank lines, marks and the length of lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby, pairwise
from pathlib import Path

from gapnlp.ingest.copy_blocks import (
    BULLET,
    MAX_TEXT_BYTES,
    SENTENCE_END,
    check_size,
    is_cjk,
    join_lines,
    longest,
    make_blocks,
    split_lines,
    width,
)
from gapnlp.ingest.delimited import find_encoding
from gapnlp.ingest.encodings import open_text
from gapnlp.records.promises import CopyBlock

# Columns of the longest line where lines were wrapped by a program; longer ones are paragraphs themselves.
WRAPPED_COLUMNS = range(50, 121)
# Wrapped lines, but for the last, are at least this part of the longest one.
WRAPPED_SHARE = 0.7
# A heading takes no more columns.
HEADING_COLUMNS = 60

_UNDERLINE = re.compile(r"\s*([=\-~_*#])\1{2,}\s*$")


def read_plain(path: Path) -> list[CopyBlock]:
    """Read a text file. Raises InputError when it is too large or its encoding cannot be told."""
    check_size(path, MAX_TEXT_BYTES)
    with open_text(path, find_encoding(path)) as stream:
        return list(plain_blocks(stream.read(), path.name))


def plain_blocks(text: str, source: str) -> Iterator[CopyBlock]:
    """Yield the blocks of plain text; lines are joined only where they look wrapped by a program.

    A heading is a short line alone that does not end as a sentence, or one that is underlined.
    """
    numbered = list(enumerate(split_lines(text), start=1))
    groups = [list(lines) for filled, lines in groupby(numbered, key=lambda line: bool(line[1].strip())) if filled]
    for index, lines in enumerate(groups):
        last = index == len(groups) - 1
        for number, words, kind in _read_group(lines, is_last=last):
            yield from make_blocks(words, kind, f"{source}, line {number}")


def _read_group(lines: list[tuple[int, str]], *, is_last: bool) -> Iterator[tuple[int, str, str]]:
    """Yield (line, text, kind) of the lines between two blank ones."""
    pieces = _pieces(lines)
    underlined = {number - 1 for number, line in lines if _UNDERLINE.match(line)}
    for position, piece in enumerate(pieces):
        number, first = piece[0]
        words = join_lines(line for _, line in piece)
        bullet = BULLET.match(first)
        if bullet:
            yield number, words[len(bullet.group().lstrip()) :], "bullet"
        else:
            alone = len(pieces) == 1 and not is_last
            headed = piece[-1][0] in underlined or (alone and looks_like_heading(words))
            yield number, words, "heading" if headed and position == 0 else "paragraph"


def _pieces(lines: list[tuple[int, str]]) -> list[list[tuple[int, str]]]:
    """Put the lines together that are one bullet or one paragraph."""
    content = [(number, line) for number, line in lines if not _UNDERLINE.match(line)]
    if not content:
        return []
    most = longest([line for _, line in content])
    pieces = [[content[0]]]
    for (_, before), (number, line) in pairwise(content):
        if continues(before, line, columns=most):
            pieces[-1].append((number, line))
        else:
            pieces.append([(number, line)])
    return pieces


def continues(before: str, line: str, *, columns: int) -> bool:
    """Tell whether `line` goes on with the statement of the line before; columns: of the longest line around.

    Yes when it starts with a small letter after an open sentence, or when the line before is as full as a wrapped one.
    """
    if BULLET.match(line):
        return False
    start = line.lstrip()[0]
    is_open = not SENTENCE_END.search(before.rstrip())
    full = columns in WRAPPED_COLUMNS and width(before.rstrip()) >= columns * WRAPPED_SHARE
    return (is_open and start.islower()) or (full and (is_open or not BULLET.match(before) or is_cjk(start)))


def looks_like_heading(text: str) -> bool:
    """Tell whether a line that stands alone is short and no sentence."""
    return width(text) <= HEADING_COLUMNS and not SENTENCE_END.search(text)
