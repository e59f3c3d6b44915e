"""Public texts that encoders are pretrained on, and sentences with their English translations.

No text that is also a gold item is given out, from the training or the development split: what an encoder has read,
it answers more surely than new text. The texts stay outside the project; only weights are kept.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gapnlp.errors import InputError
from gapnlp.text.normalise import normalise
from gapnlp.text.segments import split_segments
from training.auxiliary import text_key

Row = Mapping[str, Any]
Pair = tuple[str, str]

CLASSES = ("negative", "positive", "neutral", "ambiguous")

# PolEmo comes tokenised (" ."): marks that the classifier's own view of a text would leave apart are put back too.
_APART = re.compile(r"\s+([,.;:!?%)\]”])")
_LANGUAGE_PART = re.compile(r"(^|[-_])(en|zh)([-_]|$)")


@dataclass(frozen=True, slots=True)
class PublicText:
    """A normalised text. sentiment: its place in CLASSES, or None where nobody labelled it."""

    text: str
    sentiment: int | None = None


@dataclass(frozen=True, slots=True)
class _Set:
    """One data set: how a row becomes texts and a sentiment, and the characters kept of each text (None: all)."""

    name: str
    texts: Callable[[Row], Iterable[str]] = lambda row: (row["text"],)
    sentiment: Callable[[Row], int | None] = lambda row: _named(row.get("sentiment"))
    kept: int | None = None
    unique: bool = False


def _named(sentiment: str | None) -> int | None:
    return CLASSES.index(sentiment) if sentiment in CLASSES else None


def _by_stars(row: Row) -> int | None:
    """4 and 5 stars are positive, 1 and 2 negative, 3 say nothing."""
    stars = row.get("stars")
    if not stars or 2 < stars < 4:
        return None
    return _named("positive" if stars >= 4 else "negative")


def _statements(language: str, most: int | None = None) -> Callable[[Row], list[str]]:
    return lambda row: [s.text for s in split_segments(row["text"], language)[:most]]


def _rejoined(row: Row) -> tuple[str]:
    return (_APART.sub(r"\1", row["text"]),)


def _unlabelled(row: Row) -> None:
    return None


def _both(row: Row) -> tuple[str, str]:
    return row["text_a"], row["text_b"]


SETS: Mapping[str, tuple[_Set, ...]] = {
    "zh": (
        _Set("waimai_10k", kept=140),
        _Set("chnsenticorp_hotel", kept=140),
        _Set("online_shopping_9_cats", kept=140),
        _Set("eprstmt", kept=140),
        _Set("taiwan_hospital_reviews", sentiment=_by_stars, kept=140),
        _Set("aichallenger2018_sample", _statements("zh", most=6), _unlabelled),
        _Set("asap_samples", kept=140),
        _Set("m_absa_en_zh", kept=140),
    ),
    "pl": (
        _Set("polemo_sentences", _rejoined, kept=300),
        _Set("ceneo_pl", _statements("pl"), _unlabelled),
        _Set("cds_pl", _both, _unlabelled, unique=True),
        _Set("sick_pl", _both, _unlabelled, unique=True),
    ),
}
LANGUAGES = tuple(sorted(SETS))


def read_texts(folder: Path, language: str, *, banned: set[str]) -> list[PublicText]:
    """Read every text of a language, in the order of SETS.

    folder: the public data sets, gzipped JSON Lines. banned: `text_key`s of texts and segments that must not be read.
    Raises InputError when a set is absent.
    """
    return [text for part in SETS[language] for text in _read_set(folder, part, language, banned)]


def read_pairs(folder: Path, language: str, *, banned: set[str]) -> list[Pair]:
    """Read sentences of a language, each with its English translation; arguments as in `read_texts`."""
    pairs = _reviews_in_two_languages(folder) if language == "zh" else _captions_in_two_languages(folder)
    return [(own, english) for own, english in pairs if text_key(own) not in banned]


def _read_set(folder: Path, part: _Set, language: str, banned: set[str]) -> Iterator[PublicText]:
    seen: set[str] = set()
    for row in _rows(folder, part.name):
        # A gold item may have been cut into segments elsewhere, so the whole text counts too.
        if row["lang"] != language or ("text" in row and text_key(row["text"]) in banned):
            continue
        for text in part.texts(row):
            if text_key(text) in banned or (part.unique and text in seen):
                continue
            seen.add(text)
            yield PublicText(normalise(text, language)[: part.kept], part.sentiment(row))


def _reviews_in_two_languages(folder: Path) -> Iterator[Pair]:
    """M-ABSA: a review's identifier differs from its translation's in the language alone."""
    reviews: dict[str, dict[str, str]] = {}
    for row in _rows(folder, "m_absa_en_zh"):
        reviews.setdefault(_LANGUAGE_PART.sub("-", row["id"]), {})[row["lang"]] = row["text"]
    return ((r["zh"], r["en"]) for r in reviews.values() if len(r) == 2)


def _captions_in_two_languages(folder: Path) -> Iterator[Pair]:
    """SICK: each row holds two captions, in the same order in both languages."""
    polish = {row["id"]: row for row in _rows(folder, "sick_pl")}
    for row in _rows(folder, "sick_en"):
        same = polish.get(row["id"].replace("en", "pl"))
        if same:
            yield from zip(_both(same), _both(row), strict=True)


def _rows(folder: Path, name: str) -> Iterator[Row]:
    path = folder / f"{name}.jsonl.gz"
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)
    except FileNotFoundError:
        raise InputError(f"{path}: is not there; name the folder of the public sets with --public") from None
