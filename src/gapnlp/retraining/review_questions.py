"""The questions that labelling tools ask about a segment: the same names and values as the columns of the CSV."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gapnlp.records.labels import DIMENSIONS, EXPECTATIONS, GAPS, POLARITIES, SENTIMENTS, Labels
from gapnlp.retraining.review_rows import dimension_values
from gapnlp.taxonomy.catalogue import load_wording


@dataclass(frozen=True, slots=True)
class Question:
    """One question. values: value -> what people read. several: more than one value may be given.

    required: it has to be answered; an unanswered question that is not required means "none of these".
    """

    name: str
    title: str
    values: Mapping[str, str]
    several: bool = False
    required: bool = False


def review_questions() -> tuple[Question, ...]:
    """List the questions, in the order in which they are asked."""
    term = load_wording("en").term
    dimensions = {
        f"{d}:{p}": f"{term('dimension', d).name}: {term('sentiment', p).name.lower()}"
        for d in DIMENSIONS
        for p in POLARITIES
    }
    return (
        Question("sentiment", "How does the sentence feel as a whole?", _named("sentiment", SENTIMENTS), required=True),
        Question("dimensions", "Which dimensions does it judge, and how?", dimensions, several=True),
        Question("gaps", "Which gaps is it evidence of?", _named("gap", GAPS), several=True),
        Question("expectation", "Does it speak of an expectation?", _named("expectation", EXPECTATIONS)),
        Question("churn", "Does the customer leave, or say so?", {"no": "No", "yes": "Yes"}),
    )


def suggested_values(labels: Labels) -> dict[str, list[str]]:
    """Answer the questions as the model does; questions without an answer are left out."""
    answers = {
        "sentiment": [labels.sentiment],
        "dimensions": dimension_values(labels),
        "gaps": list(labels.gaps),
        "expectation": [labels.expectation],
        "churn": ["yes" if labels.churn else "no"],
    }
    return {name: values for name, values in answers.items() if values}


def _named(kind: str, keys: tuple[str, ...]) -> dict[str, str]:
    words = load_wording("en")
    return {key: words.term(kind, key).name for key in keys}
