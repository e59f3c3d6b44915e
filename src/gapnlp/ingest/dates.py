"""Dates as exports write them; the order of day and month is decided once per column."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from gapnlp.ingest.notices import quote_value

# Years that a review may be from.
EARLIEST_YEAR, LATEST_YEAR = 1990, 2100
# Numbers that are seconds (9 or 10 digits) or milliseconds (12 or 13) since 1970.
SECONDS_RANGE = (6.3e8, 4.1e9)
# Excel counts days from here; this range is 1990 to 2100 as well.
EXCEL_EPOCH = date(1899, 12, 30)
EXCEL_RANGE = (32_874, 73_051)
# No date is written longer than this, with weekday, zone and all.
LONGEST_DATE = 80
# The Republic of China calendar (民國) starts so many years later.
ROC_OFFSET = 1911

_MONTH_STEMS: tuple[tuple[str, ...], ...] = (
    ("jan", "sty"),
    ("feb", "lut"),
    ("mar",),
    ("apr", "kwi"),
    ("may", "maj"),
    ("jun", "cze"),
    ("jul", "lip"),
    ("aug", "sie"),
    ("sep", "wrz"),
    ("oct", "paź", "paz"),
    ("nov", "lis"),
    ("dec", "gru"),
)
_MONTHS = {stem: number for number, stems in enumerate(_MONTH_STEMS, start=1) for stem in stems}

_NUMERIC = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})(?!\d)")
_CJK = re.compile(r"(民[國国])?\s*(\d{2,4})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*[日号號]")
_NAMED = re.compile(
    r"(?<!\d)(\d{1,2})(?:st|nd|rd|th|\.)?[\s/-]+(?:of\s+)?([^\W\d_]{3,})\.?,?[\s/-]+(\d{4}|\d{2})(?![\d:])"
)
_NAMED_FIRST = re.compile(r"([^\W\d_]{3,})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s(?:.*\s)?(\d{4})(?!\d)")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_RELATIVE = re.compile(
    r"\bago\b|\byesterday\b|\btoday\b|\bjust now\b|\btemu\b|\bwczoraj\b|\bdzisiaj\b|\bdziś\b"
    r"|(?:秒|分钟|分鐘|小时|小時|天|日|周|週|星期|月|年)\s*[之以]?前|昨天|今天|前天|刚刚|剛剛"
)


@dataclass(frozen=True, slots=True)
class DateRule:
    """How a column's dates are read. why: what was decided, for the user."""

    day_first: bool
    why: str

    def read(self, value: object) -> tuple[date | None, str | None]:
        """Read a cell: the date, or None with a notice; both None for an empty cell.

        Times and zones are cut off: a date is the one that the export shows.
        """
        if value is None or value == "":
            return None, None
        if isinstance(value, str):
            return self._read_text(value.strip())
        if isinstance(value, datetime):
            return _checked(value.date(), value)
        if isinstance(value, date):
            return _checked(value, value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return _checked(_from_number(value), value)
        return None, _no_date(value)

    def _read_text(self, text: str) -> tuple[date | None, str | None]:
        if not text:
            return None, None
        if text[4:5] == "-" and text[:4].isdigit():
            try:
                return _checked(date.fromisoformat(text[:10]), text)
            except ValueError:
                pass
        try:
            found = _from_text(text[:LONGEST_DATE].casefold(), day_first=self.day_first)
        except (ValueError, OverflowError):
            return None, _no_date(text)
        if found is None and _RELATIVE.search(text.casefold()):
            return None, f"date {quote_value(text)} is relative and was left out: the day it counts from is not known"
        return _checked(found, text)


def decide_dates(values: Iterable[object]) -> DateRule:
    """Decide the order of day and month from a column's first values, and say how sure that is."""
    texts = [value.strip() for value in values if isinstance(value, str)]
    pairs = [pair for text in texts if (pair := _day_month_pair(text)) is not None]
    first = sum(1 for a, b in pairs if a > 12 >= b)
    second = sum(1 for a, b in pairs if b > 12 >= a)
    if not pairs:
        return DateRule(True, _without_order(texts))
    if not first and not second:
        return DateRule(True, "the first dates fit day/month and month/day alike: day/month was assumed")
    order = "day/month" if first >= second else "month/day"
    contrary = min(first, second)
    return DateRule(
        first >= second,
        f"dates are {order}" + (f", though {contrary} of the first rows contradict it" if contrary else ""),
    )


def _without_order(texts: list[str]) -> str:
    """Describe a column whose dates leave no doubt about day and month."""
    relative = sum(1 for text in texts if _RELATIVE.search(text.casefold()) and not _NUMERIC.match(text))
    if not relative:
        return ""
    return f"{relative} of the first {len(texts)} dates are relative ('3 months ago') and cannot be dated"


def _day_month_pair(text: str) -> tuple[int, int] | None:
    """Take the two leading numbers of a date whose order is open, such as 2/24/2015."""
    found = _NUMERIC.match(text)
    if found is None or len(found[1]) > 2 or found[2] == ".":
        return None
    return int(found[1]), int(found[3])


def _from_text(text: str, *, day_first: bool) -> date | None:
    """Read a lower-case text; None when no form fits. Raises ValueError for a day that does not exist."""
    if text.replace(".", "", 1).isdecimal() and len(text) != 8:
        return _from_number(float(text))
    if found := _COMPACT.fullmatch(text):
        return date(int(found[1]), int(found[2]), int(found[3]))
    if found := _NUMERIC.match(text):
        return _from_numeric(found, day_first=day_first)
    if found := _CJK.search(text):
        year = int(found[2]) + (ROC_OFFSET if found[1] or int(found[2]) < 200 else 0)
        return date(year, int(found[3]), int(found[4]))
    return _from_named(text)


def _from_numeric(found: re.Match[str], *, day_first: bool) -> date:
    """Read 2024/3/5, 5.03.2024, 5/3/2024 or 3/5/24; dots always mean day.month."""
    a, b, c = int(found[1]), int(found[3]), int(found[4])
    if len(found[1]) == 4:
        return date(a, b, c)
    year = c + 2000 if len(found[4]) <= 2 else c
    return date(year, b, a) if day_first or found[2] == "." else date(year, a, b)


def _from_named(text: str) -> date | None:
    """Read a date with the month's name in English or Polish: 5 marca 2024, March 5th, 2024, 05/Mar/24."""
    for found in _NAMED.finditer(text):
        month = _MONTHS.get(found[2][:3])
        if month:
            year = int(found[3])
            return date(year + 2000 if year < 100 else year, month, int(found[1]))
    for found in _NAMED_FIRST.finditer(text):
        month = _MONTHS.get(found[1][:3])
        if month:
            return date(int(found[3]), month, int(found[2]))
    return None


def _from_number(value: float) -> date | None:
    """Read seconds or milliseconds since 1970 (UTC), or Excel's count of days."""
    if EXCEL_RANGE[0] <= value <= EXCEL_RANGE[1]:
        return EXCEL_EPOCH + timedelta(days=int(value))
    for unit in (1, 1_000, 1_000_000):
        if SECONDS_RANGE[0] * unit <= value <= SECONDS_RANGE[1] * unit:
            return datetime.fromtimestamp(value / unit, tz=UTC).date()
    return None


def _checked(found: date | None, value: object) -> tuple[date | None, str | None]:
    if found is None or not EARLIEST_YEAR <= found.year <= LATEST_YEAR:
        return None, _no_date(value)
    return found, None


def _no_date(value: object) -> str:
    return f"date {quote_value(value)} is no date that can be read"
