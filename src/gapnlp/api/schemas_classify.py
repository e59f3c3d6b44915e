"""`POST /classify`: what is sent and what is answered. Lengths that settings decide are put in by openapi.py."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag

from gapnlp.api.schemas import (
    Dimension,
    Expectation,
    Gap,
    Language,
    OffsetUnit,
    Polarity,
    Probability,
    Sent,
    Sentiment,
    Spot,
    Told,
)

_ID = Field(None, max_length=200, description="echoed in the answer", examples=["ticket-4711"])
_LANGUAGE = Field(
    None, description="what you take its language for; followed where the text leaves doubt", examples=["en"]
)
_TEXT = Field(min_length=1, description="what the customer wrote", examples=["You promised 3 days, it took 9."])


class Document(Sent):
    """One of several texts."""

    text: str = _TEXT
    id: str | None = _ID
    language: Language | None = _LANGUAGE


class _Choices(Sent):
    offset_unit: OffsetUnit = Field(
        "codepoint", description="what offsets count: Unicode code points (Python), or UTF-16 units (JavaScript, Java)"
    )
    evidence: bool = Field(True, description="say which words speak for each label; without it, answers come sooner")
    probabilities: bool = Field(False, description="give each segment's probabilities of all labels, given or not")


class OneText(_Choices):
    """One text."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"text": "The site said next-day delivery. It took nine days."}]}
    )

    text: str = _TEXT
    id: str | None = _ID
    language: Language | None = _LANGUAGE


class Documents(_Choices):
    """Several texts, answered one by one in the same order."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "documents": [
                        {"id": "a", "text": "Nobody answers the phone."},
                        {"id": "b", "text": "Obsługa była bardzo miła.", "language": "pl"},
                    ],
                    "offset_unit": "utf16",
                }
            ]
        }
    )

    documents: list[Document] = Field(min_length=1, description="the texts")


def _shape(value: Any) -> str:
    several = "documents" in value if isinstance(value, dict) else isinstance(value, Documents)
    return "(documents)" if several else "(text)"


ClassifyRequest = Annotated[
    Annotated[OneText, Tag("(text)")] | Annotated[Documents, Tag("(documents)")], Discriminator(_shape)
]


class GivenSentiment(Told):
    """What the segment feels as a whole."""

    label: Sentiment = Field(examples=["neg"])
    probability: Probability
    evidence: list[Spot] = Field([], description="words that speak for it, strongest first")


class GivenDimension(Told):
    """A dimension of service quality that the segment judges, and how."""

    dimension: Dimension = Field(examples=["reliability"])
    polarity: Polarity = Field(examples=["neg"])
    probability: Probability
    evidence: list[Spot] = Field([], description="words that speak for it, strongest first")


class GivenGap(Told):
    """A service gap that the segment gives evidence of."""

    gap: Gap = Field(examples=["communication"])
    attributed: bool = Field(
        description="the gap lies inside the firm: the customer attributes it, and staff have to check it",
        examples=[False],
    )
    probability: Probability
    evidence: list[Spot] = Field([], description="words that speak for it, strongest first")


class GivenExpectation(Told):
    """What became of an expectation that the segment speaks of."""

    outcome: Expectation = Field(examples=["unmet"])
    probability: Probability | None = Field(None, description="null where no expectation is spoken of")
    evidence: list[Spot] = Field([], description="words that speak for it, strongest first")


class GivenChurn(Told):
    """Whether the customer leaves, or says so."""

    present: bool = Field(examples=[False])
    probability: Probability | None = Field(None, description="null in reports, where churn is not present")
    evidence: list[Spot] = Field([], description="words that speak for it, strongest first")


class SegmentAnswer(Told):
    """A sentence or clause with its labels."""

    start: int = Field(ge=0, description="where it begins in the text", examples=[0])
    end: int = Field(ge=0, description="where it ends in the text", examples=[31])
    text: str = Field(examples=["You promised 3 days, it took 9."])
    sentiment: GivenSentiment
    dimensions: list[GivenDimension]
    gaps: list[GivenGap]
    expectation: GivenExpectation
    churn: GivenChurn
    causes: list[str] = Field(description="keys of causes, see /taxonomy", examples=[["late_or_cancelled"]])
    abstained: bool = Field(description="too doubtful to act on unread", examples=[False])
    probabilities: dict[str, Probability] | None = Field(
        None, description="probability of every label, when asked for", examples=[{"gap:delivery": 0.91}]
    )


class OverallDimension(Told):
    """A dimension over all segments of a text."""

    dimension: Dimension = Field(examples=["reliability"])
    polarity: Sentiment = Field(description="mixed: segments disagree", examples=["neg"])
    probability: Probability


class OverallGap(Told):
    """A gap over all segments of a text: the most probable of them."""

    gap: Gap = Field(examples=["communication"])
    attributed: bool = Field(examples=[False])
    probability: Probability


class OverallChurn(Told):
    """Churn over all segments of a text: the most probable of them."""

    present: bool = Field(examples=[False])
    probability: Probability


class Classified(Told):
    """A text with its labels: over all of it, and segment by segment."""

    status: Literal["ok"] = "ok"
    id: str | None = Field(None, description="as sent", examples=["ticket-4711"])
    language: Language = Field(examples=["en"])
    sentiment: Sentiment = Field(description="mixed: segments disagree", examples=["neg"])
    sentiment_score: float = Field(ge=-1, le=1, description="mean over segments of -1, 0, 1", examples=[-1.0])
    dimensions: list[OverallDimension]
    gaps: list[OverallGap]
    expectation: Expectation = Field(examples=["unmet"])
    churn: OverallChurn
    causes: list[str] = Field(description="keys of causes, see /taxonomy", examples=[["late_or_cancelled"]])
    abstained: bool = Field(description="a segment is too doubtful to act on unread", examples=[False])
    segments: list[SegmentAnswer]
    model_version: str = Field(description="the bundle that judged it", examples=["linear-en-1.0.0+5a1d67f850"])


class Fault(Told):
    """Why one text was not scored."""

    code: Literal["empty", "unsupported", "broken"] = Field(
        description="empty: no word in it; unsupported: another language; broken: the server failed", examples=["empty"]
    )
    detail: str = Field(examples=["holds no word that could be read"])
    language: str | None = Field(None, description="the language found, as ISO 639-1", examples=["de"])


class NotClassified(Told):
    """A text that was not scored; the others of the request are not affected."""

    status: Literal["error"] = "error"
    id: str | None = Field(None, description="as sent", examples=["ticket-4712"])
    error: Fault


Answer = Annotated[Classified | NotClassified, Field(discriminator="status")]


class ClassifyAnswer(Told):
    """One answer a text, in the order of the request."""

    offset_unit: OffsetUnit
    results: list[Answer]
