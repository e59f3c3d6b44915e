"""How doubtful the fast classifier must be before the encoder is asked."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapnlp.classifier.decision import Thresholds, decide, expected_errors
from training.material import Material
from training.operating_points import choose_thresholds

# Shares of segments that the encoder may read, and how much headline F1 a cascade may lose against reading all.
SHARES = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8)
TOLERANCE = 0.008


def choose_doubt(
    values: tuple[NDArray[np.float64], NDArray[np.float64]], thresholds: Thresholds, train: Material
) -> dict[str, Any]:
    """Find the smallest share of segments for the encoder that costs at most TOLERANCE, out of fold.

    values: probabilities out of fold of the linear classifier and of the stack; thresholds: of the stack. Gives the
    card's "doubt" (expected wrong labels above which a segment is sent) and "cascade": the whole curve.
    """
    linear, stacked = values
    own = choose_thresholds(linear[train.real], train.targets[train.real])
    doubt = expected_errors(linear, own)
    fast, accurate = decide(linear, own), decide(stacked, thresholds)
    best = train.measure(accurate).headline or 0.0
    curve, chosen = [], float("nan")
    for share in SHARES:
        cut = float(np.quantile(doubt[train.real], 1 - share))
        mixed = [a if d > cut else f for f, a, d in zip(fast, accurate, doubt, strict=True)]
        headline = train.measure(mixed).headline or 0.0
        curve.append({"share": share, "doubt": round(cut, 4), "headline": round(headline, 4)})
        if headline >= best - TOLERANCE and chosen != chosen:
            chosen = round(cut, 4)
    return {
        "doubt": 0.0 if chosen != chosen else chosen,
        "cascade": {"accurate": round(best, 4), "fast": round(train.measure(fast).headline or 0.0, 4), "curve": curve},
    }
