"""Which writing system a text is in: decides most languages outright, and cheaper than any model."""

from __future__ import annotations

import re
from collections.abc import Mapping

# Scripts that one language of interest owns. Han, kana and Cyrillic are told apart further on.
_OWNED: Mapping[str, str] = {
    "ko": r"\uAC00-\uD7AF\u1100-\u11FF\u3130-\u318F",
    "ar": r"\u0600-\u06FF\u0750-\u077F",
    "he": r"\u0590-\u05FF",
    "el": r"\u0370-\u03FF",
    "th": r"\u0E00-\u0E7F",
    "hi": r"\u0900-\u097F",
}
_HAN = r"\u3400-\u4DBF\u4E00-\u9FFF\uF900-\uFAFF\U00020000-\U0003FFFF"
_OTHER_SCRIPTS: Mapping[str, re.Pattern[str]] = {
    "Cyrl": re.compile(r"[\u0400-\u052F]"),
    **{code: re.compile(f"[{span}]") for code, span in _OWNED.items()},
}
_HAN_CHAR = re.compile(f"[{_HAN}]")
_KANA = re.compile(r"[\u3041-\u3096\u30A1-\u30FA\u31F0-\u31FF\uFF66-\uFF9D]")
_BEYOND_LATIN = re.compile("[\u0370-\u1cff\u2e80-\ud7ff\uf900-\ufaff\uff66-\uffdc\U00020000-\U0003ffff]")
_LATIN_WORD = re.compile(r"[A-Za-z\u00C0-\u024F]+")

# Chinese writes a word of Latin letters now and then ("iPhone", "check in"), and a decorative の.
_HAN_PER_LATIN_WORD = 0.6
_KANA_SHARE = 0.15


def detect_script(text: str) -> str:
    """Say what the script tells: a language it belongs to alone ("zh", "ja", "ko", "ar" ...), "Cyrl" or "Latn".

    A mixed text goes to the script with more words: one Han character counts as one, so do 0.6 Latin words. Text
    without any letter is "Latn" too.
    """
    if text.isascii() or not _BEYOND_LATIN.search(text):
        return "Latn"
    latin = len(_LATIN_WORD.findall(text))
    han, kana = len(_HAN_CHAR.findall(text)), len(_KANA.findall(text))
    counts = {code: len(pattern.findall(text)) for code, pattern in _OTHER_SCRIPTS.items()}
    strongest = max(counts, key=counts.__getitem__)
    if han + kana and han + kana >= max(latin * _HAN_PER_LATIN_WORD, counts[strongest]):
        return "ja" if kana >= _KANA_SHARE * (han + kana) else "zh"
    # Letters of alphabets and syllables: about three to a short word.
    return strongest if counts[strongest] >= 3 * latin and counts[strongest] else "Latn"
