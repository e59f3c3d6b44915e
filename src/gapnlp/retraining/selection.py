"""Which segments people should label: the ones that would teach most, and a plain random sample for audits.

Both read the stream once and hold a bounded number of segments, however long it is. A segment teaches much where the
model is in doubt about its labels and nothing like it is chosen yet. Labels and languages are kept in balance by a
concave sum: the more doubt of a label is covered, the less further segments of it count (feature-based submodular
selection: Wei, Iyer, Bilmes 2015). Distances are cosines of hashed character n-grams.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.feature_extraction.text import HashingVectorizer

from gapnlp.classifier.features import fold
from gapnlp.records.labels import LABELS
from gapnlp.records.review import ReviewSegment, ReviewTask
from gapnlp.retraining.near_duplicates import ALIKE, HASHES, Signature, signature

Matrix = NDArray[np.float64]

# Two segments with a cosine above this are near-identical: at most one of them is chosen.
NEAR = 0.8
# Candidates kept a label and language: this many, or half of what is asked for.
_LEAST_KEPT = 50
_FEATURES = 2**16
# Doubt that counts as covered before anything is chosen: softens the first choices of each label.
_PRIOR = 1.0
# How strongly covered labels count less, and how strongly likeness to what is chosen does. By simulation on labelled
# segments (docs/review.md): balance helps, more weight on distance than this costs more than it brings.
_BALANCE, _DISTANCE = 0.75, 0.25


@dataclass(slots=True)
class Reservoir:
    """A simple random sample of a stream of unknown length, without replacement: algorithm R (Vitter 1985)."""

    size: int
    seed: int = 0
    _seen: int = 0
    _kept: list[tuple[int, ReviewSegment]] = field(default_factory=list)
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def add(self, segments: Iterable[ReviewSegment]) -> None:
        """Offer segments; every one of the stream is equally likely to be in the sample at the end."""
        for segment in segments:
            if self._seen < self.size:
                self._kept.append((self._seen, segment))
            elif (place := self._random.randrange(self._seen + 1)) < self.size:
                self._kept[place] = (self._seen, segment)
            self._seen += 1

    def chosen(self) -> list[ReviewSegment]:
        """Give the sample, in the order of the stream; all segments where there are no more than asked for."""
        return [segment for _, segment in sorted(self._kept, key=lambda kept: kept[0])]


@dataclass(slots=True)
class _Stratum:
    """The most doubtful segments of one label and language, none near-identical to another.

    places: in the stream, -1 where there is none yet. Shapes: (most,), (most,), (most, HASHES).
    """

    doubts: Matrix
    places: NDArray[np.int64]
    signatures: NDArray[np.uint64]

    @classmethod
    def of(cls, most: int) -> _Stratum:
        """Make an empty one."""
        return cls(np.zeros(most), np.full(most, -1), np.zeros((most, HASHES), np.uint64))

    @property
    def least(self) -> float:
        """The doubt that a segment has to exceed."""
        return float(self.doubts.min())

    def keep(self, doubt: float, place: int, like: Signature) -> int | None:
        """Keep a segment, if nothing like it is kept. Returns the place that it took over, -1 for a free one."""
        if ((self.signatures == like).sum(axis=1) >= ALIKE)[self.places >= 0].any():
            return None
        weakest = int(self.doubts.argmin())
        gone = int(self.places[weakest])
        self.doubts[weakest], self.places[weakest], self.signatures[weakest] = doubt, place, like
        return gone


@dataclass(slots=True)
class UncertainPool:
    """Collects the segments that the model doubts most, a bounded number for every label and language.

    size: how many will be asked for. Of segments that are near-identical the first is kept.
    """

    size: int
    _strata: dict[str, tuple[_Stratum, ...]] = field(default_factory=dict)
    _held: dict[int, ReviewSegment] = field(default_factory=dict)
    # Place -> how many strata hold it.
    _uses: dict[int, int] = field(default_factory=dict)
    _seen: int = 0

    def add(self, segments: Sequence[ReviewSegment]) -> None:
        """Offer segments, best many at once."""
        if not segments:
            return
        doubts = with_total(label_doubts(segments))
        for i in self._promising(segments, doubts):
            self._keep(self._seen + i, segments[i], doubts[i])
        self._seen += len(segments)

    def candidates(self) -> list[ReviewSegment]:
        """Give what is held, in the order of the stream."""
        return [self._held[place] for place in sorted(self._held)]

    def chosen(self, excluded: Sequence[ReviewSegment] = ()) -> list[ReviewSegment]:
        """Choose among what is held; excluded: segments that are labelled anyway, nothing like them is chosen."""
        candidates = self.candidates()
        return [candidates[i] for i in choose(candidates, self.size, excluded=excluded)]

    def _promising(self, segments: Sequence[ReviewSegment], doubts: Matrix) -> list[int]:
        """Positions of segments that some stratum would keep."""
        most = max(_LEAST_KEPT, self.size // 2)
        languages = {s.language for s in segments}
        for language in languages - self._strata.keys():
            self._strata[language] = tuple(_Stratum.of(most) for _ in range(doubts.shape[1]))
        least = {x: np.asarray([s.least for s in self._strata[x]]) for x in languages}
        limits = np.stack([least[s.language] for s in segments])
        places: list[int] = np.flatnonzero((doubts > limits).any(axis=1)).tolist()
        return places

    def _keep(self, place: int, segment: ReviewSegment, doubts: Matrix) -> None:
        like = signature(segment.text)
        for stratum, doubt in zip(self._strata[segment.language], doubts.tolist(), strict=True):
            gone = stratum.keep(doubt, place, like) if doubt > stratum.least else None
            if gone is not None:
                self._held[place] = segment
                self._uses[place] = self._uses.get(place, 0) + 1
                self._release(gone)

    def _release(self, place: int) -> None:
        """Forget a segment once no stratum holds it."""
        if place < 0:
            return
        self._uses[place] -= 1
        if not self._uses[place]:
            del self._uses[place], self._held[place]


@dataclass(slots=True)
class Selection:
    """Both at once over a stream of segments: an audit sample, and the segments that would teach most."""

    size: int
    audit: int
    seed: int = 0
    _sample: Reservoir = field(init=False)
    _pool: UncertainPool = field(init=False)

    def __post_init__(self) -> None:
        self._sample, self._pool = Reservoir(self.audit, self.seed), UncertainPool(self.size)

    def add(self, segments: Sequence[ReviewSegment]) -> None:
        """Offer segments, best many at once."""
        self._sample.add(segments)
        if self.size:
            self._pool.add(segments)

    def tasks(self) -> list[ReviewTask]:
        """Give the chosen segments: the audit sample first, then the uncertain ones, those that teach most first.

        There are fewer than asked for where the stream holds no more that differ.
        """
        sample = self._sample.chosen()
        uncertain = self._pool.chosen(excluded=sample) if self.size else []
        return [ReviewTask(s, "audit") for s in sample] + [ReviewTask(s, "uncertain") for s in uncertain]


def choose(
    candidates: Sequence[ReviewSegment], size: int, *, excluded: Sequence[ReviewSegment] = (), near: float = NEAR
) -> list[int]:
    """Choose positions of candidates, greedily, the most telling first.

    A candidate's worth is the doubt that it adds to labels of its language, each label counting less the more it is
    covered; it is worth less the more it is like what is chosen or excluded. near: cosine from which two are the same.
    """
    if not candidates or size <= 0:
        return []
    doubts, features = label_doubts(candidates), encode_hashed([s.text for s in candidates])
    languages, rows = np.unique([s.language for s in candidates], return_inverse=True)
    covered = np.full((len(languages), doubts.shape[1]), _PRIOR)
    similar = _similarity(features, encode_hashed([s.text for s in excluded]))
    chosen: list[int] = []
    while len(chosen) < size:
        worth = (doubts / covered[rows] ** _BALANCE).sum(axis=1) * (1 - similar).clip(min=0) ** _DISTANCE
        worth[similar >= near] = -1.0
        best = int(worth.argmax())
        if worth[best] < 0:
            break
        chosen.append(best)
        covered[rows[best]] += doubts[best]
        similar = np.maximum(similar, _similarity(features, features[[best]]))
        similar[best] = 1.0
    return chosen


def label_doubts(segments: Sequence[ReviewSegment]) -> Matrix:
    """How doubtful each label of each segment is: its expected error, min(p, 1 - p), shape (n_segments, n_labels)."""
    values = np.asarray([s.probabilities for s in segments], dtype=np.float64).reshape(-1, len(LABELS))
    return np.minimum(values, 1 - values).clip(min=0)


def with_total(doubts: Matrix) -> Matrix:
    """Put the doubt over all labels beside the labels', shape (n_segments, n_labels + 1)."""
    return np.column_stack([doubts, doubts.sum(axis=1)])


def encode_hashed(texts: Sequence[str]) -> sp.csr_matrix:
    """Character 2- to 4-grams hashed to rows of length one, shape (n_texts, 65,536); needs no vocabulary."""
    if not texts:
        return sp.csr_matrix((0, _FEATURES))
    vectorizer = HashingVectorizer(
        analyzer="char", ngram_range=(2, 4), n_features=_FEATURES, alternate_sign=False, preprocessor=fold
    )
    return sp.csr_matrix(vectorizer.transform(texts))


def _similarity(features: sp.csr_matrix, others: sp.csr_matrix) -> Matrix:
    """Largest cosine of each row to any of the others, shape (n_rows,); 0 where there are no others."""
    if not others.shape[0]:
        return np.zeros(features.shape[0])
    return np.asarray((features @ others.T).max(axis=1).todense(), dtype=np.float64).ravel()
