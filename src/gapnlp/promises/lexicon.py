"""A language's ways of writing quantities, compiled from `quantity_words/*.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from gapnlp.errors import InputError
from gapnlp.promises.number_words import CHINESE_NUMERALS
from gapnlp.promises.units import CURRENCIES

LANGUAGES = ("en", "pl", "zh")
# How far before a quantity a comparator or a guard is looked for, in characters.
LOOK_BACK = 44

Pattern = re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Comparators:
    """Words that turn a value into a limit, and what each turns it into."""

    pattern: Pattern
    symbols: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Phrase:
    """A fixed expression with a value of its own ("the same day"), or with one number in it where value is None."""

    value: float | None
    unit: str
    comparator: str
    negatable: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """How counted things are told from other words after a number."""

    noun: Pattern
    one_noun: Pattern
    times: Pattern
    times_words: Pattern
    times_triggers: tuple[str, ...]
    not_before: Pattern
    clicks: Pattern
    only: Pattern


@dataclass(frozen=True, slots=True)
class Bare:
    """Units without a number that mean one ("an hour", "w ciągu tygodnia")."""

    pattern: Pattern
    cue: Pattern
    free_of_cue: Pattern
    never: Pattern
    not_after: Pattern
    every_units: frozenset[str]


@dataclass(frozen=True, slots=True)
class Guards:
    """What looks like a quantity and is none: dates, room numbers, ages."""

    masks: Pattern
    after: Pattern
    before: Pattern
    age_before: Pattern
    negation: Pattern


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All patterns of one language, over folded text; those for what stands before end in `$`.

    Triggers: a pattern is not tried on a text that has none of them, for speed.
    """

    language: str
    hint: Pattern
    numbers: Mapping[str, float]
    scales: Mapping[str, float]
    number: Pattern
    next_number: Pattern
    range: Pattern
    range_openers: frozenset[str]
    range_and: frozenset[str]
    unit: Pattern
    unit_half: Pattern
    currency_before: Pattern
    compound_gap: Pattern
    before: Comparators
    before_time: Comparators
    before_price: Comparators
    after: Comparators
    deadline: Pattern
    deadline_words: frozenset[str]
    period: Pattern
    period_before: Pattern
    phrases: Pattern
    phrase_triggers: tuple[str, ...]
    phrase_list: tuple[Phrase, ...]
    counts: Counts
    bare: Bare
    guards: Guards
    absolutes: Mapping[str, Pattern]


# Scripts and habits that all three languages share.
_MASKS = (
    r"(?:https?://|www\.)[!-~]+|[a-z0-9._%+-]+@[a-z0-9.-]+|[@#][a-z0-9_]+",
    r"[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{1,4}(?![0-9])",
    r"[0-9]{1,2}\s?:\s?[0-9]{2}(?::[0-9]{2})?(?:\s?(?:am|pm|h)(?![a-z]))?",
    r"[0-9]{1,2}(?:[.][0-9]{2})?(?:\s?-\s?[0-9]{1,2})?\s?(?:am|pm|a\.m|p\.m)(?![a-z])",
    r"(?<![0-9])\+?(?:[0-9][ ()-]{0,2}){8,}[0-9](?!\s?(?:zl|pln|eur|usd|元|块))",
    r"[0-9]{7,}",
    r"[0-9]+(?:\.[0-9]+){2,}",
    r"(?<![0-9/])(?![13]/[24](?![0-9/]))[0-9]{1,3}(?:[.,][0-9])?\s?/\s?[0-9]{1,3}(?![0-9])",
)


@cache
def load_lexicon(language: str) -> Lexicon:
    """Read and compile a language's lexicon once.

    Raises InputError for a language other than "en", "pl" or "zh".
    """
    if language not in LANGUAGES:
        raise InputError(f"quantities: no lexicon for language {language!r}; use one of {', '.join(LANGUAGES)}")
    words = tomllib.loads(files("gapnlp.promises").joinpath("quantity_words", f"{language}.toml").read_text("utf-8"))
    number, next_number = _number_patterns(words)
    phrases, phrase_list = _phrases(words["phrases"])
    currencies = words["currency_before"] | _with_codes(words["currency_before"], r"{}\s?")
    simple = ("hint", "range", "unit_half", "compound_gap", "deadline", "period", "period_before")
    return Lexicon(
        language=language,
        numbers=words["numbers"],
        scales=words["scales"],
        number=number,
        next_number=next_number,
        unit=_unit_pattern(words),
        currency_before=re.compile(rf"(?<![a-z])(?:{_groups(currencies)})\s?$"),
        before=_before(words, "comparators_before"),
        before_time=_before(words, "comparators_before_time"),
        before_price=_before(words, "comparators_before_price"),
        after=_after(words),
        phrases=phrases,
        phrase_list=phrase_list,
        phrase_triggers=tuple(words["phrase_triggers"]),
        counts=_counts(words["counts"], words["times_triggers"]),
        bare=_bare(words["bare"]),
        guards=_guards(words),
        absolutes={key: re.compile(rf"(?<![a-z])(?:{p})(?![a-z])") for key, p in words["absolutes"].items()},
        range_openers=frozenset(words["range_openers"]),
        range_and=frozenset(words["range_and"]),
        deadline_words=frozenset(words["deadline_words"]),
        **{name: re.compile(words[name]) for name in simple},
    )


