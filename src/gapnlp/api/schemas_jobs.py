"""Jobs, reports and the segments behind them."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from gapnlp.api.schemas import Dimension, Gap, Language, OffsetUnit, Polarity, Sentiment, Told
from gapnlp.api.schemas_classify import GivenChurn, GivenDimension, GivenExpectation, GivenGap, GivenSentiment

State = Literal["queued", "running", "succeeded", "failed", "cancelled"]
Ui = Literal["en", "pl", "zh"]
JobId = Annotated[str, Field(pattern="^[0-9a-f]{32}$", examples=["5f0c3a9be2d14c7f8a6b1d2e3f405162"])]
_COLUMN = Field(None, min_length=1, max_length=500, description="name of the column; empty: recognised by itself")


class JobForm(BaseModel):
    """The options of a job, as fields of a form: the options of `gapnlp report`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str | None = _COLUMN
    title: str | None = _COLUMN
    date: str | None = _COLUMN
    rating: str | None = _COLUMN
    id: str | None = _COLUMN
    by: str | None = Field(None, min_length=1, max_length=500, description="column of the groups to compare")
    language: str | None = _COLUMN
    period: Literal["week", "month", "quarter"] | None = Field(None, description="trend over time")
    ui: Ui = Field("en", description="language of the report")
    redact: Literal["true", "false"] = Field("false", description="mask personal data before anything else")
    quality: Literal["fast", "balanced", "accurate"] | None = Field(None, description="empty: the server's own")


class ColumnAnswer(Told):
    """What a column was taken for, and why."""

    column: str = Field(examples=["review"])
    role: str = Field(
        description="text, title, positive, negative, date, rating, id, link, language, group or ignored",
        examples=["text"],
    )
    why: str = Field(examples=["a usual header for it"])


class RecognitionAnswer(Told):
    """How an upload was understood."""

    file: str = Field(examples=["reviews.csv"])
    format: str = Field(examples=["csv"])
    encoding: str | None = Field(None, examples=["utf-8"])
    delimiter: str | None = Field(None, examples=[","])
    preset: str | None = Field(None, description="the known export it is, if any", examples=["Trustpilot"])
    columns: list[ColumnAnswer]
    rating_scale: list[float] | None = Field(None, description="lowest and highest rating", examples=[[1, 5]])


class OptionsAnswer(Told):
    """The options a job was made with."""

    text: str | None = None
    title: str | None = None
    date: str | None = None
    rating: str | None = None
    id: str | None = None
    by: str | None = Field(None, examples=["store"])
    language: str | None = None
    period: str | None = Field(None, examples=["month"])
    ui: str = Field(examples=["en"])
    redact: bool = Field(examples=[False])
    quality: str = Field(examples=["balanced"])


class JobAnswer(Told):
    """One upload on its way to a report."""

    id: JobId
    state: State = Field(examples=["running"])
    stage: str | None = Field(None, description="while running: checking, scoring or writing", examples=["scoring"])
    file: str = Field(description="name as given", examples=["reviews.csv"])
    options: OptionsAnswer
    created: dt.datetime = Field(examples=["2026-03-01T12:00:00Z"])
    started: dt.datetime | None = Field(None, examples=["2026-03-01T12:00:01Z"])
    finished: dt.datetime | None = Field(None, examples=[None])
    rows_done: int = Field(ge=0, examples=[1500])
    rows_total: int | None = Field(None, ge=0, description="about; null when unknown", examples=[20000])
    rows_per_second: float | None = Field(None, ge=0, examples=[740.5])
    seconds_left: float | None = Field(None, ge=0, description="about; null when unknown", examples=[25.0])
    counts: dict[str, int] = Field(
        description="rows by what became of them; whole only when succeeded",
        examples=[{"read": 1500, "scored": 1480, "failed": 2, "duplicate": 12, "empty": 6, "unsupported": 0}],
    )
    error: str | None = Field(None, description="why it failed", examples=[None])
    recognitions: list[RecognitionAnswer]
    links: dict[str, str] = Field(
        description="where its results are, once succeeded",
        examples=[{"result.csv": "/jobs/5f0c3a9be2d14c7f8a6b1d2e3f405162/result.csv"}],
    )


