"""`POST /corrections`: what labels should be, as somebody says who has read the text."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from gapnlp.api.schemas import Dimension, Expectation, Gap, Language, Polarity, Sent, Sentiment, Told
from gapnlp.api.schemas_jobs import JobId
from gapnlp.records.corrections import GivenLabels
from gapnlp.records.labels import GAPS, Labels

CorrectionId = Annotated[str, Field(pattern="^[0-9a-f]{32}$", examples=["0b7c9d52e0a04f1c9d1f6f0c2f3a4b5c"])]
_LABELS: dict[str, Any] = {
    "sentiment": "neg",
    "dimensions": {"reliability": "neg"},
    "gaps": ["communication"],
    "churn": False,
}
# At least one character that is neither a blank nor a control character.
_SOME_WORD = r"[^\x00-\x20\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f\u3000\ufeff]"


# What a field that was left out holds; callers cannot send it.
_NOT_JUDGED: Any = None


def _left_out(schema: dict[str, Any]) -> None:
    """Describe a field that may be left out but is never null."""
    schema.pop("default", None)


class LabelsSent(Sent):
    """Labels, at least one. A field that is left out was not judged."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    sentiment: Sentiment = Field(_NOT_JUDGED, examples=["neg"], json_schema_extra=_left_out)
    dimensions: dict[Dimension, Polarity] = Field(
        _NOT_JUDGED,
        description="every dimension that is judged, with its polarity; {} when none is",
        examples=[{"reliability": "neg"}],
        json_schema_extra=_left_out,
    )
    gaps: list[Gap] = Field(
        _NOT_JUDGED,
        max_length=20,
        description="every gap that it is evidence of; [] when of none",
        examples=[["communication"]],
        json_schema_extra=_left_out,
    )
    expectation: Expectation = Field(_NOT_JUDGED, examples=["unmet"], json_schema_extra=_left_out)
    churn: bool = Field(_NOT_JUDGED, examples=[False], json_schema_extra=_left_out)

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("at least one label has to be given")
        return self

    def given(self) -> GivenLabels:
        """Give them as the package keeps them."""
        gaps = None if self.gaps is None else tuple(g for g in GAPS if g in self.gaps)
        dimensions: dict[str, str] | None = (
            None if self.dimensions is None else {d: p for d, p in self.dimensions.items()}
        )
        return GivenLabels(self.sentiment, dimensions, gaps, self.expectation, self.churn)


class ModelSaid(Sent):
    """What /classify said of the text."""

    version: str = Field(
        min_length=1, max_length=200, description="`model_version`", examples=["linear-en-1.0.0+5a1d67f850"]
    )
    sentiment: Sentiment = Field(examples=["pos"])
    dimensions: dict[Dimension, Polarity] = Field({}, examples=[{"reliability": "pos"}])
    gaps: list[Gap] = Field([], max_length=20, examples=[["delivery"]])
    expectation: Expectation = Field("none", examples=["none"])
    churn: bool = Field(False, examples=[False])

    def labels(self) -> Labels:
        """Give them as the package keeps them."""
        gaps = tuple(g for g in GAPS if g in self.gaps)
        return Labels(self.sentiment, {d: p for d, p in self.dimensions.items()}, gaps, self.expectation, self.churn)


def _whole(value: Any) -> Any:
    """Read 17.0 as 17: to JSON both are the same integer."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class SegmentCorrection(Sent):
    """Labels of a segment of a finished job; text and the model's labels are known already."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"job": "5f0c3a9be2d14c7f8a6b1d2e3f405162", "segment": 17, "labels": _LABELS}]}
    )

    job: JobId
    segment: Annotated[int, BeforeValidator(_whole)] = Field(
        ge=1, le=2**53, description="`place` of the segment, see /reports", examples=[17]
    )
    labels: LabelsSent


class TextCorrection(Sent):
    """Labels of a text: a ticket, or a sentence of one."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"text": "You promised 3 days, it took 9.", "ticket": "4711", "language": "en", "labels": _LABELS}
            ]
        }
    )

    text: str = Field(
        min_length=1,
        pattern=_SOME_WORD,
        description="what the customer wrote",
        examples=["You promised 3 days, it took 9."],
    )
    ticket: str | None = Field(
        None, min_length=1, max_length=200, description="what the text belongs to", examples=["4711"]
    )
    language: Language | None = Field(None, examples=["en"])
    labels: LabelsSent
    model: ModelSaid | None = Field(None, description="what the model said of it, if it was asked")


def _shape(value: Any) -> str:
    of_job = "job" in value if isinstance(value, dict) else isinstance(value, SegmentCorrection)
    return "(segment)" if of_job else "(text)"


CorrectionSent = Annotated[
    Annotated[SegmentCorrection, Tag("(segment)")] | Annotated[TextCorrection, Tag("(text)")], Discriminator(_shape)
]


class CorrectionAnswer(Told):
    """A correction that was kept. It does not repeat the text."""

    id: CorrectionId
    who: str = Field(description="name of the key; local on a server without keys", examples=["zendesk"])
    created: dt.datetime = Field(examples=["2026-03-01T12:00:00Z"])
    labels: dict[str, bool] = Field(
        description="every label that was judged, and whether it was given", examples=[{"gap:communication": True}]
    )
    model_version: str | None = Field(None, examples=["linear-en-1.0.0+5a1d67f850"])
