"""The page's words in one UI language, beside the report's and the taxonomy's; and which language a visitor gets."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from functools import cache
from importlib.resources import files

from starlette.requests import Request

from gapnlp.reporting.words import Phrase, Words, flatten, load_words
from gapnlp.taxonomy.catalogue import UI_LANGUAGES

# Each language's name of itself, for the switch, and its BCP 47 tag, for the page.
OWN_NAMES = {"en": "English", "pl": "Polski", "zh": "中文"}
TAGS = {"en": "en", "pl": "pl", "zh": "zh-Hans"}
UI_COOKIE = "gapnlp_ui"


def read_page_phrases(ui: str) -> dict[str, Phrase]:
    """Read the page's own phrases in one of UI_LANGUAGES, named "web." and then section and key."""
    text = files("gapnlp.api.web").joinpath("wording", f"{ui}.toml").read_text(encoding="utf-8")
    return flatten(tomllib.loads(text), "web.")


@cache
def load_page_words(ui: str) -> Words:
    """Put the page's phrases beside the report's, so that a template says both. Raises InputError."""
    words = load_words(ui)
    return replace(words, phrases={**words.phrases, **read_page_phrases(ui)})


def choose_ui(request: Request) -> str:
    """Choose the visitor's language: asked for in the address, else chosen before, else the browser's, else English."""
    for wanted in (request.query_params.get("ui"), request.cookies.get(UI_COOKIE)):
        if wanted in UI_LANGUAGES:
            return wanted
    return _accepted(request.headers.get("accept-language", ""))


def _accepted(header: str) -> str:
    """Find the supported language that the browser wants most."""
    ranked = []
    for place, entry in enumerate(header[:500].split(",")):
        tag, _, weight = entry.partition(";q=")
        ui = tag.strip().lower().partition("-")[0]
        if ui in UI_LANGUAGES:
            ranked.append((-_weight(weight), place, ui))
    return min(ranked)[2] if ranked else "en"


def _weight(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0
