"""The classifier's view of one segment: the same words however they were typed, pasted or exported.

Offsets are lost here, so this comes after segmentation and its result is never shown to people.
"""

from __future__ import annotations

import html
import re
import unicodedata
from functools import cache
from importlib.resources import files

from opencc import OpenCC

from gapnlp.records.stand_ins import EMAIL_WORD, REDACTED_WORD, URL_WORD, USER_WORD

_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,200}>")
# Zero-width and direction marks, soft hyphen; the joiner stays inside emoji.
_INVISIBLE = re.compile(
    "[\u200b\u200c\u2060-\u2064\ufeff\u00ad\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]|\u200d(?=[\\w\\s]|$)|(?<=[\\w\\s])\u200d"
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_URL = re.compile(r"(?:https?://|www\.|pic\.twitter\.com/)[^\s<>，。！？、\u3400-\u9fff]+", re.IGNORECASE)
_HANDLE = re.compile(r"(?<![\w@])@\w{1,50}")
_REDACTED = re.compile("█+")
_REPEATED = re.compile(r"([^\d\s])\1{3,}")
# Tokenised texts set marks apart (" ."); an emoticon (" :)") is a word of its own.
_MARK_APART = re.compile(r"\s+([.,!?…;]+|:)(?=\s|$)")
_CLOSE_APART = re.compile(r"(?<![:;=\s])\s+([)\]])")
_OPEN_APART = re.compile(r"([(\[„])\s+")
_APART = re.compile(r"\s[.,!?…;:)\]]|[(\[„]\s")


def normalise(text: str, language: str) -> str:
    """One segment as the classifier sees it; idempotent on its own results for usual text.

    language: ISO 639-1; Chinese ("zh") is converted from traditional to simplified characters. Case and emoji are kept.
    """
    if "&" in text:
        text = html.unescape(text)
    if "<" in text:
        text = _TAG.sub(" ", text)
    if not text.isascii():
        text = _unify_characters(text)
    text = _replace_addresses(_CONTROL.sub(" ", text))
    text = _REPEATED.sub(r"\1\1\1", text)
    if _APART.search(text):
        text = _rejoin_marks(text)
    text = " ".join(text.split())
    return _simplify(text) if language == "zh" else text


def _unify_characters(text: str) -> str:
    """Compatibility forms (full width, ligatures) as plain ones, nothing invisible, no redaction bars."""
    text = _INVISIBLE.sub("", text)
    return unicodedata.normalize("NFKC", _REDACTED.sub(f" {REDACTED_WORD} ", text))


def _replace_addresses(text: str) -> str:
    """Links, e-mail addresses and handles as one word each: that there is one matters, not which."""
    if "." in text:
        text = _URL.sub(URL_WORD, text)
    if "@" in text:
        text = _HANDLE.sub(USER_WORD, _EMAIL.sub(EMAIL_WORD, text))
    return text


def _rejoin_marks(text: str) -> str:
    """Punctuation set apart by a tokeniser put back to its word."""
    return _OPEN_APART.sub(r"\1", _CLOSE_APART.sub(r"\1", _MARK_APART.sub(r"\1", text)))


def _simplify(text: str) -> str:
    """Traditional Chinese as simplified (OpenCC); texts without a traditional character skip the conversion."""
    if _traditional_characters().isdisjoint(text):
        return text
    simplified: str = _converter().convert(text)
    return simplified


@cache
def _converter() -> OpenCC:
    return OpenCC("t2s")


@cache
def _traditional_characters() -> frozenset[str]:
    """Characters that OpenCC's table changes."""
    table = (files("opencc") / "dictionary" / "TSCharacters.txt").read_text(encoding="utf-8")
    pairs = (line.split() for line in table.splitlines() if "\t" in line)
    return frozenset(pair[0] for pair in pairs if pair[0] != pair[1])
