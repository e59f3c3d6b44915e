"""What a segment can be labelled with, under the names of the annotation guidelines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

DIMENSIONS = ("reliability", "responsiveness", "assurance", "empathy", "tangibles")
GAPS = ("customer", "knowledge", "policy", "delivery", "communication")
POLARITIES = ("neg", "neu", "pos")
SENTIMENTS = ("neg", "neu", "pos", "mixed")
EXPECTATIONS = ("none", "unmet", "met", "exceeded")
LANGUAGES = ("en", "pl", "zh")

# Gaps inside the firm: customers only see their effects, so text gives evidence attributed by customers.
ATTRIBUTED_GAPS = ("knowledge", "policy")


def dimension_label(dimension: str, polarity: str) -> str:
    """Name the head that says "this dimension is judged with this polarity"."""
    return f"dimension:{dimension}:{polarity}"


def presence_label(dimension: str) -> str:
    """Name the head that says "this dimension is judged, with whatever polarity"."""
    return f"presence:{dimension}"


def gap_label(gap: str) -> str:
    """Name the head that says "this is evidence of this gap"."""
    return f"gap:{gap}"


def sentiment_label(sentiment: str) -> str:
    """Name the head that says "the segment as a whole has this sentiment"."""
    return f"sentiment:{sentiment}"


def expectation_label(expectation: str) -> str:
    """Name the head that says "an expectation is mentioned and turned out so"; none has no head."""
    return f"expectation:{expectation}"


CHURN = "churn"

# The order of every probability vector: shape (n_labels,) = (28,).
LABELS: tuple[str, ...] = (
    *(dimension_label(d, p) for d in DIMENSIONS for p in POLARITIES),
    *(gap_label(g) for g in GAPS),
    *(sentiment_label(s) for s in SENTIMENTS),
    *(expectation_label(e) for e in EXPECTATIONS if e != "none"),
    CHURN,
)
# Beside them, what a bundle also learns and people may say: that a dimension is judged at all.
PRESENCE_LABELS: tuple[str, ...] = tuple(presence_label(d) for d in DIMENSIONS)
# The order of a classifier's heads, of what a ticket may be given and of audited shares: shape (n_heads,) = (33,).
HEADS: tuple[str, ...] = (*LABELS, *PRESENCE_LABELS)
LABEL_INDEX: Mapping[str, int] = {label: i for i, label in enumerate(LABELS)}
HEAD_INDEX: Mapping[str, int] = {head: i for i, head in enumerate(HEADS)}


@dataclass(frozen=True, slots=True)
class Labels:
    """What one segment says, decided: the same fields as one segment of a gold file.

    dimensions: dimension -> polarity ("neg", "neu" for praise and fault at once, "pos"); absent when not judged.
    gaps: in the order of GAPS; empty for praise. expectation: "none" unless one is referred to explicitly.
    """

    sentiment: str
    dimensions: Mapping[str, str]
    gaps: tuple[str, ...] = ()
    expectation: str = "none"
    churn: bool = False


def head_names(labels: Labels) -> list[str]:
    """Name every head of HEADS that says yes to a segment with these labels."""
    names = [sentiment_label(labels.sentiment), *map(gap_label, labels.gaps)]
    for dimension, polarity in labels.dimensions.items():
        names += [dimension_label(dimension, polarity), presence_label(dimension)]
    names += [expectation_label(labels.expectation)] if labels.expectation != "none" else []
    return [*names, CHURN] if labels.churn else names
