"""Where a sentence too long for one label is cut: after commas, else at white space, else anywhere harmless."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_WORD_START = re.compile(r"(?<!\S)\S")
_ENTITY = re.compile(r"&#?\w{1,10};")
_LONGEST_ENTITY = 12


@dataclass(frozen=True, slots=True)
class ClauseRule:
    """When and where to cut.

    words: sizes count words (white space apart), else characters. longest: sentences up to this size stay whole.
    shortest, tail: least size of a clause before a cut, and of what remains behind it. marks: a cut may come after
    each match. bound: most characters of a segment, whatever it holds.
    """

    words: bool
    longest: int
    shortest: int
    tail: int
    marks: re.Pattern[str]
    bound: int


_HAN = ClauseRule(
    words=False,
    longest=48,
    shortest=16,
    tail=2,
    marks=re.compile(r"[，；～~]+|,+(?!\d)|(?<![A-Za-z0-9]);"),
    bound=200,
)
_SPACED = ClauseRule(
    words=True,
    longest=80,
    shortest=20,
    tail=8,
    marks=re.compile(r"(?:,|(?<!\d):)(?=\s)|(?<![A-Za-z0-9]);|(?<=\s)[-–—](?=\s)|[，；]"),
    bound=600,
)


def find_clause_ends(text: str, start: int, end: int, language: str) -> Iterator[int]:
    """Positions in (start, end) where the sentence text[start:end] is cut, in order; none for one of usual length."""
    rule = _HAN if language in ("zh", "ja") else _SPACED
    last = start
    for cut in _cuts_at_marks(text, start, end, rule):
        yield from _cuts_at_bound(text, last, cut, rule.bound)
        yield cut
        last = cut
    yield from _cuts_at_bound(text, last, end, rule.bound)


def _cuts_at_marks(text: str, start: int, end: int, rule: ClauseRule) -> Iterator[int]:
    """Cuts after commas, each as early as the clause before it is long enough."""
    if end - start <= rule.longest:
        return
    units = _unit_positions(text, start, end, words=rule.words)
    if len(units) <= rule.longest:
        return
    last = 0
    for match in rule.marks.finditer(text, start, end):
        here = bisect_left(units, match.end())
        if here - last >= rule.shortest and len(units) - here >= rule.tail:
            yield match.end()
            last = here


def _unit_positions(text: str, start: int, end: int, *, words: bool) -> Sequence[int]:
    """Where each unit begins: every character, or every word."""
    return [m.start() for m in _WORD_START.finditer(text, start, end)] if words else range(start, end)


def _cuts_at_bound(text: str, start: int, end: int, bound: int) -> Iterator[int]:
    """Cuts that keep text[start:end] in pieces of at most `bound` characters."""
    while end - start > bound:
        start = _last_gap(text, start + bound // 2, start + bound) or _harmless_cut(text, start, start + bound)
        yield start


def _last_gap(text: str, low: int, high: int) -> int | None:
    """Just after the last white space in text[low:high], if there is one."""
    return next((i + 1 for i in range(high - 1, low - 1, -1) if text[i].isspace()), None)


def _harmless_cut(text: str, start: int, cut: int) -> int:
    """Find the last position up to `cut` inside no HTML entity and before no combining or joined character."""
    near = max(start + 1, cut - _LONGEST_ENTITY)
    for entity in _ENTITY.finditer(text, near, cut + _LONGEST_ENTITY):
        if entity.start() < cut < entity.end():
            cut = entity.start()
    back = cut
    while back > near and _joins(text[back - 1 : back + 1]):
        back -= 1
    return back if back > near else cut


def _joins(pair: str) -> bool:
    """Whether two characters are drawn as one: marks, variation selectors, zero-width joiners, skin tones."""
    return (
        pair[0] == "\u200d"
        or pair[1] == "\u200d"
        or "\U0001f3fb" <= pair[1] <= "\U0001f3ff"
        or unicodedata.category(pair[1]) in ("Mn", "Me", "Mc")
    )
