"""The check that a period is one that has names."""

from __future__ import annotations

from gapnlp.errors import InputError
from gapnlp.records.periods import PERIODS


def check_period(period: str | None) -> None:
    """Raise InputError when the period is none of PERIODS (None means no periods)."""
    if period is not None and period not in PERIODS:
        raise InputError(f"unknown period '{period}'; use one of: {', '.join(PERIODS)}")
