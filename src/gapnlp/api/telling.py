"""Jobs, recognitions and stored segments -> what the API answers."""

from __future__ import annotations

from dataclasses import asdict

from gapnlp.api.answers import Judged
from gapnlp.api.offsets import Offsets
from gapnlp.api.schemas import OffsetUnit
from gapnlp.api.schemas_jobs import (
    ColumnAnswer,
    JobAnswer,
    RecognitionAnswer,
    ReportAnswer,
    StoredAnswer,
)
from gapnlp.records.feedback import Recognition
from gapnlp.records.service import REPORT_FORMATS, RESULT_FORMATS, Job, StoredSegment

_AS_THEY_ARE = (
    *("id", "state", "stage", "file", "created", "started", "finished"),
    *("rows_done", "rows_total", "error"),
)
_OF_SEGMENT = (
    *("item", "row", "number", "start", "end", "before", "text", "after", "language"),
    *("date", "rating", "group", "period", "causes", "abstained", "place", "model_version"),
)


def tell_job(job: Job) -> JobAnswer:
    """Say how a job is doing."""
    told = {name: getattr(job, name) for name in _AS_THEY_ARE}
    told |= {"options": asdict(job.options), "counts": dict(job.counts), "links": links(job)}
    told |= {"rows_per_second": _rounded(job.rate), "seconds_left": _rounded(job.seconds_left)}
    told["recognitions"] = [tell_recognition(r) for r in job.recognitions]
    return JobAnswer.model_validate(told)


def tell_report(job: Job) -> ReportAnswer:
    """Name a finished report."""
    return ReportAnswer(
        id=job.id,
        file=job.file,
        finished=job.finished,
        counts=dict(job.counts),
        by=job.options.by,
        period=job.options.period,
        links=links(job),
    )


def links(job: Job) -> dict[str, str]:
    """Say where a job's results are: nowhere before it has succeeded."""
    if job.state != "succeeded":
        return {}
    names = [*(f"result.{f}" for f in RESULT_FORMATS), *(f"report.{f}" for f in REPORT_FORMATS)]
    return {n: f"/jobs/{job.id}/{n}" for n in names} | {"segments": f"/reports/{job.id}/segments"}


def tell_recognition(recognition: Recognition) -> RecognitionAnswer:
    """Say how an upload was understood."""
    return RecognitionAnswer(
        file=recognition.file,
        format=recognition.format,
        encoding=recognition.encoding,
        delimiter=recognition.delimiter,
        preset=recognition.preset,
        columns=[ColumnAnswer(column=c.column, role=c.role, why=c.why) for c in recognition.columns],
        rating_scale=None if recognition.rating_scale is None else list(recognition.rating_scale),
    )


def tell_segment(stored: StoredSegment, unit: OffsetUnit) -> StoredAnswer:
    """Show a stored segment; its evidence is counted from the beginning of its own text."""
    offsets = Offsets(stored.text, unit, base=stored.start)
    judged = Judged(stored.labels, stored.probabilities, stored.evidence, offsets)
    return StoredAnswer.model_validate({name: getattr(stored, name) for name in _OF_SEGMENT} | judged.parts())


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
