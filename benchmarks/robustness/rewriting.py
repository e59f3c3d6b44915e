"""Rewritings that leave a sentence's meaning as it is: what a classifier says of it must not change.

Perturbations after Ribeiro, Wu, Guestrin and Singh (2020), "Beyond Accuracy: Behavioral Testing of NLP Models with
CheckList", with those that Polish and Chinese need.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial

from opencc import OpenCC

from benchmarks.robustness.cases import Cases, Sentence
from benchmarks.robustness.typos import misspell

_FINAL_MARKS = ".!?…。！？"
_NEUTRAL_EMOJI = "📌"
_FITTING_EMOJI = {"neg": "😡", "pos": "😊"}
_URL = "https://example.com/r/48213"
_HANDLE = "@example_shop"
_HALF_WIDTH_MARKS = str.maketrans({"，": ", ", "。": ". ", "！": "! ", "？": "? ", "：": ": ", "；": "; "})
_LETTERS_WITHOUT_PARTS = str.maketrans("łŁ", "lL")
_DIGITS = re.compile(r"\d+")
_VARIANTS = 3


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The sentence in another form: the segments of an item, and which of them it is."""

    document: tuple[str, ...]
    place: int = 0


Rewrite = Callable[[Sentence, Cases], Iterable[Rewritten]]


def rewrite(test: str, sentence: Sentence, cases: Cases) -> list[Rewritten]:
    """Rewrite a sentence, no form twice; empty where the test does not apply to it, since nothing would change."""
    return [r for r in dict.fromkeys(REWRITES[test](sentence, cases)) if r.document != (sentence.text,)]


def _each(change: Callable[[str, Cases], str | None]) -> Rewrite:
    """Make a rewriting from a change of the text alone."""

    def rewritten(sentence: Sentence, cases: Cases) -> Iterator[Rewritten]:
        changed = change(sentence.text, cases)
        if changed is not None:
            yield Rewritten((changed,))

    return rewritten


def _without_diacritics(text: str, cases: Cases) -> str | None:
    if cases.language != "pl":
        return None
    decomposed = unicodedata.normalize("NFD", text.translate(_LETTERS_WITHOUT_PARTS))
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def _in_script(configuration: str) -> Callable[[str, Cases], str | None]:
    def converted(text: str, cases: Cases) -> str | None:
        return str(_converter(configuration).convert(text)) if cases.language == "zh" else None

    return converted


@cache
def _converter(configuration: str) -> OpenCC:
    return OpenCC(configuration)


def _full_width(text: str, _cases: Cases) -> str | None:
    """Every printable ASCII character in its wide form, as Chinese input methods give it."""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def _half_width(text: str, cases: Cases) -> str | None:
    return text.translate(_HALF_WIDTH_MARKS).strip() if cases.language == "zh" else None


def _with_fitting_emoji(sentence: Sentence, _cases: Cases) -> Iterator[Rewritten]:
    emoji = _FITTING_EMOJI.get(sentence.labels.sentiment)
    if emoji:
        yield Rewritten((f"{sentence.text} {emoji}",))


def _padded_inside(sentence: Sentence, cases: Cases) -> Iterator[Rewritten]:
    for words in cases.padding.inside_before:
        yield Rewritten((words + sentence.text,))
    for words in cases.padding.inside_after:
        yield Rewritten((sentence.text.rstrip(_FINAL_MARKS) + words,))


def _padded_around(sentence: Sentence, cases: Cases) -> Iterator[Rewritten]:
    yield Rewritten((cases.padding.before, sentence.text, cases.padding.after), place=1)


def _with_other_names(sentence: Sentence, cases: Cases) -> Iterator[Rewritten]:
    """Replace each name by others of its group, one group member further every time."""
    for step in range(1, _VARIANTS + 1):
        yield Rewritten((_swap_names(sentence.text, cases, step),))


def _swap_names(text: str, cases: Cases, step: int) -> str:
    group_of = {member: group for group in cases.swaps for member in group}
    names = "|".join(re.escape(m) for m in sorted(group_of, key=len, reverse=True))
    pattern = names if cases.language == "zh" else rf"(?<!\w)(?:{names})(?!\w)"

    def other(match: re.Match[str]) -> str:
        group = group_of[match[0]]
        return group[(group.index(match[0]) + 1 + (step - 1) % (len(group) - 1)) % len(group)]

    return re.sub(pattern, other, text)


def _with_other_numbers(sentence: Sentence, _cases: Cases) -> Iterator[Rewritten]:
    for step in range(1, _VARIANTS + 1):
        yield Rewritten((_DIGITS.sub(partial(_near_number, step=step), sentence.text),))


def _near_number(match: re.Match[str], *, step: int) -> str:
    """Give a number with as many digits and the same plural form: 2-4 and 5-9 apart, as Polish tells them."""
    digits = match[0]
    if len(digits) > 1:
        return _next_of(range(1, 10), int(digits[0]), step) + digits[1:]
    return next((_next_of(x, int(digits), step) for x in (range(2, 5), range(5, 10)) if int(digits) in x), digits)


def _next_of(choices: Sequence[int], value: int, step: int) -> str:
    if value not in choices:  # a leading zero, as in a code
        return str(value)
    return str(choices[(choices.index(value) + step) % len(choices)])


def _misspelt(kind: str) -> Rewrite:
    return _each(lambda text, cases: misspell(text, kind, cases))


REWRITES: Mapping[str, Rewrite] = {
    "upper_case": _each(lambda text, _: text.upper()),
    "lower_case": _each(lambda text, _: text.lower()),
    "typo_swap": _misspelt("swap"),
    "typo_drop": _misspelt("drop"),
    "typo_double": _misspelt("double"),
    "typo_adjacent_key": lambda sentence, cases: (
        () if cases.language == "zh" else _misspelt("adjacent_key")(sentence, cases)
    ),
    "typo_homophone": _misspelt("homophone"),
    "emoji_neutral": _each(lambda text, _: f"{text} {_NEUTRAL_EMOJI}"),
    "emoji_fitting": _with_fitting_emoji,
    "no_final_mark": _each(lambda text, _: text.rstrip(_FINAL_MARKS)),
    "no_diacritics": _each(_without_diacritics),
    "traditional": _each(_in_script("s2t")),
    "traditional_taiwan": _each(_in_script("s2twp")),
    "full_width": _each(_full_width),
    "half_width_marks": _each(_half_width),
    "polite_inside": _padded_inside,
    "polite_around": _padded_around,
    "names_swapped": _with_other_names,
    "numbers_changed": _with_other_numbers,
    "url_added": _each(lambda text, _: f"{text} {_URL}"),
    "handle_added": _each(lambda text, _: f"{_HANDLE} {text}"),
}
