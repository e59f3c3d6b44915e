"""Bootstrap weights that depend on the item alone, so that counts can be merged in any order.

Poisson bootstrap (Hanley and MacGibbon 2006; Chamandy, Muralidharan, Najmi and Naidu 2012): instead of drawing n items
with replacement, each item enters each replicate with an independent Poisson(1) weight. A weight is a function of the
item's identity and the replicate's number, so no generator state is passed on and no order matters.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from gapnlp.records.feedback import Feedback

# Four 16-bit draws are taken from each 64-bit hash, so the number of replicates is a multiple of four.
REPLICATES = 400

# How many of the 65,536 values of a draw give the weight 0, 1, 2 ... Within 9 of 65536 * Poisson(1), and chosen so
# that the mean and the variance are exactly 1.
WEIGHT_COUNTS = (24103, 24124, 12046, 4018, 1005, 201, 33, 5, 1)

_GOLDEN = 0x9E3779B97F4A7C15
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_TABLE = np.repeat(np.arange(len(WEIGHT_COUNTS), dtype=np.uint8), WEIGHT_COUNTS)
_STEPS = np.array([(j * _GOLDEN) % 2**64 for j in range(1, REPLICATES // 4 + 1)], dtype=np.uint64)


def item_key(feedback: Feedback) -> int:
    """Identify an item by where it comes from: 64 bits of a hash of file, row and id."""
    name = f"{feedback.source.file}\0{feedback.source.row}\0{feedback.id}"
    return int.from_bytes(blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def draw_weights(keys: Sequence[int]) -> NDArray[np.uint8]:
    """Give each item its Poisson(1) weight in each replicate, shape (n_items, REPLICATES).

    The hash is splitmix64 (Steele, Lea and Flood 2014) used as a counter-based generator.
    """
    state = np.array(keys, dtype=np.uint64)[:, None] + _STEPS[None, :]
    state = (state ^ (state >> np.uint64(30))) * _MIX_1
    state = (state ^ (state >> np.uint64(27))) * _MIX_2
    state ^= state >> np.uint64(31)
    draws = np.ascontiguousarray(state.astype("<u8", copy=False)).view("<u2")
    weights: NDArray[np.uint8] = _TABLE[draws]
    return weights
