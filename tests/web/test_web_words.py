"""The page's words: the same in every language, and every phrase that a template or module says is there."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest
from starlette.requests import Request

from gapnlp.api.web.wording import OWN_NAMES, TAGS, choose_ui, load_page_words, read_page_phrases
from gapnlp.records.service import JobOptions
from gapnlp.taxonomy.catalogue import UI_LANGUAGES

PHRASES = {ui: read_page_phrases(ui) for ui in UI_LANGUAGES}
FORMS = {"en": 2, "pl": 3, "zh": 1}
WEB = files("gapnlp.api.web")
SOURCES = {
    file.name: file.read_text(encoding="utf-8")
    for folder in (WEB, WEB.joinpath("templates"))
    for file in folder.iterdir()
    if file.name.endswith((".py", ".j2"))
}
# Parts of a phrase's name that stand in a record, not in a template.
MADE = {
    "web.state.": ("queued", "running", "succeeded", "failed", "cancelled"),
    "web.progress.": ("queued", "checking", "scoring", "writing", "succeeded", "failed", "cancelled"),
    "web.columns.": ("text", "title_role", "date", "rating", "id", "language", "by", "fast", "balanced", "accurate"),
    "web.report.": ("html", "xlsx", "json", "csv", "jsonl", "parquet"),
    "web.sentences.": ("better", "worse"),
    "web.home.": ("open", "watch", "look"),
}


def placeholders(phrase):
    texts = phrase if isinstance(phrase, list) else [phrase]
    return [set(re.findall(r"\{(\w*)\}", text)) for text in texts]


@pytest.mark.parametrize("ui", UI_LANGUAGES)
def test_every_language_has_the_same_phrases_and_placeholders(ui):
    assert PHRASES[ui].keys() == PHRASES["en"].keys()
    for key, phrase in PHRASES["en"].items():
        wanted = placeholders(phrase)[0]
        assert all(found == wanted for found in placeholders(PHRASES[ui][key])), key


@pytest.mark.parametrize("ui", UI_LANGUAGES)
def test_phrases_that_count_have_all_forms_of_their_language(ui):
    counting = [key for key, phrase in PHRASES["en"].items() if isinstance(phrase, list)]
    assert len(counting) >= 8
    assert all(len(PHRASES[ui][key]) == FORMS[ui] for key in counting)


def test_no_phrase_is_left_untranslated():
    same = [
        key
        for key, phrase in PHRASES["en"].items()
        if isinstance(phrase, str)
        and len(re.sub(r"\{\w+\}", "", phrase)) > 12
        and phrase in (PHRASES["pl"][key], PHRASES["zh"][key])
    ]
    assert same == []


def test_everything_that_is_said_has_words_and_all_words_are_said():
    said = set()
    for text in SOURCES.values():
        said |= {f"web.{key}" for key in re.findall(r"\bweb\(\"([\w.]*\w)\"", text)}
        said |= set(re.findall(r"\"(web\.[\w.]+[\w])\"", text))
    for prefix, names in MADE.items():
        said |= {prefix + name for name in names}
    assert said - PHRASES["en"].keys() == set()
    assert PHRASES["en"].keys() - said == set()


def test_no_language_is_left_out():
    assert set(OWN_NAMES) == set(TAGS) == set(UI_LANGUAGES)
    assert {load_page_words(ui).say("web.site.home") for ui in UI_LANGUAGES} == {"Reports", "Raporty", "报告"}
    assert JobOptions().ui in UI_LANGUAGES


@pytest.mark.parametrize(
    ("query", "cookie", "accepted", "wanted"),
    [
        ("ui=zh", "pl", "en", "zh"),
        ("ui=xx", "pl", "en", "pl"),
        ("", "xx", "de,pl;q=0.4,en;q=0.7", "en"),
        ("", "", "de, zh-CN;q=0.9", "zh"),
        ("", "", "pl;q=nonsense,fr", "pl"),
        ("", "", "", "en"),
    ],
)
def test_the_language_is_asked_for_then_kept_then_the_browsers(query, cookie, accepted, wanted):
    headers = [(b"accept-language", accepted.encode()), (b"cookie", f"gapnlp_ui={cookie}".encode())]
    scope = {"type": "http", "query_string": query.encode(), "headers": headers, "path": "/", "method": "GET"}
    assert choose_ui(Request(scope)) == wanted
