"""Analyses as flat rows: one an item, or one a segment. The columns never depend on the data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gapnlp.records.analysis import Analysis, ScoredSegment
from gapnlp.records.feedback import Failure
from gapnlp.records.labels import (
    CHURN,
    DIMENSIONS,
    GAPS,
    LABEL_INDEX,
    POLARITIES,
    Labels,
    dimension_label,
    gap_label,
)

Value = str | int | float | bool | None
Row = Mapping[str, Value]

_ITEM = {"file": str, "row": int, "id": str, "status": str, "reason": str, "language": str, "date": str}
_ITEM |= {"rating": float, "group": str, "text": str}
_DIMENSION_P = {f"p_{d}": float for d in DIMENSIONS}
_GAP_P = {f"p_gap_{g}": float for g in GAPS}
_JUDGEMENT: dict[str, type] = {
    "sentiment": str,
    **{d: str for d in DIMENSIONS},
    "gaps": str,
    "causes": str,
    "expectation": str,
}
_JUDGEMENT |= {"churn": bool, "abstained": bool, **_DIMENSION_P, **_GAP_P, "p_churn": float, "model_version": str}

# Column -> type, in order; "status" is "scored" or the kind of failure, "reason" says why a row was not scored.
ITEM_COLUMNS: Mapping[str, type] = {**_ITEM, "segments": int, "sentiment_score": float, **_JUDGEMENT}
SEGMENT_COLUMNS: Mapping[str, type] = {**_ITEM, "segment": int, "start": int, "end": int, **_JUDGEMENT}


def item_rows(results: Sequence[Analysis | Failure]) -> Iterator[Row]:
    """One row for every row that was read, scored or not.

    An item's dimension is "neg" or "pos" where all its segments agree, "mixed" where they do not; its gaps and causes
    are the union; a probability is the highest of its segments; sentiment_score is the mean in [-1, 1]; abstained says
    that one of its segments is too doubtful.
    """
    for result in results:
        yield _failure_row(result) if isinstance(result, Failure) else _item_row(result)


def segment_rows(results: Sequence[Analysis | Failure]) -> Iterator[Row]:
    """One row for every segment; a row that was not scored gives one row without labels."""
    for result in results:
        if isinstance(result, Failure):
            yield _failure_row(result)
            continue
        for number, scored in enumerate(result.segments, start=1):
            yield {
                **_item_columns(result),
                "text": scored.segment.text,
                "segment": number,
                "start": scored.segment.start,
                "end": scored.segment.end,
                **_judgement([scored]),
                "sentiment": scored.labels.sentiment,
                "model_version": result.model_version,
            }


def _failure_row(failure: Failure) -> Row:
    source = failure.source
    return {
        "file": source.file,
        "row": source.row,
        "id": failure.id,
        "status": failure.kind,
        "reason": failure.reason,
        "language": failure.language,
    }


def _item_columns(analysis: Analysis) -> dict[str, Value]:
    item = analysis.feedback
    return {
        "file": item.source.file,
        "row": item.source.row,
        "id": item.id,
        "status": "scored",
        "reason": "; ".join(item.notices) or None,
        "language": analysis.language,
        "date": item.date.isoformat() if item.date else None,
        "rating": item.rating,
        "group": item.group,
        "text": item.text,
    }


def _item_row(analysis: Analysis) -> Row:
    return {
        **_item_columns(analysis),
        "segments": len(analysis.segments),
        "sentiment_score": round(analysis.polarity, 4),
        **_judgement(analysis.segments),
        "sentiment": _overall(analysis),
        "model_version": analysis.model_version,
    }


def _judgement(segments: Sequence[ScoredSegment]) -> dict[str, Value]:
    labels = [s.labels for s in segments]
    row: dict[str, Value] = {d: _polarity(labels, d) for d in DIMENSIONS}
    row["gaps"] = ";".join(g for g in GAPS if any(g in x.gaps for x in labels)) or None
    row["causes"] = ";".join(sorted({c for s in segments for c in s.causes})) or None
    row["expectation"] = _expectation(labels)
    row["churn"] = any(x.churn for x in labels)
    row["abstained"] = any(s.abstained for s in segments)
    for d in DIMENSIONS:
        columns = [LABEL_INDEX[dimension_label(d, p)] for p in POLARITIES]
        row[f"p_{d}"] = round(max(sum(s.probabilities[c] for c in columns) for s in segments), 4)
    for g in GAPS:
        row[f"p_gap_{g}"] = max(s.probabilities[LABEL_INDEX[gap_label(g)]] for s in segments)
    row["p_churn"] = max(s.probabilities[LABEL_INDEX[CHURN]] for s in segments)
    return row


def _polarity(labels: Sequence[Labels], dimension: str) -> str | None:
    found = {x.dimensions[dimension] for x in labels if dimension in x.dimensions}
    if not found:
        return None
    return found.pop() if len(found) == 1 else "mixed"


def _expectation(labels: Sequence[Labels]) -> str:
    found = {x.expectation for x in labels}
    return next((e for e in ("unmet", "exceeded", "met") if e in found), "none")


def _overall(analysis: Analysis) -> str:
    found = {s.labels.sentiment for s in analysis.segments}
    if "mixed" in found or {"neg", "pos"} <= found:
        return "mixed"
    return next((s for s in ("neg", "pos") if s in found), "neu")
