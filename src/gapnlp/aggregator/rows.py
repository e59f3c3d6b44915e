"""Analyses to integer vectors: what each item adds to the counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gapnlp.aggregator.columns import COLUMNS, INDEX, OUTCOMES, PAIRS, PROBABILITY_UNIT
from gapnlp.records.analysis import Analysis
from gapnlp.records.labels import DIMENSIONS, GAPS, LABELS
from gapnlp.taxonomy.catalogue import load_structure

Counts = NDArray[np.int64]

_PROBABILITY_COLUMNS = [INDEX[f"probability:{label}"] for label in LABELS]


@lru_cache(maxsize=1)
def cause_gaps() -> Mapping[str, str]:
    """Which gap each cause of the taxonomy belongs to."""
    return {key: cause.gap for key, cause in load_structure().causes.items()}


@lru_cache(maxsize=8192)
def _segment_columns(
    sentiment: str,
    dimensions: tuple[tuple[str, str], ...],
    gaps: tuple[str, ...],
    expectation: str,
    rest: tuple[bool, tuple[str, ...]],
) -> tuple[int, ...]:
    """Columns that a segment adds one to; cached, since few combinations of labels make up most segments.

    rest: (churn, causes).
    """
    churn, causes = rest
    names = ["segments", f"sentiment:{sentiment}"]
    names += [f"dimension:{d}:{p}" for d, p in dimensions]
    if expectation != "none":
        names.append(f"expectation:{expectation}")
        names += [f"expected:{d}" for d, _ in dimensions]
    if expectation == "unmet":
        names += [f"unmet:{d}" for d, _ in dimensions]
    # "neu" toward a dimension is praise and fault at once, so it faults the dimension too.
    names += [f"fault:{g}:{d}" for g in gaps for d, p in dimensions if p != "pos"]
    names += [f"gap:{g}" for g in gaps]
    explained = {cause_gaps()[c] for c in causes}
    names += [f"unexplained:{g}" for g in gaps if g not in explained]
    if churn:
        names.append("churn")
    return tuple(INDEX[name] for name in names)


def count_rows(analyses: Sequence[Analysis]) -> Counts:
    """Turn items into their vectors of statistics, shape (n_items, n_columns), in the order of COLUMNS."""
    hits: list[int] = []
    for i, analysis in enumerate(analyses):
        offset = i * len(COLUMNS)
        for scored in analysis.segments:
            labels = scored.labels
            columns = _segment_columns(
                labels.sentiment,
                tuple(labels.dimensions.items()),
                labels.gaps,
                labels.expectation,
                (labels.churn, scored.causes),
            )
            hits += [offset + c for c in columns]
    size = len(analyses) * len(COLUMNS)
    flat = np.bincount(np.array(hits, dtype=np.int64), minlength=size).astype(np.int64)
    rows = flat.reshape(len(analyses), len(COLUMNS))
    rows[:, _PROBABILITY_COLUMNS] = sum_probabilities(analyses)
    _fill_items(rows)
    _fill_regression(rows, *_satisfaction(analyses))
    return rows


def sum_probabilities(analyses: Sequence[Analysis]) -> Counts:
    """Sum each label's probability over each item's segments, in ten-thousandths, shape (n_items, n_labels)."""
    values = [scored.probabilities for analysis in analyses for scored in analysis.segments]
    units = np.rint(PROBABILITY_UNIT * np.array(values, dtype=np.float64).reshape(-1, len(LABELS))).astype(np.int64)
    # Differences of running sums, and not np.add.reduceat, which has no empty sums for items without segments.
    running = np.vstack([np.zeros((1, len(LABELS)), dtype=np.int64), units.cumsum(axis=0)])
    ends = np.cumsum([len(analysis.segments) for analysis in analyses], dtype=np.int64)
    return np.diff(running[ends], axis=0, prepend=np.zeros((1, len(LABELS)), dtype=np.int64))


def count_causes(analyses: Sequence[Analysis]) -> dict[str, Counts]:
    """Count each cause's segments in each item: cause -> shape (n_items,)."""
    found: dict[str, list[int]] = {}
    for i, analysis in enumerate(analyses):
        for scored in analysis.segments:
            for cause in scored.causes:
                found.setdefault(cause, []).append(i)
    return {c: np.bincount(items, minlength=len(analyses)).astype(np.int64) for c, items in found.items()}


def judgements(rows: Counts, dimension: str) -> tuple[Counts, Counts]:
    """Per item: praising minus faulting segments of a dimension, and all segments that judge it, each (n_items,)."""
    neg, neu, pos = (rows[:, INDEX[f"dimension:{dimension}:{p}"]] for p in ("neg", "neu", "pos"))
    return pos - neg, neg + neu + pos


def _fill_items(rows: Counts) -> None:
    rows[:, INDEX["items"]] = 1
    for dimension in DIMENSIONS:
        rows[:, INDEX[f"items:dimension:{dimension}"]] = judgements(rows, dimension)[1] > 0
        rows[:, INDEX[f"items:expected:{dimension}"]] = rows[:, INDEX[f"expected:{dimension}"]] > 0
    for gap in GAPS:
        rows[:, INDEX[f"items:gap:{gap}"]] = rows[:, INDEX[f"gap:{gap}"]] > 0
    rows[:, INDEX["items:churn"]] = rows[:, INDEX["churn"]] > 0
    explicit = sum(rows[:, INDEX[f"expectation:{e}"]] for e in ("unmet", "met", "exceeded"))
    rows[:, INDEX["items:expected"]] = explicit > 0


def _satisfaction(analyses: Sequence[Analysis]) -> tuple[Counts, Counts]:
    """Satisfaction in hundredths (0 where unrated) and whether the item is rated (0 or 1), each shape (n_items,)."""
    values = [a.feedback.satisfaction for a in analyses]
    hundredths = np.array([0 if v is None else round(100 * v) for v in values], dtype=np.int64)
    return hundredths, np.array([v is not None for v in values], dtype=np.int64)


def _polarity(rows: Counts) -> Counts:
    """Overall sentiment of each item in hundredths, -100..100; the integer form of Analysis.polarity."""
    score = rows[:, INDEX["sentiment:pos"]] - rows[:, INDEX["sentiment:neg"]]
    return np.rint(100 * score / np.maximum(rows[:, INDEX["segments"]], 1)).astype(np.int64)


def _fill_regression(rows: Counts, satisfaction: Counts, rated: Counts) -> None:
    x = {d: np.sign(judgements(rows, d)[0]) for d in DIMENSIONS}
    has_text = np.minimum(rows[:, INDEX["segments"]], 1)
    for outcome, y, use in zip(OUTCOMES, (satisfaction, _polarity(rows)), (rated, has_text), strict=True):
        rows[:, INDEX[f"{outcome}:n"]] = use
        rows[:, INDEX[f"{outcome}:y"]] = y * use
        rows[:, INDEX[f"{outcome}:yy"]] = y * y * use
        for d in DIMENSIONS:
            rows[:, INDEX[f"{outcome}:x:{d}"]] = x[d] * use
            rows[:, INDEX[f"{outcome}:xy:{d}"]] = x[d] * y * use
        for d, e in PAIRS:
            rows[:, INDEX[f"{outcome}:xx:{d}:{e}"]] = x[d] * x[e] * use
