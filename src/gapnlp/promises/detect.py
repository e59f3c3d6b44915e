"""Which sentences of copy commit to something that a customer could find broken, and which are slogans.

A logistic regression over few features that mean the same in every language: quantities, absolutes, subjects of the
lexicon, words of commitment, of history, of slogans, of calls to action. What it learnt lies in the promise bundle.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from gapnlp.promises.quantities import read_absolutes, read_quantities
from gapnlp.promises.subjects import SubjectReader

WORD_KINDS = ("scope", "commit", "history", "slogan", "action", "asking")
UNIT_FEATURES: tuple[str, ...] = (
    "length",
    "short",
    "question",
    "exclamation",
    "no_stop",
    "year",
    "quantity",
    "quantities",
    "absolute",
    "subjects",
    "any_subject",
    "no_subject_no_quantity",
    "second_person",
    "first_person",
    "commas",
    *WORD_KINDS,
    *(f"any_{kind}" for kind in WORD_KINDS),
)

_YEAR = re.compile(r"(?<!\d)(?:1[6-9]|20)\d\d(?!\d)")
_SECOND = {
    "en": re.compile(r"\b(?:you|your|you'll|yours)\b", re.I),
    "pl": re.compile(r"\b(?:państw\w*|ci|cię|ciebie|tobie|twoj\w*|twój|pacjen\w*|gości\w*|gość|klien\w*)\b", re.I),
    "zh": re.compile("[您你]"),
}
_FIRST = {
    "en": re.compile(r"\b(?:we|our|us|we'll|we've)\b", re.I),
    "pl": re.compile(r"\b(?:my|nas|nam|nasz\w*|\w+(?:amy|emy|imy|ymy))\b", re.I),
    "zh": re.compile("我们"),
}
# Characters of a text that says as much as one English character does.
_DENSITY = {"en": 1.0, "pl": 1.0, "zh": 3.0}


def unit_features(texts: Sequence[str], language: str, *, subjects: SubjectReader) -> NDArray[np.float64]:
    """Features of units of copy, shape (n_units, n_features), in the order of UNIT_FEATURES.

    texts: normalised.
    """
    rows = [_row(text, language, subjects) for text in texts]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(UNIT_FEATURES))


def _row(text: str, language: str, subjects: SubjectReader) -> list[float]:
    quantities = read_quantities(text, language)
    found = {hit.subject for hit in subjects.read(text)}
    words = [_count(text.lower(), language, kind) for kind in WORD_KINDS]
    length = len(text) * _DENSITY[language]
    return [
        float(np.log1p(length)),
        float(length < 40),
        float(text.rstrip().endswith(("?", "？", "吗"))),
        float("!" in text or "！" in text),
        float(text.rstrip()[-1:] not in ".!?。！？"),
        float(bool(_YEAR.search(text))),
        float(bool(quantities)),
        float(min(len(quantities), 3)),
        float(bool(read_absolutes(text, language))),
        float(min(len(found), 4)),
        float(bool(found)),
        float(not found and not quantities),
        float(bool(_SECOND[language].search(text))),
        float(bool(_FIRST[language].search(text))),
        float(min(text.count(",") + text.count("，") + text.count("、"), 4)),
        *(float(min(n, 4)) for n in words),
        *(float(n > 0) for n in words),
    ]


def _count(text: str, language: str, kind: str) -> int:
    return sum(1 for _ in _pattern(language, kind).finditer(text))


@cache
def _pattern(language: str, kind: str) -> re.Pattern[str]:
    words = tomllib.loads(files("gapnlp.promises").joinpath("detect_words.toml").read_text(encoding="utf-8"))
    start = "" if language == "zh" else r"\b"
    return re.compile(start + "(?:" + "|".join(map(re.escape, words[language][kind])) + ")")
