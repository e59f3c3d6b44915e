"""What the service keeps and hands out: jobs, access keys, and the segments behind a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Generic, TypeVar

from gapnlp.records.analysis import Span
from gapnlp.records.feedback import Failure, Recognition
from gapnlp.records.labels import Labels

STATES = ("queued", "running", "succeeded", "failed", "cancelled")
# A job in one of these does not change any more.
ENDED = ("succeeded", "failed", "cancelled")
# What a running job is at: reading the upload's columns and limits, scoring rows, writing report and results.
STAGES = ("checking", "scoring", "writing")
SCOPES = ("classify", "jobs", "admin")
RESULT_FORMATS = ("csv", "jsonl", "parquet")
REPORT_FORMATS = ("json", "html", "xlsx")
# The counts of a job: read is the sum of the others.
COUNTS = ("read", "scored", "failed", "duplicate", "empty", "unsupported")
# The project of everything on a server without keys.
LOCAL_PROJECT = "local"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class JobOptions:
    """How an upload is read and reported: the options of `gapnlp report`.

    text, title, date, rating, id, by, language: names of columns; None leaves the role to recognition. period: "week",
    "month", "quarter" or None. ui: language of the report. redact: mask personal data before scoring. quality: "fast",
    "balanced" or "accurate".
    """

    text: str | None = None
    title: str | None = None
    date: str | None = None
    rating: str | None = None
    id: str | None = None
    by: str | None = None
    language: str | None = None
    period: str | None = None
    ui: str = "en"
    redact: bool = False
    quality: str = "balanced"


@dataclass(frozen=True, slots=True)
class Job:
    """One upload on its way to a report.

    id: 32 hexadecimal digits. file: the name as given, to show and never to use as a path. Times are in UTC.
    rows_done: rows read and scored so far, kept rows only, so it never goes back. rows_total: about how many there are,
    None when unknown. counts: of COUNTS, whole only when succeeded. stage: of STAGES while running, else None.
    error: why it failed, in plain words without customers' text. failures: the first rows that were read and not
    scored. updated: when this was written. resumed and resumed_rows: when the present run began (after a crash:
    again), and the rows that were done by then.
    """

    id: str
    project: str
    state: str
    file: str
    options: JobOptions
    created: datetime
    started: datetime | None = None
    finished: datetime | None = None
    rows_done: int = 0
    rows_total: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    error: str | None = None
    recognitions: tuple[Recognition, ...] = ()
    stage: str | None = None
    updated: datetime | None = None
    resumed: datetime | None = None
    resumed_rows: int = 0
    failures: tuple[Failure, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether the job does not change any more."""
        return self.state in ENDED

    @property
    def rate(self) -> float | None:
        """Rows a second: of the present run while it scores, of the whole job once it has succeeded; else None."""
        if self.state == "succeeded":
            return _rate(self.rows_done, self.started, self.finished)
        if self.state == "running" and self.stage == "scoring":
            return _rate(self.rows_done - self.resumed_rows, self.resumed, self.updated)
        return None

    @property
    def seconds_left(self) -> float | None:
        """About how long the rows that are left will take; None when that cannot be told or nothing is scored."""
        if self.ended or self.rate is None or self.rows_total is None:
            return None
        return max(0, self.rows_total - self.rows_done) / self.rate


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An access key without its secret; prefix names it openly. scopes: of SCOPES."""

    prefix: str
    project: str
    name: str
    scopes: tuple[str, ...]
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None


@dataclass(frozen=True, slots=True)
class SegmentFilter:
    """Which segments of a report are wanted; None leaves a property open.

    polarity: of `dimension` where one is given, else of any dimension. period: a label such as "2025-03", of the
    period the job was made with. group: a value of the `by` column.
    """

    gap: str | None = None
    dimension: str | None = None
    polarity: str | None = None
    group: str | None = None
    period: str | None = None
    sentiment: str | None = None


@dataclass(frozen=True, slots=True)
class StoredSegment:
    """One segment behind a report's figures.

    item: id of its item. row: as in records.feedback.Source. number: its place in the item, from 0. start, end: code
    points of the item's text. before, after: the item's text around it (up to records.quotes.CONTEXT). probabilities:
    label (of records.labels.LABELS, given ones only) -> in [0, 1]. period: the label of the job's period. evidence:
    label -> spans in the item's text; empty until service.evidence.explain_segments adds it. place: names the segment
    within its job, from 1. model_version: the bundle that judged it; "" in jobs of older versions.
    """

    item: str
    row: int
    number: int
    start: int
    end: int
    text: str
    before: str
    after: str
    language: str
    labels: Labels
    probabilities: Mapping[str, float]
    causes: tuple[str, ...] = ()
    abstained: bool = False
    date: date | None = None
    rating: float | None = None
    group: str | None = None
    period: str | None = None
    evidence: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)
    place: int = 0
    model_version: str = ""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of many things, and the cursor that asks for the ones after them (None: there are no more)."""

    items: tuple[T, ...]
    next: str | None = None


def _rate(rows: int, since: datetime | None, until: datetime | None) -> float | None:
    if since is None or until is None:
        return None
    seconds = (until - since).total_seconds()
    return rows / seconds if rows > 0 and seconds > 0 else None
