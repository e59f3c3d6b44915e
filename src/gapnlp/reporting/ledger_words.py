"""The ledger's words laid over the report's, and how promised and told quantities are written for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from gapnlp.records.promises import Ledger, Quantity
from gapnlp.reporting.words import PLURALS, Phrase, Words, load_words, read_phrases

MODES = ("live", "draft")
_COMPARATORS: Mapping[str, str] = {"<": "lt", "<=": "le", "=": "eq", ">=": "ge", ">": "gt"}


def words_for(ledger: Ledger, ui: str) -> Words:
    """Load the words of a ledger: those of published copy, or of a draft. Raises InputError as `load_words` does."""
    return load_ledger_words(ui, "draft" if ledger.draft else "live")


@cache
def load_ledger_words(ui: str, mode: str) -> Words:
    """Lay the ledger's phrases over the report's; mode: one of MODES, whose own tables come last.

    Raises InputError for a language that has none.
    """
    words = load_words(ui)
    return replace(words, phrases={**words.phrases, **ledger_phrases(ui, mode)})


def ledger_phrases(ui: str, mode: str) -> dict[str, Phrase]:
    """Read the ledger's own phrases in one language, as they are said in one mode."""
    phrases = read_phrases(ui, "ledger")
    own = {key.removeprefix(f"{mode}."): phrase for key, phrase in phrases.items() if key.startswith(f"{mode}.")}
    return {key: phrase for key, phrase in phrases.items() if key.partition(".")[0] not in MODES} | own


def subject_name(words: Words, subject: str) -> str:
    """Name a subject; one that the wording does not know shows its key, as hiding it would be worse."""
    key = f"subjects.{subject}"
    return words.say(key) if words.has(key) else subject.replace("_", " ")


def write_amount(words: Words, value: float, unit: str) -> str:
    """Write a value with its unit: "5 days", "4,5 dnia", "3 EUR", "12天"; one decimal, money two."""
    key = f"units.{unit}" if words.has(f"units.{unit}") else "units.other"
    digits = 2 if key == "units.other" or unit in ("PLN", "CNY", "price") else 1
    whole = round(value, digits) == round(value)
    forms = words.phrases[key]
    number = words.formats.number(value, 0 if whole or abs(value) >= 1000 else digits)
    if isinstance(forms, str):
        return forms.format(n=number, unit=unit)
    return forms[PLURALS[words.ui](abs(round(value))) if whole else -1].format(n=number)


def write_limit(words: Words, quantity: Quantity) -> str:
    """Write a promised quantity with its limit: "at most 2 days", "za darmo", "至少 50 Mbit/s"."""
    if quantity.value == 0 and is_money(quantity.unit):
        return words.say("limit.free")
    amount = write_amount(words, quantity.value, quantity.unit)
    return words.say(f"limit.{_COMPARATORS[quantity.comparator]}", amount=amount)


def is_money(unit: str) -> bool:
    """Whether a unit is a currency (ISO 4217) or a price without one."""
    return unit == "price" or (len(unit) == 3 and unit.isupper())


def misses(promised: Quantity, value: float) -> bool:
    """Whether a told value lies on the wrong side of the promised one; paying less than promised does not."""
    if promised.comparator in ("<", "<=") or (promised.comparator == "=" and is_money(promised.unit)):
        return value > promised.value
    return value < promised.value if promised.comparator in (">", ">=") else value != promised.value
