"""The statistics that are counted: one integer vector per item, in a fixed order of columns.

Everything the report needs is a function of sums of these vectors, so sums are all that is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations_with_replacement

from gapnlp.records.labels import DIMENSIONS, EXPECTATIONS, GAPS, LABELS, POLARITIES, SENTIMENTS

# Expectations that are referred to explicitly.
EXPLICIT = tuple(e for e in EXPECTATIONS if e != "none")

# Outcomes that importance can be derived from; the first is preferred.
OUTCOMES = ("rating", "sentiment")

PAIRS = tuple(combinations_with_replacement(DIMENSIONS, 2))

# Probabilities are summed as whole numbers of ten-thousandths, so that sums are exact in any order.
PROBABILITY_UNIT = 10_000

# Counted over the segments of an item.
SEGMENT_COLUMNS: tuple[str, ...] = (
    "segments",
    *(f"dimension:{d}:{p}" for d in DIMENSIONS for p in POLARITIES),
    *(f"expected:{d}" for d in DIMENSIONS),
    *(f"unmet:{d}" for d in DIMENSIONS),
    *(f"gap:{g}" for g in GAPS),
    *(f"probability:{label}" for label in LABELS),
    *(f"unexplained:{g}" for g in GAPS),
    *(f"fault:{g}:{d}" for g in GAPS for d in DIMENSIONS),
    *(f"sentiment:{s}" for s in SENTIMENTS),
    *(f"expectation:{e}" for e in EXPLICIT),
    "churn",
)

# 0 or 1 per item: does it have at least one such segment?
ITEM_COLUMNS: tuple[str, ...] = (
    "items",
    *(f"items:dimension:{d}" for d in DIMENSIONS),
    *(f"items:gap:{g}" for g in GAPS),
    "items:churn",
    "items:expected",
    *(f"items:expected:{d}" for d in DIMENSIONS),
)

# Cross-products for a least-squares fit of an outcome y (hundredths) on x_d, the item's polarity toward dimension d.
REGRESSION_COLUMNS: tuple[str, ...] = tuple(
    f"{outcome}:{name}"
    for outcome in OUTCOMES
    for name in (
        "n",
        "y",
        "yy",
        *(f"x:{d}" for d in DIMENSIONS),
        *(f"xx:{d}:{e}" for d, e in PAIRS),
        *(f"xy:{d}" for d in DIMENSIONS),
    )
)

COLUMNS: tuple[str, ...] = SEGMENT_COLUMNS + ITEM_COLUMNS + REGRESSION_COLUMNS
INDEX: Mapping[str, int] = {name: i for i, name in enumerate(COLUMNS)}

# What is kept for each language: enough to state each label's share with the error of that language's classifier.
LANGUAGE_COLUMNS: tuple[str, ...] = ("segments", *(f"probability:{label}" for label in LABELS))
