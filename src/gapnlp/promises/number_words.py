"""Numbers as people write them: digits with each language's separators, and words in English, Polish and Chinese."""

from __future__ import annotations

import re
from collections.abc import Mapping

_CHINESE_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "俩": 2, "仨": 3}
_CHINESE_SCALES = {"十": 10, "百": 100, "千": 1000}
_CHINESE_GROUPS = {"万": 10_000, "亿": 100_000_000}
CHINESE_NUMERALS = "".join([*_CHINESE_DIGITS, *_CHINESE_SCALES, *_CHINESE_GROUPS])
_NEIGHBOURS = re.compile("[一二两三四五六七八][二两三四五六七八九]")
_FRACTION = re.compile(r"^(?:([0-9]+)[ -]?)?(?:(½)|([13])/([24]))$")


def parse_digits(written: str, language: str) -> float | None:
    """Read digits by the language's habits: "1,500.5" in English and Chinese, "1 500,5" in Polish; "1½" and "1 1/2".

    None where the separators make no sense.
    """
    if fraction := _FRACTION.match(written):
        whole, half, top, bottom = fraction.groups()
        return float(whole or 0) + (0.5 if half else int(top) / int(bottom))
    if language == "pl":
        written = written.replace(" , ", ",")
        written = re.sub(r"[ .](?=[0-9]{3}(?:[^0-9]|$))", "", written).replace(",", ".")
    else:
        written = re.sub(r",(?=[0-9]{3}(?:[^0-9]|$))", "", written).replace(",", ".")
    try:
        return float(written)
    except ValueError:
        return None


def parse_words(written: str, words: Mapping[str, float]) -> float | None:
    """Add up number words ("two hundred and fifty", "dwadzieścia pięć"), all folded; None where they are no one number.

    words: form -> value, the language's own; 100, 1,000 and 1,000,000 multiply what stands before them.
    """
    if written in words:
        return words[written]
    total, current = 0.0, 0.0
    for token in re.split(r"[\s-]+", written):
        if token in ("a", "and", "i"):
            continue
        value = words.get(token)
        if value is None or not _fits(current, value):
            return None
        if value >= 1000:
            total, current = total + (current or 1) * value, 0.0
        else:
            current = (current or 1) * 100 if value == 100 else current + value
    return total + current


def _fits(current: float, value: float) -> bool:
    """Whether `value` may follow what was read so far: "twenty five" may be one number, "five twenty" may not."""
    if value >= 1000:
        return True
    if value == 100:
        return current < 10
    if value < 10:
        return current % 10 == 0 and current % 100 != 10
    return current % (1000 if value >= 100 else 100) == 0


def parse_chinese(written: str) -> tuple[float, float | None] | None:
    """Read Chinese numerals: the value, and the lower end where two neighbours stand for a range ("三四十": 40, 30).

    "一百二" is 120. None for what is no number: digits in a row ("二零一六"), a scale without its digit ("万一").
    """
    pair = _NEIGHBOURS.search(written)
    if pair is None:
        value = _parse_numerals(written)
        return None if value is None else (value, None)
    first, second = (_CHINESE_DIGITS[char] for char in pair.group())
    if second != first + 1 and pair.group() != "三五":
        return None
    low = _parse_numerals(written[: pair.start() + 1] + written[pair.end() :])
    high = _parse_numerals(written[: pair.start()] + written[pair.start() + 1 :])
    return None if low is None or high is None else (high, low)


def _parse_numerals(numerals: str) -> float | None:
    total, section, digit, last_scale = 0.0, 0.0, None, 1
    for char in numerals:
        if char in _CHINESE_DIGITS:
            if digit:
                return None
            digit, last_scale = _CHINESE_DIGITS[char], 1 if char in "零〇" else last_scale
        elif char in _CHINESE_SCALES:
            if digit is None and char != "十":
                return None
            last_scale = _CHINESE_SCALES[char]
            section, digit = section + (digit or 1) * last_scale, None
        else:
            if digit is None and not section:
                return None
            last_scale = _CHINESE_GROUPS[char]
            total, section, digit = (total + section + (digit or 0)) * last_scale, 0.0, None
    # "一百二" leaves out the last scale.
    tail = (digit or 0) * (last_scale // 10 if digit and last_scale >= 100 else 1)
    return total + section + tail
