"""How far the probabilities given to tickets are from what people said of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Equal-width bins, as Guo et al. (2017) use.
BINS = 10


@dataclass(frozen=True, slots=True)
class Calibration:
    """Means over labels, less is better, both in [0, 1].

    ece: expected calibration error (Naeini et al. 2015). brier: mean squared error (Brier 1950).
    """

    ece: float
    brier: float


def measure_calibration(truth: NDArray[np.int8], values: NDArray[np.float64]) -> Calibration:
    """Measure over given cells; every label needs at least one.

    truth: 1, 0, or -1 where not given; values: probabilities; both of shape (n_tickets, n_labels).
    """
    figures = [_column(truth[:, j], values[:, j]) for j in range(truth.shape[1])]
    ece, brier = np.mean(figures, axis=0)
    return Calibration(float(ece), float(brier))


def _column(truth: NDArray[np.int8], values: NDArray[np.float64]) -> tuple[float, float]:
    given = truth >= 0
    p, t = values[given], truth[given].astype(np.float64)
    order = np.lexsort((t, p))  # sums of the same tickets come out the same to the last digit
    p, t = p[order], t[order]
    bins = np.minimum((p * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, p - t, minlength=BINS)
    return float(np.abs(gaps).sum() / len(p)), float(np.mean((p - t) ** 2))
