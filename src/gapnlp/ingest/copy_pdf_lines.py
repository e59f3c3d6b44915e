"""What is printed on the pages of a PDF: lines with place and size, without what repeats in the margins."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from pypdf import PageObject

from gapnlp.ingest.copy_blocks import join_lines

# Running heads and feet stand in the outer part of the page and are on so many of the pages.
MARGIN = 0.1
REPEATED = 0.8
# They stand at the same height, but for this many points.
SAME_HEIGHT = 3.0

_DIGITS = re.compile(r"\d+")
_PAGE_NUMBER = re.compile(
    r"\W*(?:(?:page|strona|str|s|p|第)\W*)?#\W*(?:(?:of|z|/|von|页|頁|共)\W*)*#?\W*(?:页|頁)?\W*", re.IGNORECASE
)
_HYPHEN = re.compile(r"(?<=[^\W\d_])[-\u00ad\u2010]$")
_LIGATURES = {0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl", 0xFB05: "st", 0xFB06: "st"}
_Matrix = Sequence[float]


@dataclass(frozen=True, slots=True)
class Line:
    """One printed line. y: of its foot; size: of its letters; both in points, rounded to a tenth.

    place: y as a share of the page's height, in [0, 1] from the bottom.
    """

    text: str
    page: int
    y: float
    size: float
    place: float


def read_lines(page: PageObject, number: int) -> list[Line]:
    """Read a page's lines in the order in which the file draws them."""
    pieces: list[tuple[str, float, float]] = []

    def visit(text: str, outer: _Matrix, inner: _Matrix, _font: object, size: float) -> None:
        if text:
            y = inner[4] * outer[1] + inner[5] * outer[3] + outer[5]
            scale = (abs(inner[3]) or abs(inner[1]) or 1.0) * (abs(outer[3]) or abs(outer[1]) or 1.0)
            pieces.append((text, y, abs(size) * scale))

    page.extract_text(visitor_text=visit)
    bottom, height = float(page.mediabox.bottom), float(page.mediabox.height) or 1.0
    return [
        Line(text.translate(_LIGATURES), number, round(y, 1), round(size, 1), (y - bottom) / height)
        for text, y, size in _cut_lines(pieces)
    ]


def _cut_lines(pieces: Iterable[tuple[str, float, float]]) -> Iterator[tuple[str, float, float]]:
    """Cut drawn text at line breaks; a line has the height of its first words and the size of most of its letters."""
    words: list[tuple[str, float, float]] = []
    for text, y, size in pieces:
        *ended, rest = text.split("\n")
        for part in ended:
            yield from _made(words + [(part, y, size)])
            words = []
        words.append((rest, y, size))
    yield from _made(words)


def _made(words: Sequence[tuple[str, float, float]]) -> Iterator[tuple[str, float, float]]:
    filled = [word for word in words if word[0].strip()]
    if filled:
        yield "".join(text for text, _, _ in words), filled[0][1], max(filled, key=lambda word: len(word[0]))[2]


def drop_margins(lines: Sequence[Line]) -> list[Line]:
    """Leave out page numbers, and lines that stand at the same place in the margin of REPEATED of the pages."""
    pages = len({line.page for line in lines})
    outer = [line for line in lines if _in_margin(line)]
    seen = Counter(place for place, _ in {(_place(line), line.page) for line in outer})
    needed = max(2, ceil(REPEATED * pages))
    return [
        line
        for line in lines
        if not _in_margin(line) or not (seen[_place(line)] >= needed or _PAGE_NUMBER.fullmatch(_place(line)[0]))
    ]


def _in_margin(line: Line) -> bool:
    return line.place < MARGIN or line.place > 1 - MARGIN


def _place(line: Line) -> tuple[str, int]:
    """Return what a running head is told by: its words without numbers, and its height."""
    return _DIGITS.sub("#", " ".join(line.text.split())).casefold(), round(line.y / SAME_HEIGHT)


def most_common_size(lines: Sequence[Line]) -> float:
    """Find the size of most letters, in points; 0 when there are no lines."""
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[line.size] += len(line.text)
    return max(sizes, key=lambda size: sizes[size], default=0.0)


def join_printed(lines: Sequence[str]) -> str:
    """Join printed lines; a word that was cut at the end of a line becomes whole.

    A hyphen before a small letter is taken for such a cut, so a compound broken at its own hyphen loses it.
    """
    joined: list[str] = []
    for line in lines:
        text = line.strip()
        if joined and _HYPHEN.search(joined[-1]) and text[:1].islower():
            joined[-1] = _HYPHEN.sub("", joined[-1]) + text
        else:
            joined.append(text)
    return join_lines(joined)
