"""Customers' sentences behind a promise or subject: short lists of the best, the same in whatever order they came."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Final

from gapnlp.records.analysis import Analysis, ScoredSegment
from gapnlp.records.quotes import LONGEST
from gapnlp.records.report import Evidence

# Lower is better: (poor, -probability in ten-thousandths, key of the text, file, row, item, start). Ends with the
# place, so that no two segments are equal; the text's key at _KEY tells repeated texts.
Rank = tuple[int, int, int, str, int, str, int]
_KEY: Final = 2

# Code points. Shorter sentences say little alone (Chinese says as much in fewer).
SHORTEST, SHORTEST_CHINESE = 15, 6


def parts_of(probability: float) -> int:
    """Give a probability in ten-thousandths: sums of whole numbers are the same in any order."""
    return round(probability * 10_000)


def rank_segment(analysis: Analysis, scored: ScoredSegment, *, probability: float) -> Rank:
    """Rank a segment as evidence; `probability` of what it is evidence of, in [0, 1]."""
    segment, source = scored.segment, analysis.feedback.source
    shortest = SHORTEST_CHINESE if analysis.language == "zh" else SHORTEST
    poor = not shortest <= segment.end - segment.start <= LONGEST
    words = " ".join(segment.text.casefold().split()).encode("utf-8", "surrogatepass")
    key = int.from_bytes(blake2b(words, digest_size=8).digest(), "big")
    return int(poor), -parts_of(probability), key, source.file, source.row, analysis.feedback.id, segment.start


class Shortlist:
    """The `limit` best sentences of distinct texts. Merging two gives the same as offering everything to one.

    Pruned only when four times full, so that an offer costs little.
    """

    __slots__ = ("_bar", "_held", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._held: dict[int, tuple[Rank, Evidence]] = {}
        self._bar: Rank | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Shortlist) and (self.limit, self.best()) == (other.limit, other.best())

    __hash__ = None  # type: ignore[assignment]  # it changes

    def offer(self, rank: Rank, quote: Callable[[], Evidence]) -> None:
        """Keep a sentence unless `limit` better ones of other texts are held; `quote` is called only if it is kept."""
        if self._bar is not None and rank >= self._bar:
            return
        held = self._held.get(rank[_KEY])
        if held is None or rank < held[0]:
            self.keep(rank, quote())

    def keep(self, rank: Rank, evidence: Evidence) -> None:
        """Put a sentence in, unless the same text is held with a better rank."""
        held = self._held.get(rank[_KEY])
        if held is None or rank < held[0]:
            self._held[rank[_KEY]] = (rank, evidence)
        if len(self._held) >= 4 * self.limit:
            self._prune()

    def merge(self, other: Shortlist) -> Shortlist:
        """Combine two lists of the same limit into a new one."""
        merged = Shortlist(self.limit)
        for rank, evidence in (*self.best(), *other.best()):
            merged.keep(rank, evidence)
        return merged

    def best(self) -> list[tuple[Rank, Evidence]]:
        """List what is kept, best first."""
        return sorted(self._held.values(), key=lambda held: held[0])[: self.limit]

    def evidence(self) -> tuple[Evidence, ...]:
        """List the sentences, best first."""
        return tuple(evidence for _, evidence in self.best())

    def _prune(self) -> None:
        best = self.best()
        self._held = {rank[_KEY]: (rank, evidence) for rank, evidence in best}
        self._bar = best[-1][0]
