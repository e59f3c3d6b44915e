"""How far probabilities are from frequencies: expected calibration error and the points of a reliability plot."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapnlp.records.labels import HEADS, LABELS

# Equal-width bins, as Guo et al. (2017) use.
BINS = 10


def expected_calibration_error(probabilities: NDArray[np.float64], truth: NDArray[np.int8]) -> float:
    """Mean gap between probability and frequency over bins, weighted by their rows (Naeini et al. 2015), in [0, 1]."""
    return sum(abs(p - f) * n for p, f, n in reliability(probabilities, truth)) / max(len(truth), 1)


def reliability(probabilities: NDArray[np.float64], truth: NDArray[np.int8]) -> list[tuple[float, float, int]]:
    """Mean probability, frequency and rows of each bin that holds any."""
    bins = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    points = []
    for b in range(BINS):
        held = bins == b
        if held.any():
            points.append((float(probabilities[held].mean()), float(truth[held].mean()), int(held.sum())))
    return points


def calibration_figures(values: NDArray[np.float64], targets: NDArray[np.int8]) -> dict[str, dict[str, Any]]:
    """Per label: positives, expected calibration error, and mean probability less frequency (what shares rest on).

    values: columns as LABELS. targets: columns as HEADS.
    """
    found = {}
    for j, label in enumerate(LABELS):
        p, t = values[:, j], targets[:, HEADS.index(label)]
        bias = float(p.mean() - t.mean()) if len(t) else 0.0
        error = round(expected_calibration_error(p, t), 4)
        found[label] = {"positives": int(t.sum()), "ece": error, "bias": round(bias, 4)}
    return found
