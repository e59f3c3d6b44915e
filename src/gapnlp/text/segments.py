"""Feedback text -> segments: sentences, and clauses of long ones, with offsets into the text as it came."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise

from gapnlp.records.analysis import Segment
from gapnlp.records.feedback import Part
from gapnlp.text.clauses import find_clause_ends
from gapnlp.text.sentences import find_sentence_ends

# A segment with fewer letters and digits than this ("Why?", ":)") says nothing alone and joins the one before it.
_LEAST = 6
_LEAST_HAN = 4
# ... unless that would make it longer than this.
_MOST = 600

# A line of at least this many characters that stops in the middle of a sentence was wrapped by a program.
_WRAPPED = 60

_BREAK = re.compile(r"(?:\r\n|[\n\r\v\f\x85\u2028\u2029]|<(?:br\s?/?|/p|/li|/div)>)\s*+", re.IGNORECASE)
_MIDDLE = re.compile(r"[\w,](?<!\d)[ \t]?$")
# Not visible at the edge of a segment: white space, zero-width and direction marks.
_EDGE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

_Span = tuple[int, int]


def split_segments(text: str, language: str, *, parts: Sequence[Part] = ()) -> list[Segment]:
    """Cut `text` into segments as the classifier knows them from its training: one statement each.

    language: ISO 639-1; picks abbreviations ("en", "pl", "zh") and how long sentences are cut. parts: a segment never
    crosses the border of a part. Segments are ordered, disjoint, without white space at their ends, and hold every
    letter and digit of the text; `text[s.start:s.end] == s.text`; at most 600 characters each. Linear time. A text
    without letters, digits and symbols has no segments.
    """
    least = _LEAST_HAN if language in ("zh", "ja") else _LEAST
    return [
        Segment(start, end, text[start:end])
        for low, high in pairwise(_part_borders(len(text), parts))
        for start, end in _join_short(text, _split_part(text, low, high, language), least)
    ]


def _part_borders(length: int, parts: Sequence[Part]) -> list[int]:
    """0, every border of a part inside the text, and the text's end."""
    borders = {min(max(border, 0), length) for part in parts for border in (part.start, part.end)}
    return sorted(borders | {0, length})


def _split_part(text: str, start: int, end: int, language: str) -> Iterator[_Span]:
    """Yield the trimmed, non-empty pieces of one part."""
    for low, high in pairwise([start, *_find_cuts(text, start, end, language), end]):
        span = _trim(text, low, high)
        if span[0] < span[1]:
            yield span


def _find_cuts(text: str, start: int, end: int, language: str) -> Iterator[int]:
    """Every cut inside one part: line breaks, ends of sentences, clauses."""
    for line in pairwise([start, *_find_line_ends(text, start, end), end]):
        for sentence in pairwise([line[0], *find_sentence_ends(text, *line, language), line[1]]):
            yield from find_clause_ends(text, *sentence, language)
            if sentence[1] < end:
                yield sentence[1]


def _find_line_ends(text: str, start: int, end: int) -> Iterator[int]:
    """Positions after line breaks, apart from those set by a program in the middle of a sentence."""
    last = start
    for match in _BREAK.finditer(text, start, end):
        if match.end() < end and not _is_wrapped(text, last, match):
            yield match.end()
        last = match.end()


def _is_wrapped(text: str, last: int, match: re.Match[str]) -> bool:
    """Whether a single line break stands within a sentence: long line, no mark at its end, small letter next."""
    line = text[max(last, match.start() - _WRAPPED) : match.start()]
    single = match[0].strip(" \t") in ("\n", "\r\n")
    return single and len(line) >= _WRAPPED and bool(_MIDDLE.search(line)) and text[match.end()].islower()


def _trim(text: str, start: int, end: int) -> _Span:
    """Return the span without what is invisible at its ends."""
    while start < end and _is_invisible(text[start]):
        start += 1
    while start < end and _is_invisible(text[end - 1]):
        end -= 1
    return start, end


def _is_invisible(char: str) -> bool:
    return char.isspace() or char in _EDGE


def _join_short(text: str, spans: Iterator[_Span], least: int) -> list[_Span]:
    """Join pieces that say nothing alone to the piece before them, letterless openings to the one behind."""
    joined: list[_Span] = []
    for start, end in spans:
        near = bool(joined) and end - joined[-1][0] <= _MOST
        if near and (_size(text, start, end, least) < least or not _has_letter(text, *joined[-1])):
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return [span for span in joined if _says_something(text[span[0] : span[1]])]


def _size(text: str, start: int, end: int, enough: int) -> int:
    """Letters and digits in the span, counted up to `enough`."""
    size = 0
    for char in text[start:end]:
        size += char.isalnum()
        if size == enough:
            break
    return size


def _has_letter(text: str, start: int, end: int) -> bool:
    return any(char.isalpha() for char in text[start:end])


def _says_something(piece: str) -> bool:
    """Whether a piece holds more than punctuation: letters, digits, or symbols such as emoji."""
    return any(unicodedata.category(char)[0] in "LNS" for char in piece)
