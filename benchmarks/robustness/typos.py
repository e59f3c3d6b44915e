"""One slip of the fingers a sentence, the same every time: which word and which letter follow from the text."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping

from benchmarks.robustness.cases import Cases

_WORD = re.compile(r"[^\W\d_]{4,}")
_HAN = re.compile(r"[\u3400-\u9fff]")
# Neighbours on a QWERTY keyboard, in the same row.
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")

# A text and the place of a letter in it -> the text with the slip; None where that letter does not allow it.
Slip = Callable[[str, int, Cases], str | None]


def misspell(text: str, kind: str, cases: Cases) -> str | None:
    """Put one slip of a kind of SLIPS into a text.

    Words of `cases.protected` are left alone, and so are words of fewer than four letters and first and last letters.
    In Chinese any character that is not protected may be hit. None where no letter allows the slip.
    """
    places = _inner_letters(text, cases)
    random.Random(f"{kind}|{text}").shuffle(places)
    slipped = (SLIPS[kind](text, place, cases) for place in places)
    return next((s for s in slipped if s is not None and s != text), None)


def _inner_letters(text: str, cases: Cases) -> list[int]:
    if cases.language == "zh":
        return [m.start() for m in _HAN.finditer(text) if m[0] not in cases.protected]
    words = (m for m in _WORD.finditer(text) if m[0].lower() not in cases.protected)
    return [i for m in words for i in range(m.start() + 1, m.end() - 1)]


def _swap(text: str, place: int, cases: Cases) -> str | None:
    """Exchange a letter with the next one."""
    if place + 1 not in _inner_letters(text, cases):
        return None
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :]


def _drop(text: str, place: int, _cases: Cases) -> str:
    return text[:place] + text[place + 1 :]


def _double(text: str, place: int, _cases: Cases) -> str:
    return text[: place + 1] + text[place:]


def _adjacent_key(text: str, place: int, _cases: Cases) -> str | None:
    letter = text[place].lower()
    row = next((r for r in _ROWS if letter in r), None)
    if row is None:
        return None
    at = row.index(letter)
    return text[:place] + (row[at + 1] if at + 1 < len(row) else row[at - 1]) + text[place + 1 :]


def _homophone(text: str, place: int, cases: Cases) -> str | None:
    for right, wrong in cases.homophones:
        if text[place] == right:
            return text[:place] + wrong + text[place + 1 :]
    return None


SLIPS: Mapping[str, Slip] = {
    "swap": _swap,
    "drop": _drop,
    "double": _double,
    "adjacent_key": _adjacent_key,
    "homophone": _homophone,
}
