"""Running every test on one classifier."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.robustness.cases import Cases, Move, Sentence, read_cases
from benchmarks.robustness.results import Failure, Result, chosen_failures, describe, rates
from benchmarks.robustness.rewriting import REWRITES, rewrite
from gapnlp.classifier.base import Classifier, Predictions
from gapnlp.records.labels import (
    CHURN,
    LABEL_INDEX,
    Labels,
    dimension_label,
    expectation_label,
    gap_label,
    sentiment_label,
)
from gapnlp.text.normalise import normalise

# How much probability a label may lose where it must not become less probable, as CheckList allows.
TOLERANCE = 0.1
# What must stay when a sentence is rewritten: fields of Labels.
_INVARIANT = ("sentiment", "dimensions", "gaps")
# How many failures of which tests a model card shows.
_SHOWN = {"sarcasm": 3, "negated_fault": 2, "negated_praise": 1, "contrast": 1, "promise_word": 1, "functionality": 4}
# How far apart two complaints stand in the list that are put into one item.
_APART = 7


def measure_robustness(classifier: Classifier, cases: Cases | None = None) -> list[Result]:
    """Run all tests on a classifier, each sentence an item of its own.

    cases: default: those of the classifier's language.
    """
    cases = cases or read_cases(classifier.language)
    return [*check_invariance(classifier, cases), *check_moves(classifier, cases), *check_labels(classifier, cases)]


def card_figures(results: Sequence[Result]) -> dict[str, Any]:
    """Give what a bundle's card shows: "robustness" (`kind/test` -> rate), and "failures", sentences that failed."""
    return {"robustness": rates(results), "failures": chosen_failures(results, _SHOWN)}


def check_invariance(classifier: Classifier, cases: Cases, tests: Iterable[str] = tuple(REWRITES)) -> Iterator[Result]:
    """Rewrite every base sentence; sentiment, dimensions with polarity, and gaps must stay."""
    before = _predict(classifier, [(s.text,) for s in cases.base]).labels
    for test in tests:
        pairs = [(i, r) for i, s in enumerate(cases.base) for r in rewrite(test, s, cases)]
        found = _predict(classifier, [r.document for _, r in pairs]).labels
        starts = np.cumsum([0, *(len(r.document) for _, r in pairs)])
        after = [found[start + r.place] for start, (_, r) in zip(starts, pairs, strict=False)]
        changes = [_changed(before[i], new) for (i, _), new in zip(pairs, after, strict=True)]
        failures = [
            Failure(r.document[r.place], f"as before: {describe(before[i])}", describe(new))
            for (i, r), new, changed in zip(pairs, after, changes, strict=True)
            if changed
        ]
        parts = {name: sum(name in changed for changed in changes) for name in _INVARIANT}
        yield Result("invariance", test, len(pairs), len({i for i, _ in pairs}), tuple(failures), parts)


def check_moves(classifier: Classifier, cases: Cases) -> Iterator[Result]:
    """Change what a sentence says; probabilities must follow."""
    for test, moves in cases.moves.items():
        before = _predict(classifier, [(m.before,) for m in moves]).values
        after = _predict(classifier, [(m.after,) for m in moves]).values
        checks = sum(len(m.up) + len(m.down) + len(m.kept) for m in moves)
        failures = [f for i, m in enumerate(moves) for f in _wrong_ways(m, before[i], after[i])]
        yield Result("directional", test, checks, len(moves), tuple(failures))
    yield _check_added_complaint(classifier, cases)


def _wrong_ways(move: Move, before: NDArray[np.float64], after: NDArray[np.float64]) -> Iterator[Failure]:
    ways = (("more", move.up, 0.0, 1), ("less", move.down, 0.0, -1), ("not less", move.kept, -TOLERANCE, 1))
    for way, labels, least, sign in ways:
        for label in labels:
            p, q = before[LABEL_INDEX[label]], after[LABEL_INDEX[label]]
            if sign * (q - p) <= least:
                yield Failure(f"{move.before} → {move.after}", f"{label} {way} probable", f"{p:.2f} → {q:.2f}")


def _check_added_complaint(classifier: Classifier, cases: Cases) -> Result:
    """Put a second complaint behind a first one; the first one's gaps must not become less probable."""
    complaints = [s for s in cases.base if s.labels.gaps and s.labels.sentiment == "neg"]
    pairs = [(s, complaints[(i + _APART) % len(complaints)]) for i, s in enumerate(complaints)]
    before = _predict(classifier, [(s.text,) for s, _ in pairs]).values
    after = _predict(classifier, [(s.text, added.text) for s, added in pairs]).values[::2]
    moves = [Move(s.text, f"{s.text} {added.text}", kept=_gap_labels(s)) for s, added in pairs]
    failures = [f for i, m in enumerate(moves) for f in _wrong_ways(m, before[i], after[i])]
    return Result("directional", "complaint_added", sum(len(m.kept) for m in moves), len(moves), tuple(failures))


def _gap_labels(sentence: Sentence) -> tuple[str, ...]:
    return tuple(gap_label(g) for g in sentence.labels.gaps)


def check_labels(classifier: Classifier, cases: Cases) -> Iterator[Result]:
    """Plain sentences must get their label; sarcastic ones negative sentiment."""
    expected: Mapping[str, tuple[str, ...]] = {**cases.functionality, "sarcasm": cases.sarcasm}
    for test, texts in expected.items():
        label = sentiment_label("neg") if test == "sarcasm" else test
        found = _predict(classifier, [(t,) for t in texts]).labels
        failures = [
            Failure(t, label, describe(given))
            for t, given in zip(texts, found, strict=True)
            if label not in _given(given)
        ]
        yield Result("functionality", test, len(texts), len(texts), tuple(failures))


def _given(labels: Labels) -> set[str]:
    """Names of all labels that were decided for."""
    names = {sentiment_label(labels.sentiment), *(gap_label(g) for g in labels.gaps)}
    names |= {dimension_label(d, p) for d, p in labels.dimensions.items()}
    if labels.expectation != "none":
        names.add(expectation_label(labels.expectation))
    return names | {CHURN} if labels.churn else names


def _changed(before: Labels, after: Labels) -> list[str]:
    return [name for name in _INVARIANT if getattr(before, name) != getattr(after, name)]


def _predict(classifier: Classifier, documents: Sequence[Sequence[str]]) -> Predictions:
    return classifier.predict([[normalise(text, classifier.language) for text in document] for document in documents])
