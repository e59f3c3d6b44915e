"""A segment cut out of its item as evidence, the same for reports and ledgers."""

from __future__ import annotations

from gapnlp.records.analysis import Analysis, ScoredSegment
from gapnlp.records.report import Evidence

# Code points of a quoted segment, and of the item's text shown on either side of it.
LONGEST = 400
CONTEXT = 80


def quote_segment(
    analysis: Analysis, scored: ScoredSegment, *, probability: float, kind: str = "strongest"
) -> Evidence:
    """Cut a segment and its surroundings out of the item; at most LONGEST characters, with offsets that hold."""
    feedback, start = analysis.feedback, scored.segment.start
    end = min(scored.segment.end, start + LONGEST)
    return Evidence(
        item_id=feedback.id,
        file=feedback.source.file,
        row=feedback.source.row,
        start=start,
        end=end,
        text=feedback.text[start:end],
        before=feedback.text[max(0, start - CONTEXT) : start],
        after=feedback.text[end : end + CONTEXT],
        language=analysis.language,
        kind=kind,
        probability=probability,
        date=feedback.date,
        rating=feedback.rating,
        group=feedback.group,
    )
