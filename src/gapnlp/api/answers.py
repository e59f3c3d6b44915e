"""Scored texts -> what `/classify`, webhooks and reports answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gapnlp.api.batching import Outcome
from gapnlp.api.offsets import Offsets
from gapnlp.api.schemas import OffsetUnit
from gapnlp.api.schemas_classify import Classified, NotClassified
from gapnlp.export.rows import item_rows
from gapnlp.records.analysis import Analysis, ScoredSegment, Span
from gapnlp.records.feedback import Failure
from gapnlp.records.labels import (
    ATTRIBUTED_GAPS,
    CHURN,
    DIMENSIONS,
    LABELS,
    Labels,
    dimension_label,
    expectation_label,
    gap_label,
    sentiment_label,
)


@dataclass(frozen=True, slots=True)
class Judged:
    """A segment's labels with their probabilities and evidence, by name of label (records.labels.LABELS)."""

    labels: Labels
    probabilities: Mapping[str, float]
    evidence: Mapping[str, tuple[Span, ...]]
    offsets: Offsets

    def parts(self) -> dict[str, Any]:
        """Give the fields that say what the segment was labelled with (see SegmentAnswer)."""
        labels = self.labels
        expectation = {} if labels.expectation == "none" else self._sure(expectation_label(labels.expectation))
        return {
            "sentiment": {"label": labels.sentiment, **self._sure(sentiment_label(labels.sentiment))},
            "dimensions": [
                {"dimension": d, "polarity": p, **self._sure(dimension_label(d, p))}
                for d, p in labels.dimensions.items()
            ],
            "gaps": [{"gap": g, "attributed": g in ATTRIBUTED_GAPS, **self._sure(gap_label(g))} for g in labels.gaps],
            "expectation": {"outcome": labels.expectation, **expectation},
            "churn": {"present": labels.churn, **self._sure(CHURN)},
        }

    def _sure(self, label: str) -> dict[str, Any]:
        spots = self.offsets.spots(self.evidence.get(label, ()))
        return {"probability": self.probabilities.get(label), "evidence": spots}


def answer(
    outcome: Outcome,
    *,
    id: str | None,  # noqa: A002 - the caller's name for it
    offset_unit: OffsetUnit,
    all_labels: bool,
) -> Classified | NotClassified:
    """Say what became of one text.

    id: the caller's own. all_labels: give each segment's probabilities of all labels.
    """
    if isinstance(outcome, Failure):
        fault = {"code": outcome.kind, "detail": outcome.reason, "language": outcome.language}
        return NotClassified.model_validate({"id": id, "error": fault})
    offsets = Offsets(outcome.feedback.text, offset_unit)
    segments = [_segment(s, offsets, all_labels=all_labels) for s in outcome.segments]
    return Classified.model_validate({"id": id, "segments": segments, **_overall(outcome)})


def _segment(scored: ScoredSegment, offsets: Offsets, *, all_labels: bool) -> dict[str, Any]:
    probabilities = dict(zip(LABELS, scored.probabilities, strict=True))
    return {
        "start": offsets.at(scored.segment.start),
        "end": offsets.at(scored.segment.end),
        "text": scored.segment.text,
        "causes": scored.causes,
        "abstained": scored.abstained,
        "probabilities": probabilities if all_labels else None,
        **Judged(scored.labels, probabilities, scored.evidence, offsets).parts(),
    }


def _overall(analysis: Analysis) -> dict[str, Any]:
    """Read the whole text's labels off the row that exports have for it, so that both always agree."""
    (row,) = item_rows([analysis])
    given = [d for d in DIMENSIONS if row[d] is not None]
    return {
        "language": analysis.language,
        "sentiment": row["sentiment"],
        "sentiment_score": row["sentiment_score"],
        # A sum of rounded probabilities may be a little above 1.
        "dimensions": [
            {"dimension": d, "polarity": row[d], "probability": min(1.0, float(row[f"p_{d}"] or 0))} for d in given
        ],
        "gaps": [
            {"gap": g, "attributed": g in ATTRIBUTED_GAPS, "probability": row[f"p_gap_{g}"]}
            for g in _listed(row["gaps"])
        ],
        "expectation": row["expectation"],
        "churn": {"present": row["churn"], "probability": row["p_churn"]},
        "causes": _listed(row["causes"]),
        "abstained": row["abstained"],
        "model_version": analysis.model_version,
    }


def _listed(cell: Any) -> list[str]:
    return cell.split(";") if cell else []
