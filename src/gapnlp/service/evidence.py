"""Evidence for stored segments: the words that speak for their labels, found when somebody looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gapnlp.records.analysis import Analysis, ScoredSegment, Segment, Span
from gapnlp.records.feedback import Feedback, Source
from gapnlp.records.service import StoredSegment
from gapnlp.scoring.scorer import Scorer


def explain_segments(scorer: Scorer, segments: Sequence[StoredSegment]) -> tuple[StoredSegment, ...]:
    """Add to each segment the words that speak for its labels, label -> spans in the item's text.

    scorer: of the quality that the job was scored with, or any other: it says what speaks for labels given already.
    """
    return tuple(replace(s, evidence=_evidence(scorer, s)) for s in segments)


def _evidence(scorer: Scorer, stored: StoredSegment) -> dict[str, tuple[Span, ...]]:
    scored = ScoredSegment(Segment(stored.start, stored.end, stored.text), stored.labels, ())
    feedback = Feedback(stored.item, stored.text, Source("", stored.row))
    explained = scorer.explain(Analysis(feedback, stored.language, (scored,), ""))
    return dict(explained.segments[0].evidence)
