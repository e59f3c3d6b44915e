"""Analyses and failures as bytes and back, compact and without pickle."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from gapnlp.errors import StoreError
from gapnlp.records.analysis import Analysis, ScoredSegment, Segment
from gapnlp.records.feedback import Failure, Feedback, Part, Source
from gapnlp.records.labels import Labels

Result = Analysis | Failure


def pack(results: Sequence[Result]) -> bytes:
    """One chunk's results, in order, as compressed JSON."""
    rows = [_analysis_row(r) if isinstance(r, Analysis) else {"failure": asdict(r)} for r in results]
    return zlib.compress(
        json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"), 1
    )


def unpack(payload: bytes) -> list[Result]:
    """Restore the results that `pack` was given.

    Raises StoreError when the payload is damaged or of another version.
    """
    try:
        rows = json.loads(zlib.decompress(payload))
        return [_failure(r["failure"]) if "failure" in r else _analysis(r) for r in rows]
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        raise StoreError("a stored chunk of results is damaged; delete the work file and run again") from error


def _analysis_row(analysis: Analysis) -> dict[str, Any]:
    item = asdict(analysis.feedback)
    item["date"] = analysis.feedback.date.isoformat() if analysis.feedback.date else None
    segments = [
        [s.segment.start, s.segment.end, asdict(s.labels), s.probabilities, s.causes, s.abstained]
        for s in analysis.segments
    ]
    return {"item": item, "language": analysis.language, "version": analysis.model_version, "segments": segments}


def _analysis(row: dict[str, Any]) -> Analysis:
    item = row["item"]
    feedback = Feedback(
        **{
            **item,
            "source": Source(**item["source"]),
            "parts": tuple(Part(**p) for p in item["parts"]),
            "date": date.fromisoformat(item["date"]) if item["date"] else None,
            "notices": tuple(item["notices"]),
        }
    )
    segments = tuple(
        ScoredSegment(
            Segment(start, end, feedback.text[start:end]),
            Labels(**{**labels, "gaps": tuple(labels["gaps"])}),
            tuple(probabilities),
            tuple(causes),
            abstained,
        )
        for start, end, labels, probabilities, causes, abstained in row["segments"]
    )
    return Analysis(feedback, row["language"], segments, row["version"])


def _failure(row: dict[str, Any]) -> Failure:
    return Failure(**{**row, "source": Source(**row["source"])})
