"""Thresholds and error rates, from out-of-fold probabilities: no segment was judged by a model that had seen it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta
from sklearn.metrics import f1_score

from gapnlp.classifier.decision import Abstention, Thresholds, head_matrix
from gapnlp.records.error_counts import ErrorCounts
from gapnlp.records.labels import (
    CHURN,
    DIMENSIONS,
    EXPECTATIONS,
    GAPS,
    HEADS,
    LABEL_INDEX,
    LABELS,
    POLARITIES,
    SENTIMENTS,
    Labels,
    dimension_label,
    expectation_label,
    gap_label,
    sentiment_label,
)

Values = NDArray[np.float64]
Targets = NDArray[np.int8]

# F1 as a function of the threshold is a ragged curve; its peak is taken after a moving mean over so many ranks.
_SMOOTHING = 15
# Positives that a label needs among the random items before its true-positive rate is taken from them alone.
_ENOUGH_POSITIVES = 10
# What a kept segment may be wrong in, at most so often; and the fewest kept segments that say so.
ABSTENTION_LIMIT = 0.25
_FEWEST_KEPT = 100


def choose_thresholds(values: Values, targets: Targets) -> Thresholds:
    """Choose what maximises F1 label by label.

    values: out-of-fold probabilities, columns as LABELS. targets: columns as HEADS.
    """

    def best(label: str) -> float:
        return best_threshold(values[:, LABEL_INDEX[label]], targets[:, LABEL_INDEX[label]])

    presence = {}
    for i, dimension in enumerate(DIMENSIONS):
        columns = [LABEL_INDEX[dimension_label(dimension, p)] for p in POLARITIES]
        presence[dimension] = best_threshold(values[:, columns].sum(axis=1), targets[:, len(LABELS) + i])
    return Thresholds(
        presence=presence,
        gaps={g: best(gap_label(g)) for g in GAPS},
        expectations={e: best(expectation_label(e)) for e in EXPECTATIONS if e != "none"},
        sentiment=_sentiment_factors(values, targets),
        churn=best(CHURN),
    )


def best_threshold(probabilities: Values, positive: Targets) -> float:
    """Find the probability at which F1 peaks, to four digits; 1.01 (never) with fewer than ten positives."""
    total = int(positive.sum())
    if total < 10:
        return 1.01
    order = np.argsort(-probabilities, kind="stable")[: max(20, 3 * total)]
    hits = np.cumsum(positive[order])
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + total)
    width = min(_SMOOTHING, len(f1))  # a longer window would give more means than there are ranks
    smooth = np.convolve(f1, np.ones(width) / width, mode="same")
    return round(float(probabilities[order][int(smooth.argmax())]), 4)


def _sentiment_factors(values: Values, targets: Targets) -> tuple[float, ...]:
    """Factors for neu and mixed that maximise macro-F1 over neg, neu and pos, where gold is not mixed."""
    columns = [LABEL_INDEX[sentiment_label(s)] for s in SENTIMENTS]
    gold = targets[:, columns].argmax(axis=1)
    keep = gold != SENTIMENTS.index("mixed")

    def quality(factors: tuple[float, ...]) -> float:
        guess = (values[keep][:, columns] * np.asarray(factors)).argmax(axis=1)
        return float(f1_score(gold[keep], guess, labels=[0, 1, 2], average="macro"))

    return max(((1.0, neu, 1.0, mixed) for neu, mixed in product((1.0, 1.2, 1.5, 1.8), (0.5, 1.0))), key=quality)


def choose_abstention(
    doubt: Values, gold: Sequence[Labels], predicted: Sequence[Labels], *, limit: float = ABSTENTION_LIMIT
) -> Abstention | None:
    """Find the largest cut at which kept segments are wrong in something asserted no more often than `limit`.

    doubt: expected wrong labels a segment, out of fold. "At most" holds with 95 % confidence (Clopper and Pearson), as
    Geifman and El-Yaniv (2017) select. None when not even the surest hundred segments are that good.
    """
    order = np.argsort(doubt, kind="stable")
    wrong = np.asarray([_asserts_wrongly(g, p) for g, p in zip(gold, predicted, strict=True)])[order]
    kept = np.arange(1, len(order) + 1)
    bound = beta.ppf(0.95, np.cumsum(wrong) + 1, np.maximum(kept - np.cumsum(wrong), 0.5))
    good = np.flatnonzero((bound <= limit) & (kept >= _FEWEST_KEPT))
    if not len(good):
        return None
    last = int(good[-1])
    cut = round(float(doubt[order][last]), 4)
    return Abstention(cut, limit, round(float(wrong[: last + 1].mean()), 4), round((last + 1) / len(order), 4))


def _asserts_wrongly(gold: Labels, predicted: Labels) -> bool:
    """Whether the sentiment, a dimension with its polarity, or a gap was given that is not so."""
    dimensions = any(gold.dimensions.get(d) != p for d, p in predicted.dimensions.items())
    return predicted.sentiment != gold.sentiment or dimensions or not set(predicted.gaps) <= set(gold.gaps)


def count_errors(
    gold: Sequence[Labels], predicted: Sequence[Labels], random: NDArray[np.bool_]
) -> dict[str, ErrorCounts]:
    """Count right and wrong decisions per label.

    random: which segments were drawn at random. False alarms are counted there alone, since the rest was chosen for
    rare classes and is harder than real feedback; hits and misses too, where random items hold enough positives.
    """
    drawn, truth, guess = random, *(head_matrix(x) for x in (gold, predicted))
    counts = {}
    for j, label in enumerate(HEADS):
        t, g = truth[:, j], guess[:, j]
        where = drawn if (t & drawn).sum() >= _ENOUGH_POSITIVES else np.ones_like(drawn)
        counts[label] = ErrorCounts(
            tp=int((t & g & where).sum()),
            fn=int((t & ~g & where).sum()),
            fp=int((~t & g & drawn).sum()),
            tn=int((~t & ~g & drawn).sum()),
        )
    return counts
