"""The items written for this project: `labelled`, which may be trained on, and `regression`, which never is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from gapnlp.classifier.base import Classifier
from gapnlp.classifier.measure import macro, measure
from gapnlp.errors import InputError
from gapnlp.ingest.gold import GoldItem, read_gold
from gapnlp.text.normalise import normalise

WrittenKind = Literal["labelled", "regression"]


@dataclass(frozen=True, slots=True)
class RegressionScore:
    """What a classifier reaches on the regression set of its language.

    headline: mean of the four parts (dimensions with polarity, gaps, sentiment, unmet expectation), F1 in [0, 1], as
    classifier.measure defines it; None where nothing could be measured. version: the classifier's.
    """

    language: str
    version: str
    items: int
    segments: int
    headline: float | None
    parts: Mapping[str, float | None]

    def as_dict(self) -> dict[str, Any]:
        """Give it as JSON holds it."""
        return asdict(self)


def read_written(kind: WrittenKind, language: str) -> list[GoldItem]:
    """Read one language's items: from the installed package, or from data/ beside src/ in a working copy.

    Raises InputError when there are none of this language.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "data", package.parents[1] / "data"):
        path = folder / kind / f"{language}.jsonl"
        if path.is_file():
            return list(read_gold(path))
    raise InputError(
        f"there are no {kind} items in the language {language!r}; reinstall gapnlp, or use another language"
    )


def measure_regression(classifier: Classifier, language: str) -> RegressionScore:
    """Score the regression set and measure F1 over its segments.

    Raises InputError when there is no regression set of this language.
    """
    items = read_written("regression", language)
    documents = [[normalise(s.text, language) for s in item.segments] for item in items]
    predicted = iter(classifier.predict(documents).labels)
    pairs = [(item.labels, [next(predicted) for _ in item.labels]) for item in items]
    measured = measure(pairs)
    parts = {
        "dimensions": macro(measured.dimensions_polarity),
        "gaps": macro(measured.gaps),
        "sentiment": macro(measured.sentiment),
        "unmet": measured.expectation_unmet,
    }
    return RegressionScore(language, classifier.version, len(items), measured.segments, measured.headline, parts)
