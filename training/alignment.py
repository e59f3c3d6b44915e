"""Which words of one language stand for which of another, learnt from translated sentences: IBM Model 1.

Source: Brown, Della Pietra, Della Pietra and Mercer 1993, "The Mathematics of Statistical Machine Translation".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Ids = NDArray[np.intp]
Matrix = NDArray[np.float64]

# A link that explains less than half a token is noise; a token needs links worth more than one to get a vector.
_LEAST_LINK, _LEAST_TOKEN = 0.5, 1.0
# Above 1, so that a token's usual translation counts for more than its share.
_SHARPNESS = 1.5


@dataclass(frozen=True, slots=True)
class Links:
    """Pairs of tokens seen in translations of each other, one an entry.

    source, target: token ids. counts: how many of the source token's occurrences the target token is expected to
    explain.
    """

    source: Ids
    target: Ids
    counts: Matrix


def align(pairs: Iterable[tuple[Sequence[int], Sequence[int]]], *, rounds: int = 8) -> Links:
    """Estimate by expectation maximisation which target token each source token comes from.

    pairs: token ids of a sentence and of its translation. rounds: of expectation maximisation, from uniform chances.
    """
    source, target, place = _candidates(pairs)
    width = int(target.max(initial=0)) + 1
    keys, link = np.unique(source * width + target, return_inverse=True)
    chances: Matrix = np.ones(len(keys))
    counts: Matrix = np.zeros(len(keys))
    for _ in range(rounds):
        shares = chances[link] / _sum_by(place, chances[link])[place]
        counts = _sum_by(link, shares, size=len(keys))
        totals = _sum_by(keys % width, counts, size=width)
        chances = counts / np.maximum(totals[keys % width], 1e-9)
    return Links(keys // width, keys % width, counts)


def translate_vectors(links: Links, vectors: NDArray[np.float32], *, size: int) -> tuple[Matrix, NDArray[np.bool_]]:
    """Give source tokens the mean of the target tokens' vectors that they are linked with.

    vectors: of the target tokens, shape (n_target, n_dimensions). size: how many source tokens there are.
    Returns vectors, shape (size, n_dimensions), and which tokens had links enough; the others' vectors are zero.
    """
    weights = np.where(links.counts > _LEAST_LINK, links.counts, 0.0) ** _SHARPNESS
    totals = _sum_by(links.source, weights, size=size)
    known = totals > _LEAST_TOKEN
    table = csr_array((weights, (links.source, links.target)), shape=(size, len(vectors)))
    sums: Matrix = table @ vectors.astype(np.float64)
    return np.where(known[:, None], sums / np.maximum(totals, _LEAST_TOKEN)[:, None], 0.0), known


def _sum_by(groups: Ids, weights: Matrix, *, size: int = 0) -> Matrix:
    sums: Any = np.bincount(groups, weights, size)
    return np.asarray(sums, dtype=np.float64)


def _candidates(pairs: Iterable[tuple[Sequence[int], Sequence[int]]]) -> tuple[Ids, Ids, Ids]:
    """Every source token with every target token of its pair; place numbers the source tokens over all pairs."""
    source, target, place = [], [], []
    before = 0
    for own, other in pairs:
        source.append(np.repeat(np.asarray(own, dtype=np.intp), len(other)))
        target.append(np.tile(np.asarray(other, dtype=np.intp), len(own)))
        place.append(np.repeat(np.arange(before, before + len(own)), len(other)))
        before += len(own)
    nothing = [np.zeros(0, dtype=np.intp)]
    return np.concatenate(source + nothing), np.concatenate(target + nothing), np.concatenate(place + nothing)
