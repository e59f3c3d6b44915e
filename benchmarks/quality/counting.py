"""F1 figures with bootstrap intervals over items, for many classifiers on the same draws.

The figures are those of `gapnlp.classifier.measure`. They all follow from sums over items, so a bootstrap replicate is
a weighted sum: 2,000 of them take a second. Intervals are percentiles (Efron and Tibshirani 1993, chapter 13); a
difference of two classifiers takes both from the same replicates (paired bootstrap, Berg-Kirkpatrick et al. 2012).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapnlp.records.labels import CHURN, DIMENSIONS, GAPS, POLARITIES, Labels

Counts = NDArray[np.int64]
Values = NDArray[np.float64]

_JUDGED_SENTIMENTS = ("neg", "neu", "pos")  # gold "mixed" is left out, as the measure defines
# Figures that are the mean of labels' figures, and the four whose mean is the headline.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "dimensions": DIMENSIONS,
    "dimensions_polarity": DIMENSIONS,
    "gaps": GAPS,
    "sentiment": _JUDGED_SENTIMENTS,
    "item_dimensions": DIMENSIONS,
    "item_gaps": GAPS,
}
SINGLE = ("expectation_unmet", "expectation_kept", CHURN)
HEADLINE = ("dimensions_polarity", "gaps", "sentiment", "expectation_unmet")
LABEL_FIGURES: tuple[str, ...] = (*(f"{g}.{x}" for g, labels in GROUPS.items() for x in labels), *SINGLE)
FIGURES: tuple[str, ...] = ("headline", *GROUPS, *LABEL_FIGURES)
_COLUMN = {name: i for i, name in enumerate(LABEL_FIGURES)}


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its interval; None where neither gold nor predictions hold the label."""

    value: float | None
    low: float | None
    high: float | None


def count_items(gold: Sequence[Sequence[Labels]], predicted: Sequence[Sequence[Labels]]) -> Counts:
    """Hits, false alarms and misses, shape (n_items, n_label_figures, 3), columns as LABEL_FIGURES.

    Raises ValueError when an item has another number of predictions than segments.
    """
    counts = np.zeros((len(gold), len(LABEL_FIGURES), 3), dtype=np.int64)
    for row, truth, guess in zip(counts, gold, predicted, strict=True):
        for g, p in zip(truth, guess, strict=True):
            _add_segment(row, g, p)
        _add_item(row, truth, guess)
    return counts


def _add_segment(row: Counts, gold: Labels, predicted: Labels) -> None:
    for d in DIMENSIONS:
        _add(row, f"dimensions.{d}", d in gold.dimensions, d in predicted.dimensions)
        for p in POLARITIES:
            held = (gold.dimensions.get(d) == p, predicted.dimensions.get(d) == p)
            _add(row, f"dimensions_polarity.{d}", *held)
    for g in GAPS:
        _add(row, f"gaps.{g}", g in gold.gaps, g in predicted.gaps)
    if gold.sentiment != "mixed":
        for s in _JUDGED_SENTIMENTS:
            _add(row, f"sentiment.{s}", gold.sentiment == s, predicted.sentiment == s)
    _add(row, "expectation_unmet", gold.expectation == "unmet", predicted.expectation == "unmet")
    kept = ("met", "exceeded")
    _add(row, "expectation_kept", gold.expectation in kept, predicted.expectation in kept)
    _add(row, CHURN, gold.churn, predicted.churn)


def _add_item(row: Counts, gold: Sequence[Labels], predicted: Sequence[Labels]) -> None:
    for d in DIMENSIONS:
        held = [any(d in x.dimensions for x in part) for part in (gold, predicted)]
        _add(row, f"item_dimensions.{d}", held[0], held[1])
    for g in GAPS:
        held = [any(g in x.gaps for x in part) for part in (gold, predicted)]
        _add(row, f"item_gaps.{g}", held[0], held[1])


def _add(row: Counts, name: str, gold: bool, predicted: bool) -> None:
    if gold or predicted:
        row[_COLUMN[name], 0 if gold and predicted else 1 if predicted else 2] += 1


def draw_weights(items: int, replicates: int, *, seed: int = 0) -> Values:
    """How often each item enters each bootstrap replicate, shape (n_replicates, n_items)."""
    draws = np.random.default_rng(seed).multinomial(items, np.full(items, 1 / items), size=replicates)
    return np.asarray(draws, dtype=np.float64)


def figures(counts: Counts, weights: Values | None = None) -> dict[str, Values]:
    """All figures by name, each of shape (n_replicates,); without weights one figure, each item once.

    A figure that does not exist (0 of 0) is NaN, and means leave it out.
    """
    chosen = np.ones((1, len(counts))) if weights is None else weights
    sums = (chosen @ counts.reshape(len(counts), -1)).reshape(len(chosen), len(LABEL_FIGURES), 3)
    f1 = f1_score(sums)
    found = {name: f1[:, i] for name, i in _COLUMN.items()}
    found |= {g: _mean([found[f"{g}.{x}"] for x in labels]) for g, labels in GROUPS.items()}
    found["headline"] = _mean([found[name] for name in HEADLINE])
    return {name: found[name] for name in FIGURES}


def f1_score(sums: Values) -> Values:
    """F1 from sums of hits, false alarms and misses in the last axis; NaN for 0 of 0."""
    total = 2 * sums[..., 0] + sums[..., 1] + sums[..., 2]
    f1: Values = np.divide(2 * sums[..., 0], total, out=np.full(total.shape, np.nan), where=total > 0)
    return f1


def _mean(parts: Sequence[Values]) -> Values:
    with warnings.catch_warnings():  # where all parts are NaN, so is their mean: that is what is meant
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanmean(np.vstack(parts), axis=0))


def estimate(value: float, replicates: Values, *, level: float = 0.95) -> Estimate:
    """Put a figure beside the percentiles of its replicates; replicates in which it does not exist are left out."""
    known = replicates[~np.isnan(replicates)]
    if np.isnan(value) or not len(known):
        return Estimate(None, None, None)
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(round(float(value), 4), round(float(low), 4), round(float(high), 4))
