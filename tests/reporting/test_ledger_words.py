import re
import tomllib
from pathlib import Path

import pytest

from gapnlp.errors import InputError
from gapnlp.records.promises import VERDICTS, Quantity
from gapnlp.reporting.ledger_html import LEDGER_LIMITS, LEDGER_METHODS
from gapnlp.reporting.ledger_words import (
    MODES,
    ledger_phrases,
    load_ledger_words,
    misses,
    subject_name,
    write_amount,
    write_limit,
)
from gapnlp.reporting.ledger_xlsx import SHEETS
from gapnlp.reporting.words import read_phrases
from gapnlp.taxonomy.catalogue import UI_LANGUAGES

SUBJECTS = Path(__file__).parents[2] / "src" / "gapnlp" / "promises" / "subjects.toml"
PHRASES = {ui: read_phrases(ui, "ledger") for ui in UI_LANGUAGES}
CAVEATS = {
    "no_promises", "no_items", "few_items", "other_language", "matcher_error", "self_selected", "no_dates", "one_item",
    "entities_without_items",
}  # fmt: skip
FORMS = {"en": 2, "pl": 3, "zh": 1}


def keys_of(ui, table):
    return {key.removeprefix(f"{table}.") for key in PHRASES[ui] if key.startswith(f"{table}.")}


def placeholders(phrase):
    return {frozenset(re.findall(r"\{(\w*)\}", text)) for text in (phrase if isinstance(phrase, list) else [phrase])}


@pytest.mark.parametrize("ui", UI_LANGUAGES)
def test_every_language_has_the_same_phrases_and_placeholders(ui):
    assert PHRASES[ui].keys() == PHRASES["en"].keys()
    for key, phrase in PHRASES["en"].items():
        assert placeholders(PHRASES[ui][key]) == placeholders(phrase), key


@pytest.mark.parametrize("ui", UI_LANGUAGES)
def test_both_modes_say_the_same_things(ui):
    assert keys_of(ui, "live") == keys_of(ui, "draft")
    assert all(
        f"live.{kind}.{verdict}" in PHRASES[ui] for kind in ("verdict", "verdict_meaning") for verdict in VERDICTS
    )


@pytest.mark.parametrize("ui", UI_LANGUAGES)
def test_caveats_methods_limits_and_sheets_are_worded(ui):
    assert keys_of(ui, "caveats") == CAVEATS
    words = load_ledger_words(ui, "live")
    for method in LEDGER_METHODS:
        assert all(words.say(f"method.{method}.{part}") for part in ("name", "text", "formula", "source"))
    assert all(words.say(f"models.{key}") for key in LEDGER_LIMITS)
    names = [words.say(f"sheet.{name}") for name in SHEETS]
    assert len({name.lower() for name in names}) == len(SHEETS)
    assert all(len(name) <= 31 for name in names)


@pytest.mark.parametrize("ui", UI_LANGUAGES)
def test_every_subject_has_one_name_of_its_own(ui):
    themes = tomllib.loads(SUBJECTS.read_text(encoding="utf-8"))
    assert keys_of(ui, "subjects") == {key for subjects in themes.values() for key in subjects}
    names = [PHRASES[ui][f"subjects.{key}"] for key in keys_of(ui, "subjects")]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("ui", UI_LANGUAGES)
def test_plural_phrases_have_all_forms_of_their_language(ui):
    for key, phrase in PHRASES[ui].items():
        if isinstance(phrase, list):
            fractions = ui == "pl" and key.startswith("units.")
            assert len(phrase) == FORMS[ui] + fractions, key


def test_no_phrase_is_left_untranslated():
    same = [
        key
        for key, phrase in PHRASES["en"].items()
        if isinstance(phrase, str)
        and len(re.sub(r"\{\w+\}", "", phrase)) > 14
        and not key.endswith(".source")
        and phrase in (PHRASES["pl"][key], PHRASES["zh"][key])
    ]
    assert same == []


def test_what_replaces_the_reports_words_is_meant_to():
    replaced = {key.partition(".")[0] for key in read_phrases("en") if key in ledger_phrases("en", "live")}
    assert replaced <= {"page", "count", "caveats", "data", "summary", "method"}


@pytest.mark.parametrize(
    ("ui", "value", "unit", "text"),
    [
        ("en", 1, "day", "1 day"),
        ("en", 4.5, "day", "4.5 days"),
        ("en", 4.96, "day", "5 days"),
        ("pl", 1, "day", "1 dzień"),
        ("pl", 4.5, "day", "4,5 dnia"),
        ("pl", 22, "hour", "22 godziny"),
        ("pl", 12, "hour", "12 godzin"),
        ("zh", 3, "month", "3 个月"),
        ("en", 1234.5, "EUR", "1,234 EUR"),
        ("pl", 14.99, "PLN", "14,99 zł"),
        ("en", 18.25, "Mbit/s", "18.2 Mbit/s"),
        ("en", -2, "day", "−2 days"),
    ],
)
def test_amounts_are_written_in_their_language(ui, value, unit, text):
    assert write_amount(load_ledger_words(ui, "live"), value, unit).replace("\u00a0", " ") == text


@pytest.mark.parametrize(
    ("value", "unit", "comparator", "text", "worse", "as_good"),
    [
        (2.0, "day", "<=", "at most 2 days", 2.5, 2.0),
        (50.0, "Mbit/s", ">=", "at least 50 Mbit/s", 49.0, 50.0),
        (0.0, "price", "=", "free of charge", 4.0, 0.0),
        (20.0, "PLN", "=", "20 PLN", 21.0, 15.0),
        (2.0, "count", "=", "2", 3.0, 2.0),
    ],
)
def test_limits_are_written_and_held(value, unit, comparator, text, worse, as_good):
    promised = Quantity(value, unit, comparator, "", 0, 0)
    assert write_limit(load_ledger_words("en", "live"), promised) == text
    assert misses(promised, worse)
    assert not misses(promised, as_good)


def test_an_unknown_subject_shows_its_key_and_an_unknown_language_is_refused():
    assert subject_name(load_ledger_words("pl", "draft"), "brand_new") == "brand new"
    with pytest.raises(InputError, match="choose one of"):
        load_ledger_words("de", MODES[0])
