"""Ratings as exports write them: numbers, stars, words, "4/5"; and the scale they are on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isnan

from gapnlp.ingest.notices import quote_value
from gapnlp.ingest.presets import BINARY, STARS

# Words that mean a share of the scale, in [0, 1].
WORD_SHARES: dict[str, float] = {
    **dict.fromkeys(("good", "positive", "happy", "satisfied", "recommended", "yes", "true", "thumbs up", "pos"), 1.0),
    **dict.fromkeys(("bad", "negative", "unhappy", "dissatisfied", "not recommended", "no", "false"), 0.0),
    **dict.fromkeys(("thumbs down", "neg"), 0.0),
    **dict.fromkeys(("neutral", "mixed", "average", "neutralna", "中评", "中評", "中性", "一般"), 0.5),
    **dict.fromkeys(("pozytywna", "pozytywny", "polecam", "tak", "dobra"), 1.0),
    **dict.fromkeys(("negatywna", "negatywny", "nie polecam", "nie", "zła"), 0.0),
    **dict.fromkeys(("好评", "好評", "正面", "满意", "滿意", "推荐", "推薦", "好"), 1.0),
    **dict.fromkeys(("差评", "差評", "负面", "負面", "不满意", "不滿意", "不推荐", "不推薦", "差"), 0.0),
    # Freshdesk's survey has seven steps.
    **{"extremely happy": 1.0, "very happy": 5 / 6, "very unhappy": 1 / 6, "extremely unhappy": 0.0},
}
# Words that are a number of stars.
NUMBER_WORDS: dict[str, float] = {
    **{"zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5},
    **{"jeden": 1, "jedna": 1, "dwa": 2, "dwie": 2, "trzy": 3, "cztery": 4, "pięć": 5},
    **{"一": 1, "二": 2, "两": 2, "兩": 2, "三": 3, "四": 4, "五": 5},
}
# What an export writes where nobody rated.
NO_RATING = frozenset(
    (
        "",
        "offered",
        "unoffered",
        "n/a",
        "na",
        "nan",
        "none",
        "null",
        "-",
        "not rated",
        "star_rating_unspecified",
        "brak",
    )
    + ("brak oceny", "无", "無", "未评分", "未評分")
)
# Scales that numbers are taken to be on, by the largest value seen in the first rows.
SCALE_TOPS = (5.0, 10.0, 100.0)
CACHED_VALUES = 10_000

_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)?")
_OF = re.compile(r"(\d+(?:[.,]\d+)?)\s*(?:/|out of|of|z|na)\s*(\d+)(?!\d)")
_UNITS = re.compile(r"\s*(?:stars?|gwiazdk[aię]|gwiazdek|points?|punkt(?:y|ów)?|pkt\.?|颗星|顆星|星级|星級|星|分|%)$")
_FULL, _EMPTY, _HALF = "★⭐🌟", "☆✩", "½"


@dataclass(frozen=True, slots=True)
class RatingRule:
    """How a column's ratings are read.

    scale: lowest and highest rating, None when it could not be told. words: the export's own words -> rating. why:
    what was decided, for the user.
    """

    scale: tuple[float, float] | None
    why: str
    words: Mapping[str, float] = field(default_factory=dict)
    _cache: dict[object, tuple[float | None, float | None, str | None]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def read(self, value: object) -> tuple[float | None, float | None, str | None]:
        """Read a cell: rating, satisfaction in [0, 1], and a notice when it could not be read."""
        key = value if isinstance(value, (str, int, float)) else str(value)
        known = self._cache.get(key)
        if known is None:
            known = self._read(value)
            if len(self._cache) < CACHED_VALUES:
                self._cache[key] = known
        return known

    def _read(self, value: object) -> tuple[float | None, float | None, str | None]:
        text = _plain(value)
        if text in NO_RATING:
            return None, None, None
        if self.scale is None:
            return None, None, f"rating {quote_value(value)} is on no known scale"
        low, high = self.scale
        rating = self._rating(text, low, high)
        if rating is None:
            return None, None, f"rating {quote_value(value)} cannot be read"
        if not low <= rating <= high:
            return None, None, f"rating {quote_value(value)} is outside the scale {low:g} to {high:g}"
        return rating, (rating - low) / (high - low), None

    def _rating(self, text: str, low: float, high: float) -> float | None:
        if text in self.words:
            return float(self.words[text])
        if text in WORD_SHARES:
            return low + WORD_SHARES[text] * (high - low)
        number, top = read_number(text)
        if number is None or top is None or top == high:
            return number
        # "4/5" in a column of 1 to 10: its own fraction, on the column's scale.
        return number / top * high


def decide_ratings(
    values: Iterable[object], *, scale: tuple[float, float] | None = None, words: Mapping[str, float] | None = None
) -> RatingRule:
    """Decide the scale: the export's own where it is known, else what the first values show."""
    if scale is not None:
        return RatingRule(scale, f"scale {scale[0]:g} to {scale[1]:g}", words or {})
    texts = [text for text in map(_plain, values) if text not in NO_RATING]
    read = [read_number(text) for text in texts if text not in WORD_SHARES]
    numbers = [number for number, _ in read if number is not None]
    if not numbers:
        worded = any(text in WORD_SHARES for text in texts)
        return (
            RatingRule(BINARY, "words for good and bad: 0 to 1")
            if worded
            else RatingRule(None, "no rating could be read")
        )
    found = _scale_of(numbers, [top for _, top in read if top is not None])
    if found is None:
        return RatingRule(
            None, f"values {min(numbers):g} to {max(numbers):g} are on no known scale, so they are left out"
        )
    return RatingRule(
        found, f"scale {found[0]:g} to {found[1]:g} (values {min(numbers):g} to {max(numbers):g} in the first rows)"
    )