def _alternatives(forms: Iterable[str]) -> str:
    longest_first = sorted(forms, key=len, reverse=True)
    return "|".join(r"\s+".join(map(re.escape, form.split())) for form in longest_first)


def _groups(table: Mapping[str, str]) -> str:
    return "|".join(f"(?P<{name}>{pattern})" for name, pattern in table.items())


def _number_patterns(words: Mapping[str, Any]) -> tuple[Pattern, Pattern]:
    """Build the pattern of a number where one may start, and of a second number after a range's sign."""
    tokens = CHINESE_NUMERALS if "[@]" in words["number_words"] else _alternatives(words["numbers"])
    scales = _alternatives(words["scales"])
    in_words = words["number_words"].replace("@", tokens)
    number = (
        rf"(?:(?P<digits>{words['digits']})(?:\s?(?P<scale>{scales})(?![a-z]))?|(?P<words>{in_words}))"
        rf"(?P<half>{words['plus_half']})?(?P<plus>\s?\+(?![0-9]))?"
    )
    return re.compile(words["number_start"] + number), re.compile(number)


def _unit_pattern(words: Mapping[str, Any]) -> Pattern:
    """Build what may follow a number: joining words, then one unit; `lastgroup` names the unit."""
    units = words["units"] | _with_codes(words["units"], "{}(?![a-z])")
    return re.compile(words["unit_join"] + f"(?:{_groups(units)}){words['unit_end']}")


def _with_codes(table: Mapping[str, str], code_pattern: str) -> dict[str, str]:
    """Let every language know every currency by its ISO code, beside its own words for some."""
    codes = ((code.lower(), code_pattern.format(code.lower())) for code in CURRENCIES)
    return {name: f"{table[name]}|{code}" if name in table else code for name, code in codes}


def _symbols(table: Mapping[str, list[str]]) -> dict[str, str]:
    return {word: symbol for symbol, listed in table.items() for word in listed}


def _before(words: Mapping[str, Any], section: str) -> Comparators:
    symbols = _symbols(words.get(section, {}))
    if not symbols:
        return Comparators(re.compile(r"(?!)"), {})
    pattern = rf"(?<![a-z])(?P<word>{_alternatives(symbols)})(?![a-z]){words['comparator_filler']}$"
    return Comparators(re.compile(pattern), symbols)


def _after(words: Mapping[str, Any]) -> Comparators:
    symbols = _symbols(words["comparators_after"])
    pattern = rf"{words['after_gap']}(?P<word>{_alternatives(symbols)})(?![a-z])"
    # "起" is also the start of other words: "起床", "起来".
    return Comparators(re.compile(pattern + r"(?<!起(?=[来床码身点飞]))" if "起" in symbols else pattern), symbols)


def _phrases(entries: list[dict[str, Any]]) -> tuple[Pattern, tuple[Phrase, ...]]:
    pattern = "|".join(f"(?P<phrase{i}>{entry['pattern']})" for i, entry in enumerate(entries))
    listed = (Phrase(e.get("value"), e["unit"], e["comparator"], e.get("negatable", False)) for e in entries)
    # All start at a word's start: said once, it saves trying each of them at every letter.
    return re.compile(rf"(?<![a-z0-9])(?:{pattern})"), tuple(listed)


def _counts(table: Mapping[str, str], times_triggers: list[str]) -> Counts:
    return Counts(
        noun=re.compile(table["join"] + table["between"] + table["noun"]),
        one_noun=re.compile(table["join"] + table["one_between"] + table["one_noun"]),
        times=re.compile(r"\s?-?" + table["times"]),
        times_words=re.compile(rf"(?<![a-z])(?:{table['times_words']})"),
        times_triggers=tuple(times_triggers),
        not_before=re.compile(r"(?<![a-z])" + table["not_before"]),
        clicks=re.compile(table["clicks"]),
        only=re.compile(table["only"]),
    )


def _bare(table: Mapping[str, Any]) -> Bare:
    patterns = {name: re.compile(table[name]) for name in ("pattern", "cue", "free_of_cue", "never", "not_after")}
    return Bare(every_units=frozenset(table["every_units"]), **patterns)


def _guards(words: Mapping[str, Any]) -> Guards:
    table = words["not_quantities"]
    masks = "|".join(f"(?:{mask})" for mask in (*_MASKS, *table["masks"]))
    return Guards(
        masks=re.compile(rf"(?<![a-z0-9])(?:{masks})"),
        after=re.compile(table["after"]),
        before=re.compile(table["before"]),
        age_before=re.compile(table["age_before"]),
        negation=re.compile(words["negation"]),
    )
