"""A job as a row of the service's database, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from gapnlp.records.feedback import ColumnRole, Failure, Recognition, Source
from gapnlp.records.service import Job, JobOptions

# Fields of Job that are columns as they are.
_PLAIN = (
    "id",
    "project",
    "state",
    "stage",
    "file",
    "created",
    "started",
    "finished",
    "updated",
    "resumed",
    "resumed_rows",
    "rows_done",
    "rows_total",
    "error",
)


def job_values(job: Job) -> dict[str, Any]:
    """Columns of a job, of those that its record holds."""
    return {name: getattr(job, name) for name in _PLAIN} | {
        "options": asdict(job.options),
        "counts": dict(job.counts),
        "recognitions": recognition_values(job.recognitions),
        "failures": failure_values(job.failures),
    }


def recognition_values(recognitions: Iterable[Recognition]) -> list[dict[str, Any]]:
    """Recognitions as JSON."""
    return [asdict(r) for r in recognitions]


def failure_values(failures: Iterable[Failure]) -> list[dict[str, Any]]:
    """Failures as JSON."""
    return [asdict(f) for f in failures]


def read_job(row: Row[Any]) -> Job:
    """Read a job from a row with all columns."""
    values = row._mapping
    return Job(
        **{name: values[name] for name in _PLAIN},
        options=JobOptions(**values["options"]),
        counts=dict(values["counts"]),
        recognitions=tuple(_recognition(r) for r in values["recognitions"]),
        failures=tuple(Failure(**{**f, "source": Source(**f["source"])}) for f in values["failures"]),
    )


def plain_text(text: str, *, longest: int) -> str:
    """Make a text fit for any column: no NUL, no lone surrogates, no longer than that."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:longest]


def order_mark(created: datetime, job_id: str) -> str:
    """Name a job's place in the order of jobs, for cursors."""
    return f"{created.isoformat()} {job_id}"


def read_order_mark(mark: str) -> tuple[datetime, str]:
    """Read what `order_mark` wrote. Raises ValueError."""
    moment, _, job_id = mark.partition(" ")
    created = datetime.fromisoformat(moment)
    if created.tzinfo is None or not job_id.isalnum():
        raise ValueError("no order mark")
    return created, job_id


def _recognition(values: Mapping[str, Any]) -> Recognition:
    scale = values["rating_scale"]
    columns = tuple(ColumnRole(**c) for c in values["columns"])
    return Recognition(**{**values, "columns": columns, "rating_scale": tuple(scale) if scale else None})