def is_rating(value: object) -> bool:
    """Tell whether a cell reads as a rating on some scale, or says that there is none."""
    text = _plain(value)
    return text in NO_RATING or text in WORD_SHARES or read_number(text)[0] is not None


def read_number(text: str) -> tuple[float | None, float | None]:
    """Read a lower-case rating: the number, and the top of the scale when it says so itself ("4/5", "★★★★☆")."""
    if _NUMBER.fullmatch(text):
        return float(text.replace(",", ".")), None
    if any(glyph in text for glyph in _FULL + _EMPTY):
        return _count_stars(text)
    if found := _OF.search(text):
        top = float(found[2])
        return (float(found[1].replace(",", ".")), top) if top > 0 else (None, None)
    bare = _UNITS.sub("", text)
    if _NUMBER.fullmatch(bare):
        return float(bare.replace(",", ".")), 100.0 if text.endswith("%") else None
    return NUMBER_WORDS.get(bare.replace("_", " ").strip()), None


def _count_stars(text: str) -> tuple[float | None, float | None]:
    full = sum(text.count(glyph) for glyph in _FULL)
    empty = sum(text.count(glyph) for glyph in _EMPTY)
    half = 0.5 if _HALF in text else 0.0
    return full + half, float(full + empty + (1 if half and empty else 0)) if empty else None


def _scale_of(numbers: list[float], tops: list[float]) -> tuple[float, float] | None:
    """Choose a scale that holds the numbers: the top that they name, 0-1, -1-1, or one of SCALE_TOPS.

    It starts at 1 unless a value below 1 was seen; scales to 100 start at 0.
    """
    low, high = min(numbers), max(numbers)
    if low < 0:
        return (-1.0, 1.0) if low >= -1 and high <= 1 else None
    if set(numbers) == {0.0, 1.0} or (high <= 1 and low < 1):
        return BINARY
    named = Counter(tops).most_common(1)[0][0] if tops else None
    top = named if named is not None and named >= high else next((t for t in SCALE_TOPS if high <= t), None)
    if top is None:
        return None
    return (0.0 if low < STARS[0] or top > 10 else 1.0, top)


def _plain(value: object) -> str:
    """Write a cell in lower case; 4.0 and 4 are one."""
    if value is None or (isinstance(value, float) and isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip().casefold()
