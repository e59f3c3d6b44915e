"""Jobs and keys in memory, for tests of what the API itself does; the real ones have tests over HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gapnlp.errors import Conflict, InputError, NotFound, StoreError
from gapnlp.records.corrections import Correction, GivenLabels
from gapnlp.records.feedback import ColumnRole, Recognition
from gapnlp.records.labels import Labels
from gapnlp.records.service import STATES, ApiKey, Job, JobOptions, Page, SegmentFilter, StoredSegment
from gapnlp.service.corrections import tell_correction

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RECOGNITION = Recognition(
    "reviews.csv", "csv", "utf-8", ",", None, (ColumnRole("review", "text", "a usual header for it"),), (1.0, 5.0)
)
SEGMENT = StoredSegment(
    item="r1",
    row=2,
    number=0,
    start=3,
    end=31,
    text="The parcel came 5 days late.",
    before="😀. ",
    after="",
    language="en",
    labels=Labels("neg", {"reliability": "neg"}, ("delivery",)),
    probabilities={"sentiment:neg": 0.9, "dimension:reliability:neg": 0.8, "gap:delivery": 0.7},
    period="2026-02",
    group="North",
    place=1,
    model_version="small-1",
)


@dataclass
class FakeJobs:
    """Keeps jobs; nothing runs unless a test says so. fault: raised by every call."""

    folder: Path
    kept: dict[str, Job] = field(default_factory=dict)
    by_key: dict[tuple[str, str], str] = field(default_factory=dict)
    received: list[tuple[str, bytes, JobOptions]] = field(default_factory=list)
    fault: Exception | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def counts(self) -> dict[str, int]:
        return {state: sum(j.state == state for j in self.kept.values()) for state in STATES}

    def add(self, project: str, state: str = "queued", **fields) -> Job:
        """Put a job there, with its results when it has succeeded."""
        with self.lock:
            job = Job(f"{len(self.kept):032x}", project, state, "reviews.csv", JobOptions(), NOW, **fields)
            self.kept[job.id] = job
        if state == "succeeded":
            for ending in ("csv", "jsonl", "parquet", "json", "html", "xlsx"):
                (self.folder / f"{job.id}.{ending}").write_bytes(f"{project} {ending}".encode())
        return job

    def ready(self) -> None:
        if self.fault:
            raise self.fault

    def submit(
        self, project: str, upload: Path, *, file: str, options: JobOptions, idempotency_key: str | None = None
    ) -> Job:
        self.ready()
        content = upload.read_bytes()
        if b"review" not in content:
            raise InputError(f"{upload.name}: no column is recognised as the customers' text")
        known = self.by_key.get((project, idempotency_key or ""))
        if known:
            return self.kept[known]
        self.received.append((file, content, options))
        upload.rename(self.folder / f"{len(self.kept)}.upload")
        job = self.add(project, recognitions=(RECOGNITION,))
        job = self.kept[job.id] = replace(job, file=file, options=options)
        if idempotency_key:
            self.by_key[project, idempotency_key] = job.id
        return job

    def preview(self, project: str, upload: Path, *, file: str, options: JobOptions) -> Recognition:
        self.ready()
        return replace(RECOGNITION, file=file)

    def get(self, project: str, job_id: str) -> Job:
        self.ready()
        job = self.kept.get(job_id)
        if job is None or job.project != project:
            raise NotFound("there is no such job in this project")
        return job

    def list(
        self, project: str, *, cursor: str | None = None, limit: int = 50, states: Sequence[str] | None = None
    ) -> Page[Job]:
        self.ready()
        if cursor is not None and not cursor.isdigit():
            raise InputError("cursor: this is none that a page came with")
        own = [j for j in self.kept.values() if j.project == project and (not states or j.state in states)]
        start = int(cursor or 0)
        return Page(tuple(own[start : start + limit]), str(start + limit) if len(own) > start + limit else None)

    def cancel(self, project: str, job_id: str) -> Job:
        job = self.get(project, job_id)
        if job.ended:
            raise Conflict(f"the job has {job.state} already")
        self.kept[job_id] = replace(job, state="cancelled")
        return self.kept[job_id]

    def delete(self, project: str, job_id: str) -> None:
        del self.kept[self.get(project, job_id).id]

    def result(self, project: str, job_id: str, format: str) -> Path:
        return self._file(project, job_id, format)

    def report(self, project: str, job_id: str, format: str, ui: str | None = None) -> Path:
        return self._file(project, job_id, format)

    def segments(
        self, project: str, job_id: str, filter: SegmentFilter, *, cursor: str | None = None, limit: int = 50
    ) -> Page[StoredSegment]:
        self._file(project, job_id, "csv")
        if cursor is not None:
            raise InputError("cursor: this is none that a page came with")
        return Page((SEGMENT,) if filter.gap in (None, "delivery") else (), None)

    def review_queue(self, project: str, job_id: str) -> tuple[int, ...]:
        self._file(project, job_id, "csv")
        return (SEGMENT.place,)

    def segment(self, project: str, job_id: str, place: int) -> StoredSegment:
        self._file(project, job_id, "csv")
        if place != SEGMENT.place:
            raise NotFound("there is no such segment in this job")
        return SEGMENT

    def _file(self, project: str, job_id: str, ending: str) -> Path:
        job = self.get(project, job_id)
        if job.state != "succeeded":
            raise Conflict(f"the job is {job.state}; there are results once it has succeeded")
        return self.folder / f"{job_id}.{ending}"


@dataclass
class FakeCorrections:
    """Keeps corrections; of keys it knows which correction came with them."""

    kept: dict[str, Correction] = field(default_factory=dict)
    by_key: dict[tuple[str, str], str] = field(default_factory=dict)
    fault: Exception | None = None

    def add(self, correction: Correction, idempotency_key: str | None = None) -> tuple[Correction, bool]:
        if self.fault:
            raise self.fault
        known = self.by_key.get((correction.project, idempotency_key or ""))
        if known:
            return self.kept[known], True
        self.kept[correction.id] = correction
        if idempotency_key:
            self.by_key[correction.project, idempotency_key] = correction.id
        return correction, False

    def take_back(self, project: str, correction_id: str) -> None:
        found = self.kept.get(correction_id)
        if found is None or found.project != project:
            raise NotFound("there is no such correction in this project")
        del self.kept[correction_id]

    def corrected(self, project: str, job_id: str) -> frozenset[int]:
        return frozenset(c.segment or 0 for c in self.kept.values() if (c.project, c.job) == (project, job_id))

    def given(self, project: str, who: str, job_id: str, place: int) -> GivenLabels | None:
        own = [c for c in self.kept.values() if (c.project, c.who, c.job, c.segment) == (project, who, job_id, place)]
        return own[-1].given if own else None

    def lines(self, project: str) -> Iterator[str]:
        for correction in self.kept.values():
            if correction.project == project:
                yield json.dumps(tell_correction(correction)) + "\n"


@dataclass
class FakeKeys:
    """Keys by secret."""

    kept: dict[str, ApiKey] = field(default_factory=dict)
    fault: StoreError | None = None

    def add(self, secret: str, project: str, *scopes: str) -> str:
        """Put a key there."""
        self.kept[secret] = ApiKey(secret, project, secret, scopes or ("classify", "jobs"), NOW, NOW + timedelta(9))
        return secret

    def check(self, secret: str) -> ApiKey | None:
        if self.fault:
            raise self.fault
        return self.kept.get(secret)

    def any(self) -> bool:
        if self.fault:
            raise self.fault
        return bool(self.kept)
