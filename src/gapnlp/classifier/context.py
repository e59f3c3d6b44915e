"""What the first stage said of a segment and of its neighbours, as features for the second stage."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


def context_features(logits: Matrix, texts: Sequence[str], lengths: Sequence[int]) -> Matrix:
    """Put each segment's logits beside its neighbours' and its item's mean.

    logits: shape (n_segments, n_heads), documents one after the other; lengths: segments of each document.
    Returns shape (n_segments, 4 * n_heads + 2): own, previous, next (0 at an item's border), mean over the item,
    log of the text's length, and whether it opens the item.
    """
    item = np.repeat(np.arange(len(lengths)), lengths)
    opens = np.ones(len(item), dtype=bool)
    opens[1:] = item[1:] != item[:-1]
    closes = np.roll(opens, -1)
    previous = np.where(opens[:, None], 0.0, np.roll(logits, 1, axis=0))
    following = np.where(closes[:, None], 0.0, np.roll(logits, -1, axis=0))
    sums = np.zeros((len(lengths), logits.shape[1]))
    np.add.at(sums, item, logits)
    mean = (sums / np.maximum(np.asarray(lengths), 1)[:, None])[item]
    shape = np.column_stack([np.log1p([len(t) for t in texts]), opens.astype(float)])
    return np.hstack([logits, previous, following, mean, shape])
