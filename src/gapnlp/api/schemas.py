"""What requests and answers have in common: how strictly they are read, problems, labels and spans."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Language = Literal["en", "pl", "zh"]
Sentiment = Literal["neg", "neu", "pos", "mixed"]
Polarity = Literal["neg", "neu", "pos"]
Dimension = Literal["reliability", "responsiveness", "assurance", "empathy", "tangibles"]
Gap = Literal["customer", "knowledge", "policy", "delivery", "communication"]
Expectation = Literal["none", "unmet", "met", "exceeded"]
OffsetUnit = Literal["codepoint", "utf16"]
Probability = Annotated[float, Field(ge=0, le=1, description="calibrated probability", examples=[0.93])]


class Sent(BaseModel):
    """What callers send: nothing is converted, unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Told(BaseModel):
    """What the service answers."""

    model_config = ConfigDict(frozen=True)


class FaultyPart(Told):
    """One part of a request that is not as described."""

    location: str = Field(description="where it is", examples=["body.documents.0.text"])
    detail: str = Field(description="what is wrong", examples=["String should have at least 1 character"])


class Problem(Told):
    """An error, after RFC 9457."""

    type: str = Field(description="kind of problem; never changes", examples=["urn:gapnlp:problem:not-found"])
    title: str = Field(description="the kind in words", examples=["There is no such thing here"])
    status: int = Field(description="HTTP status", examples=[404])
    detail: str = Field(description="what, where, and what to do", examples=["there is no such job in this project"])
    errors: list[FaultyPart] | None = Field(None, description="the parts of the request that are at fault")


class Spot(Told):
    """A piece of a text: from `start` up to, not including, `end`, in the answer's offset unit."""

    start: int = Field(ge=0, examples=[20])
    end: int = Field(ge=0, examples=[28])
