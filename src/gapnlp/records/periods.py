"""Names of periods of time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date


def _week(day: date) -> str:
    iso = day.isocalendar()
    return f"{iso.year:04d}-W{iso.week:02d}"


def _month(day: date) -> str:
    return f"{day.year:04d}-{day.month:02d}"


def _quarter(day: date) -> str:
    return f"{day.year:04d}-Q{(day.month + 2) // 3}"


# Period -> how its days are named. Labels sort in order of time. Weeks are ISO 8601: Monday first, week-year.
PERIODS: Mapping[str, Callable[[date], str]] = {"week": _week, "month": _month, "quarter": _quarter}
