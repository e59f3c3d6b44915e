"""The verdict on a promise: whose limits are these constants, documented in docs/ledger.md."""

from __future__ import annotations

from gapnlp.promises.ledger_shares import Correction, bound_ratio
from gapnlp.records.report import Estimate

# Up to so many items that speak of a promise are silence.
MOST_SILENT = 2
# Broken: the ratio of breaks lies surely above one half, from so many breaks on, and surely so many of all items break
# it. A ratio alone would call a promise broken for six complaints among a million content customers.
BROKEN_ABOVE = 0.5
LEAST_BREAKS = 5
LEAST_SHARE = 0.001
# Kept: the ratio lies surely below one third. A promise that every second customer finds broken is not kept.
KEPT_BELOW = 1 / 3


def judge_promise(
    items: tuple[int, int, int], *, break_share: Estimate, corrections: dict[str, Correction], level: float
) -> str:
    """Give the verdict, one of VERDICTS. items: those that break it, keep it, and do at least one of the two."""
    breaks, keeps, speaking = items
    if speaking <= MOST_SILENT:
        return "silent"
    low, high = bound_ratio(breaks, keeps, corrections=corrections, level=level)
    if low > BROKEN_ABOVE and breaks >= LEAST_BREAKS and (break_share.low or 0.0) >= LEAST_SHARE:
        return "broken"
    return "kept" if breaks == 0 or high < KEPT_BELOW else "at_risk"