class JobPage(Told):
    """Jobs, newest first."""

    items: list[JobAnswer]
    next: str | None = Field(None, description="cursor of the next page; null at the end", examples=[None])


class ReportAnswer(Told):
    """A finished report."""

    id: JobId
    file: str = Field(examples=["reviews.csv"])
    finished: dt.datetime | None = Field(None, examples=["2026-03-01T12:00:30Z"])
    counts: dict[str, int] = Field(examples=[{"read": 1500, "scored": 1480}])
    by: str | None = Field(None, description="column of the groups", examples=["store"])
    period: str | None = Field(None, examples=["month"])
    links: dict[str, str] = Field(examples=[{"report.html": "/jobs/5f0c3a9be2d14c7f8a6b1d2e3f405162/report.html"}])


class ReportPage(Told):
    """Reports, newest first."""

    items: list[ReportAnswer]
    next: str | None = Field(None, description="cursor of the next page; null at the end", examples=[None])


class StoredAnswer(Told):
    """One segment behind a report's figures. Its evidence is counted from the beginning of `text`."""

    place: int = Field(ge=0, description="names the segment in /corrections", examples=[17])
    item: str = Field(description="id of its item", examples=["r-17"])
    row: int = Field(description="row of the upload", examples=[18])
    number: int = Field(ge=0, description="its place in the item", examples=[0])
    start: int = Field(ge=0, description="where it begins in the item's text, in code points", examples=[0])
    end: int = Field(ge=0, examples=[31])
    before: str = Field(description="the item's text before it", examples=[""])
    text: str = Field(examples=["You promised 3 days, it took 9."])
    after: str = Field(description="the item's text after it", examples=[" Never again."])
    language: Language = Field(examples=["en"])
    date: dt.date | None = Field(None, examples=["2026-02-11"])
    rating: float | None = Field(None, examples=[1])
    group: str | None = Field(None, examples=["North"])
    period: str | None = Field(None, examples=["2026-02"])
    sentiment: GivenSentiment
    dimensions: list[GivenDimension]
    gaps: list[GivenGap]
    expectation: GivenExpectation
    churn: GivenChurn
    causes: list[str] = Field(description="keys of causes, see /taxonomy", examples=[["late_or_cancelled"]])
    abstained: bool = Field(examples=[False])
    model_version: str = Field(
        description="the bundle that judged it; empty in jobs of older versions",
        examples=["linear-en-1.0.0+5a1d67f850"],
    )


class SegmentPage(Told):
    """Segments, strongest first."""

    offset_unit: OffsetUnit
    items: list[StoredAnswer]
    next: str | None = Field(None, description="cursor of the next page; null at the end", examples=[None])


Cursor = Annotated[
    str | None,
    Field(min_length=1, max_length=500, description="`next` of the page before", examples=["MjAyNi0wMy0wMXwxNw"]),
]
Limit = Annotated[int, Field(ge=1, le=200, description="most items of a page", examples=[50])]


class PageQuery(BaseModel):
    """Which page."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cursor: Cursor = None
    limit: Limit = 50


class JobQuery(PageQuery):
    """Which jobs."""

    state: list[State] | None = Field(None, max_length=5, description="only these states", examples=[["running"]])


class SegmentQuery(PageQuery):
    """Which segments of a report."""

    gap: Gap | None = Field(None, description="that give evidence of it", examples=["delivery"])
    dimension: Dimension | None = Field(None, description="that judge it", examples=["reliability"])
    polarity: Polarity | None = Field(None, description="of `dimension`, else of any", examples=["neg"])
    sentiment: Sentiment | None = Field(None, description="of the whole segment", examples=["neg"])
    group: str | None = Field(None, max_length=500, description="value of the `by` column", examples=["North"])
    period: str | None = Field(None, max_length=20, description="as in the report", examples=["2026-02"])
    evidence: bool = Field(True, description="say which words speak for each label")
    offset_unit: OffsetUnit = Field("codepoint", description="what evidence offsets count")
