"""What a group's or period's cell keeps: sums of powers, from which means, variances and tests follow exactly.

A cell needs no bootstrap: for a ratio of sums a/b over items its variance follows from the sums of a, b, aa, ab and bb
(linearisation, Cochran 1977, ch. 6). This costs some 70 numbers per cell, where 400 replicates would cost thousands.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gapnlp.aggregator.columns import INDEX
from gapnlp.aggregator.rows import Counts, judgements
from gapnlp.records.labels import DIMENSIONS, GAPS

# Ratios over items of (praise - fault) to segments that judge; shares are of items.
RATIOS: tuple[str, ...] = (*(f"perception:{d}" for d in DIMENSIONS), "sentiment")
SHARES: tuple[str, ...] = tuple(f"gap:{g}" for g in GAPS)

POWERS = ("n", "a", "b", "aa", "ab", "bb", "aaa", "aab", "abb", "bbb")
MOMENTS: tuple[str, ...] = ("items", "segments", *SHARES, *(f"{m}:{p}" for m in RATIOS for p in POWERS))
MOMENT_INDEX: Mapping[str, int] = {name: i for i, name in enumerate(MOMENTS)}


def item_moments(rows: Counts) -> Counts:
    """Turn items' statistics into what they add to their cell, shape (n_items, n_moments), in the order of MOMENTS."""
    blocks = [rows[:, INDEX["items"]], rows[:, INDEX["segments"]]]
    blocks += [rows[:, INDEX[f"items:{share}"]] for share in SHARES]
    for dimension in DIMENSIONS:
        blocks += _powers(*judgements(rows, dimension))
    balance = rows[:, INDEX["sentiment:pos"]] - rows[:, INDEX["sentiment:neg"]]
    blocks += _powers(balance, rows[:, INDEX["segments"]])
    return np.stack(blocks, axis=1)


def _powers(a: Counts, b: Counts) -> list[Counts]:
    """Make the ten columns of POWERS for a ratio of sums a/b."""
    n = (b > 0).astype(np.int64)
    return [n, a, b, a * a, a * b, b * b, a * a * a, a * a * b, a * b * b, b * b * b]


def ratio_powers(cell: Counts, measure: str) -> NDArray[np.float64]:
    """Read the ten sums of POWERS of one ratio in one cell, shape (10,)."""
    first = MOMENT_INDEX[f"{measure}:n"]
    return cell[first : first + len(POWERS)].astype(np.float64)
