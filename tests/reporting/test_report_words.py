import re
from datetime import date

import pytest

from gapnlp.aggregator.caveats import CAVEATS
from gapnlp.errors import InputError
from gapnlp.records.labels import DIMENSIONS, GAPS
from gapnlp.records.report import Estimate
from gapnlp.reporting.formats import clean, clip
from gapnlp.reporting.to_html import LIMIT_PHRASES, METHODS
from gapnlp.reporting.words import PLURALS, load_words, read_phrases
from gapnlp.taxonomy.catalogue import UI_LANGUAGES, load_structure

PHRASES = {ui: read_phrases(ui) for ui in UI_LANGUAGES}
FORMS = {"en": 2, "pl": 3, "zh": 1}


def placeholders(phrase):
    texts = phrase if isinstance(phrase, list) else [phrase]
    return [set(re.findall(r"\{(\w*)\}", text)) for text in texts]


@pytest.mark.parametrize("ui", UI_LANGUAGES)
def test_every_language_has_the_same_phrases(ui):
    assert PHRASES[ui].keys() == PHRASES["en"].keys()


@pytest.mark.parametrize("ui", UI_LANGUAGES)
def test_every_language_has_the_same_placeholders(ui):
    for key, phrase in PHRASES["en"].items():
        wanted = placeholders(phrase)[0]
        assert all(found == wanted for found in placeholders(PHRASES[ui][key])), key


@pytest.mark.parametrize("ui", UI_LANGUAGES)
def test_plural_phrases_have_all_forms_of_their_language(ui):
    plural = [key for key, phrase in PHRASES[ui].items() if isinstance(phrase, list) and key != "format.months"]
    assert len(plural) >= 5
    assert all(len(PHRASES[ui][key]) == FORMS[ui] for key in plural)
    assert len(PHRASES[ui]["format.months"]) == 12


@pytest.mark.parametrize("ui", UI_LANGUAGES)
def test_caveats_methods_and_limits_are_worded(ui):
    assert {key.removeprefix("caveats.") for key in PHRASES[ui] if key.startswith("caveats.")} == set(CAVEATS)
    for method in METHODS:
        assert all(PHRASES[ui][f"method.{method}.{part}"] for part in ("name", "text", "formula", "source"))
    assert all(f"models.{key}" in PHRASES[ui] for key in LIMIT_PHRASES)


def test_no_phrase_is_left_untranslated():
    same = [
        key
        for key, phrase in PHRASES["en"].items()
        if isinstance(phrase, str)
        and len(re.sub(r"\{\w+\}", "", phrase)) > 20
        and not key.endswith(".source")
        and phrase in (PHRASES["pl"][key], PHRASES["zh"][key])
    ]
    assert same == []


@pytest.mark.parametrize(
    ("n", "form"), [(0, 2), (1, 0), (2, 1), (4, 1), (5, 2), (12, 2), (14, 2), (21, 2), (22, 1), (104, 1), (112, 2)]
)
def test_polish_plurals(n, form):
    assert PLURALS["pl"](n) == form


def test_counts_are_said_in_their_language(words):
    assert words["en"].count("count.items", 1) == "1 comment"
    assert words["en"].count("count.items", 1204) == "1,204 comments"
    assert words["pl"].count("count.items", 2) == "2 opinie"
    assert words["pl"].count("count.items", 1205) == "1\u00a0205 opinii"
    assert words["zh"].count("count.items", 3) == "3 条反馈"


def test_numbers_shares_and_dates_are_written_in_their_language(words):
    en, pl, zh = (words[ui].formats for ui in ("en", "pl", "zh"))
    assert (en.number(-1234.56), pl.number(1234.56)) == ("−1,234.6", "1\u00a0234,6")
    assert (en.percent(0.0834), pl.percent(0.0834), zh.percent(0.262)) == ("8.3%", "8,3%", "26%")
    assert en.percent(0.0996) == "10%"
    assert en.number(-0.04) == "0.0"
    assert pl.level(0.95) == "95%"
    assert pl.level(0.999) == "99,9%"
    day = date(2025, 3, 14)
    assert (en.day(day), pl.day(day), zh.day(day)) == ("14 March 2025", "14 marca 2025", "2025年3月14日")
    assert en.share_interval(Estimate(0.2, 0.1, 0.3, 9)) == "10%\u00a0–\u00a030%"
    assert en.share_interval(Estimate(0.2, None, None, 9)) == ""


def test_measures_are_named(words):
    assert words["en"].measure("perception:reliability") == "Perception of Reliability"
    assert words["en"].measure("gap:delivery") == "Delivery gap"
    assert words["en"].measure("sentiment") == "Sentiment"
    assert words["en"].measure("novel:thing") == "novel:thing"
    assert words["en"].short_measure("perception:reliability") == "Reliability"


def test_an_unknown_key_says_what_to_do(words):
    with pytest.raises(InputError, match="cause 'nonsense'.*make the report again"):
        words["en"].name("cause", "nonsense")
    with pytest.raises(InputError, match="'de'; choose one of en, pl, zh"):
        read_phrases("de")


def test_foreign_text_is_made_showable():
    assert clean("a\x00b\ud800c\u202ed\te\n") == "a\ufffdb\ufffdcd\te\n"
    assert clean("a\r\nb\rc") == "a\nb\nc"
    assert clip("abcdef", 4) == "abc…"
    assert clip("abcd", 4) == "abcd"


def test_caveats_name_the_gaps_inside_the_firm_and_unknown_ones_are_not_hidden(words):
    assert words["en"].caveat("attributed_gaps").startswith("Knowledge gap and Policy gap are attributed by customers")
    assert words["zh"].caveat("attributed_gaps").startswith("管理层认知差距和服务标准差距")
    assert words["pl"].caveat("brand_new") == "brand_new"


@pytest.mark.parametrize("ui", UI_LANGUAGES)
def test_the_taxonomy_names_everything_a_report_can_hold(ui):
    given, structure = load_words(ui), load_structure()
    kinds = {"cause": structure.causes, "remedy": structure.remedies, "gap": GAPS, "dimension": DIMENSIONS}
    assert all(given.name(kind, key) and given.explain(kind, key) for kind, keys in kinds.items() for key in keys)
    assert given.language("pl") != "pl"
