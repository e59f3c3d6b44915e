"""How numbers, shares, intervals and dates are written in one language, and how foreign text is made safe to show."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from gapnlp.records.report import Estimate

# Code points that XML, HTML or a terminal cannot show: controls but tab and line feed, surrogates, non-characters.
_UNSHOWABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_MINUS = "\u2212"
# No-break spaces keep both ends of an interval on one line.
_TO = "\u00a0–\u00a0"


def clean(text: str) -> str:
    """Replace what cannot be shown by U+FFFD and drop invisible direction overrides, which could reorder a line.

    Line ends of any kind become line feeds.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _BIDI.sub("", _UNSHOWABLE.sub("\ufffd", text))


def clip(text: str, length: int) -> str:
    """Shorten a text to `length` code points, with an ellipsis where something is left out."""
    return text if len(text) <= length else text[: max(length - 1, 0)] + "…"


@dataclass(frozen=True, slots=True)
class Formats:
    """The conventions of one language."""

    decimal: str
    thousands: str
    percent_pattern: str
    date_pattern: str
    months: tuple[str, ...]

    @classmethod
    def of(cls, phrases: Mapping[str, str | list[str]]) -> Formats:
        """Take the conventions from the wording's [format] table."""
        text = {key: str(phrases[f"format.{key}"]) for key in ("decimal", "thousands", "percent", "date")}
        months = tuple(phrases["format.months"])
        return cls(text["decimal"], text["thousands"], text["percent"], text["date"], months)

    def number(self, value: float, digits: int = 1, *, sign: bool = False) -> str:
        """Write a number with a fixed number of decimals: 1,234.5 or 1 234,5."""
        plain = f"{value:+,.{digits}f}" if sign else f"{value:,.{digits}f}"
        if plain.lstrip("+-").strip("0.,") == "":
            plain = plain.lstrip("+-")
        swapped = plain.replace(",", "\0").replace(".", self.decimal).replace("\0", self.thousands)
        return swapped.replace("-", _MINUS)

    def whole(self, value: int) -> str:
        """Write a whole number with thousands marked."""
        return self.number(value, 0)

    def percent(self, share: float, *, sign: bool = False) -> str:
        """Write a share in [0, 1] as a percentage: one decimal below 10 %, none above."""
        digits = 1 if abs(share) < 0.0995 else 0
        return self.percent_pattern.format(number=self.number(share * 100, digits, sign=sign))

    def level(self, level: float) -> str:
        """Write a confidence level or a rate: 95%, 99.9%."""
        return self.percent_pattern.format(number=f"{round(level * 100, 3):g}".replace(".", self.decimal))

    def share_interval(self, estimate: Estimate) -> str:
        """Write the interval of a share, or nothing when there is none."""
        if estimate.low is None or estimate.high is None:
            return ""
        return f"{self.percent(estimate.low)}{_TO}{self.percent(estimate.high)}"

    def interval(self, estimate: Estimate, digits: int = 1) -> str:
        """Write the interval of a plain figure, or nothing when there is none."""
        if estimate.low is None or estimate.high is None:
            return ""
        return f"{self.number(estimate.low, digits)}{_TO}{self.number(estimate.high, digits)}"

    def day(self, value: date) -> str:
        """Write a date in words."""
        return self.date_pattern.format(day=value.day, month=self.months[value.month - 1], year=value.year)
