"""`POST /corrections`: what labels should be, as somebody says who has read the text."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from pydantic import ConfigDict, Discriminator, Field, Tag

from gapnlp.api.schemas import Dimension, Expectation, Gap, Language, Polarity, Sent, Sentiment, Told
from gapnlp.api.schemas_jobs import JobId
from gapnlp.records.corrections import GivenLabels
from gapnlp.records.labels import DIMENSIONS, GAPS, Labels

CorrectionId = Annotated[str, Field(pattern="^[0-9a-f]{32}$", examples=["0b7c9d52e0a04f1c9d1f6f0c2f3a4b5c"])]
_LABELS: dict[str, Any] = {
    "sentiment": "neg",
    "dimensions": {"reliability": "neg"},
    "gaps": ["communication"],
    "churn": False,
}
_DIMENSIONS = Field(
    None,
    max_length=len(DIMENSIONS),
    description="every dimension that is judged, with its polarity; {} when none is",
    examples=[{"reliability": "neg"}],
)
_GAPS = Field(
    None,
    max_length=len(GAPS),
    description="every gap that it is evidence of; [] when of none",
    examples=[["communication"]],
)


class LabelsSent(Sent):
    """Labels. A field that is left out, or null, was not judged."""

    sentiment: Sentiment | None = Field(None, examples=["neg"])
    dimensions: dict[Dimension, Polarity] | None = _DIMENSIONS
    gaps: list[Gap] | None = _GAPS
    expectation: Expectation | None = Field(None, examples=["unmet"])
    churn: bool | None = Field(None, examples=[False])

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
    dimensions: dict[Dimension, Polarity] = Field({}, max_length=len(DIMENSIONS), examples=[{"reliability": "pos"}])
    gaps: list[Gap] = Field([], max_length=len(GAPS), examples=[["delivery"]])
    expectation: Expectation = Field("none", examples=["none"])
    churn: bool = Field(False, examples=[False])

    def labels(self) -> Labels:
        """Give them as the package keeps them."""
        gaps = tuple(g for g in GAPS if g in self.gaps)
        return Labels(self.sentiment, {d: p for d, p in self.dimensions.items()}, gaps, self.expectation, self.churn)


class SegmentCorrection(Sent):
    """Labels of a segment of a finished job; text and the model's labels are known already."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"job": "5f0c3a9be2d14c7f8a6b1d2e3f405162", "segment": 17, "labels": _LABELS}]}
    )

    job: JobId
    segment: int = Field(ge=1, le=2**53, description="`place` of the segment, see /reports", examples=[17])
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

    text: str = Field(min_length=1, description="what the customer wrote", examples=["You promised 3 days, it took 9."])
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
