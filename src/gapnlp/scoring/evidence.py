"""Attributions over a normalised segment -> the words of the text as written that speak for each label."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

from gapnlp.classifier.base import Attribution
from gapnlp.records.analysis import ScoredSegment, Span
from gapnlp.records.labels import CHURN, Labels, dimension_label, expectation_label, gap_label, sentiment_label

# Words, and single Chinese characters: what is marked or not as one.
_WORD = re.compile(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+(?:['\u2019-][^\W\u3400-\u9fff]+)*")
# Marked are the strongest words, up to so many, that each carry at least this share of the strongest one's weight.
_MOST, _LEAST = 4, 0.4


def find_evidence(scored: ScoredSegment, normalised: str, attribution: Attribution) -> dict[str, tuple[Span, ...]]:
    """Find the words that speak for each label that the segment was given, strongest first.

    attribution: of `normalised`, the segment as the classifier read it. Neighbouring words become one span; a label for
    which no word speaks has none.
    """
    segment = scored.segment
    places = _align(segment.text, normalised)
    words = [m.span() for m in _WORD.finditer(segment.text)]
    found = {}
    for label in given_labels(scored.labels):
        weights = [float(attribution[label][_positions(places, a, b)].sum()) for a, b in words]
        spans = tuple(Span(segment.start + a, segment.start + b) for a, b in _strongest(words, weights, segment.text))
        if spans:
            found[label] = spans
    return found


def given_labels(labels: Labels) -> Iterator[str]:
    """Names, as in LABELS, of all that was decided."""
    for dimension, polarity in labels.dimensions.items():
        yield dimension_label(dimension, polarity)
    yield from map(gap_label, labels.gaps)
    yield sentiment_label(labels.sentiment)
    if labels.expectation != "none":
        yield expectation_label(labels.expectation)
    if labels.churn:
        yield CHURN


def _align(original: str, normalised: str) -> NDArray[np.intp]:
    """For each character of the original, its position in the normalised text, or -1."""
    places = np.full(len(original), -1, dtype=np.intp)
    for block in SequenceMatcher(None, original, normalised, autojunk=False).get_matching_blocks():
        places[block.a : block.a + block.size] = np.arange(block.b, block.b + block.size)
    if len(original) == len(normalised):  # other characters in the same places: traditional script, full width
        places = np.where(places < 0, np.arange(len(original)), places)
    return places


def _positions(places: NDArray[np.intp], start: int, end: int) -> NDArray[np.intp]:
    found = places[start:end]
    return found[found >= 0]


def _strongest(words: list[tuple[int, int]], weights: list[float], text: str) -> list[tuple[int, int]]:
    best = max(weights, default=0.0)
    if best <= 0:
        return []
    ranked = sorted(range(len(words)), key=lambda i: -weights[i])[:_MOST]
    chosen = [i for i in ranked if weights[i] >= _LEAST * best]
    spans: list[tuple[float, int, int]] = []
    for i in sorted(chosen):
        start, end = words[i]
        if spans and not text[spans[-1][2] : start].strip():
            weight, first, _ = spans.pop()
            spans.append((max(weight, weights[i]), first, end))
        else:
            spans.append((weights[i], start, end))
    return [(a, b) for _, a, b in sorted(spans, key=lambda s: -s[0])]
