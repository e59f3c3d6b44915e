"""What a test found: how many cases failed, and which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gapnlp.records.labels import Labels
from gapnlp.records.shares import wilson

_QUANTILE = 1.96
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Failure:
    """One case that failed: the sentence, what had to hold, and what was found."""

    text: str
    expected: str
    given: str


@dataclass(frozen=True, slots=True)
class Result:
    """One test in one language.

    kind: "invariance", "directional" or "functionality". n: cases. sentences: written sentences that they come from,
    which is what the interval counts, since cases of one sentence are not independent. parts: field of the labels
    (sentiment, dimensions, gaps) -> cases in which it changed, for invariance tests.
    """

    kind: str
    test: str
    n: int
    sentences: int
    failures: tuple[Failure, ...]
    parts: Mapping[str, int] = field(default_factory=dict)

    @property
    def rate(self) -> float | None:
        """Share of the cases that failed, in [0, 1]; None without a case."""
        return len(self.failures) / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's 95 % interval of the rate."""
        return None if self.rate is None else wilson(self.rate, self.sentences, _QUANTILE)


def result_row(result: Result) -> dict[str, Any]:
    """Flatten a result for JSON."""
    low, high = result.interval or (None, None)
    figures = {"rate": result.rate, "low": low, "high": high}
    rounded = {name: None if x is None else round(x, _DIGITS) for name, x in figures.items()}
    counts = {"n": result.n, "failed": len(result.failures)}
    row: dict[str, Any] = {"kind": result.kind, "test": result.test, **counts, **rounded}
    if result.parts and result.n:
        row["parts"] = {name: round(count / result.n, _DIGITS) for name, count in result.parts.items()}
    return row


def rates(results: Sequence[Result]) -> dict[str, float]:
    """`kind/test` -> rate, for a model card; tests without a case are left out."""
    return {f"{r.kind}/{r.test}": round(r.rate, _DIGITS) for r in results if r.rate is not None}


def describe(labels: Labels) -> str:
    """Labels in words, for people who read failures."""
    parts = [labels.sentiment, *(f"{d} {p}" for d, p in labels.dimensions.items()), *(f"{g} gap" for g in labels.gaps)]
    if labels.expectation != "none":
        parts.append(f"expectation {labels.expectation}")
    return ", ".join([*parts, "churn"] if labels.churn else parts)


def chosen_failures(results: Sequence[Result], wanted: Mapping[str, int]) -> list[dict[str, str]]:
    """Take some failures for a model card, no sentence twice.

    wanted: test, or kind for its other tests (one failure each) -> how many at most.
    """
    chosen: dict[str, dict[str, str]] = {}
    for name, most in wanted.items():
        own = [f for r in results if r.test == name for f in r.failures]
        first = [r.failures[0] for r in results if r.kind == name and r.test not in wanted and r.failures]
        new = {f.text: f for f in reversed([*own, *first]) if f.text not in chosen}
        for text, failure in list(reversed(new.items()))[:most]:
            chosen[text] = {"test": name, "text": text, "expected": failure.expected, "given": failure.given}
    return list(chosen.values())
