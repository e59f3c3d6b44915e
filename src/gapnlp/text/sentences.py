"""Where sentences end: the cut positions of one block of text.

A rule engine of our own: spaCy's sentencizer agreed less with annotated segments in English and Chinese, and cuts after
abbreviations (docs/text.md has the comparison). Every pattern is possessive or bounded, so time is linear.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gapnlp.text.abbreviations import BEFORE, BEFORE_DIGIT, INSIDE

# Longest abbreviation looked back for; bounds the work for texts without white space.
_LOOK_BACK = 12

EMOJI = r"[\U0001F000-\U0001FAFF\u2600-\u27BF\u2B00-\u2BFF\uFE0F\u200D\u20E3\U000E0020-\U000E007F]"
CJK = r"\u3040-\u30FF\u3400-\u4DBF\u4E00-\u9FFF\uF900-\uFAFF\U00020000-\U0003FFFF"
_EMOTICON = r"[:;=8xX][-'^o]?[)(DPpdO3/\\|\]\[*]++"

# One run of terminators (also set apart, as in ". . ." and "! !"), closing brackets and quotes, then emoji or an
# emoticon that comments on the sentence just ended.
_END = re.compile(
    rf"(?P<marks>[.!?…。！？｡](?:\s*+[.!?…。！？｡])*+)"
    rf"(?P<close>[\"')\]}}”’»」』）】]*+)"
    rf"(?P<mood>(?:\s*+(?:{EMOJI}++|{_EMOTICON}(?=\s|$)))*+)"
)
_WIDE = re.compile(r"[。！？｡]")
_CJK_CHAR = re.compile(f"[{CJK}]")
_WORD_BEFORE = re.compile(r"(\S+)\s*$")
_NUMBER = re.compile(r"\d{1,2}$")
_ONLY_NUMBER = re.compile(r"[\s(#*•-]*(?:\d{1,3}|[a-zA-Z])\s*$")


def find_sentence_ends(text: str, start: int, end: int, language: str) -> Iterator[int]:
    """Positions in (start, end) just after a sentence, in order; `language` picks the abbreviations."""
    last = start
    for match in _END.finditer(text, start, end):
        if match.end() < end and _is_end(text, last, match, language):
            last = match.end()
            yield last


def _is_end(text: str, last: int, match: re.Match[str], language: str) -> bool:
    """Whether this run of terminators closes the sentence that began at `last`."""
    marks, after = match["marks"], text[match.end()]
    if _WIDE.search(marks):
        return True
    if not after.isspace() and not match["mood"]:
        # "hotel.Though" and "a?b=1" stay whole; Chinese sets no space after "!" and "?", but may after a Latin dot.
        return marks[-1] in "!?" and bool(_CJK_CHAR.match(after))
    if marks != "." or match["close"] or match["mood"]:
        return True
    return not _is_abbreviation(text, last, match, language)


def _is_abbreviation(text: str, last: int, match: re.Match[str], language: str) -> bool:
    """Whether a single full stop followed by white space belongs to the word or number before it."""
    head = text[max(last, match.start() - _LOOK_BACK) : match.start()]
    following = text[match.end() : match.end() + _LOOK_BACK].lstrip()
    found = _WORD_BEFORE.search(head)
    if not found or not following:
        return False
    if match.start() - last < _LOOK_BACK and _ONLY_NUMBER.match(head):
        return True  # "1. Fast delivery": an item of a list
    word = found[1].lstrip("(\"'„“”‚‘[-/").rstrip(".")
    if _NUMBER.fullmatch(word):
        return following[0].isdigit() or (language == "pl" and following[0].islower())
    return _is_known(word, following[0], language)


def _is_known(word: str, after: str, language: str) -> bool:
    """Whether the word is in the language's lists, or an initial ("J. Kowalski"), given the next character."""
    small = word.lower()
    if small in BEFORE.get(language, ()):
        return True
    if small in INSIDE.get(language, ()) and (after.islower() or after.isdigit()):
        return True
    if small in BEFORE_DIGIT.get(language, ()) and after.isdigit():
        return True
    return len(word) == 1 and word.isupper() and word != "I" and after.isupper()
