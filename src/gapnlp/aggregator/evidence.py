"""Customers' sentences behind the figures: bounded samples that merge exactly, whatever the order.

Each topic keeps its strongest sentences (highest probability) and a random sample (lowest hash of the text: a bottom-k
sketch, Cohen and Kaplan 2007) in which the typical ones are looked for. Repeated texts count once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2b

from gapnlp.aggregator.rows import cause_gaps
from gapnlp.records.analysis import Analysis, ScoredSegment
from gapnlp.records.labels import LABEL_INDEX, dimension_label, gap_label, sentiment_label
from gapnlp.records.quotes import LONGEST, quote_segment
from gapnlp.records.report import Evidence

# ("gap", gap), ("cause", cause), ("dimension", dimension, polarity), (kind, name of the cell, polarity)
Topic = tuple[str, ...]
# Lower is better; ends with file, row and start, so that no two segments are equal.
Rank = tuple[int | float | str, ...]

STRONGEST: Mapping[str, int] = {"gap": 12, "dimension": 12, "cause": 6, "group": 2, "period": 2}
SAMPLE: Mapping[str, int] = {"gap": 40, "dimension": 40}

# Code points. Shorter sentences say little alone (Chinese says as much in fewer).
SHORTEST: Mapping[str, int] = {"zh": 6}
SHORTEST_OTHERS = 15

# (sketches by topic, limit of one, rank, kind of evidence)
_Offer = tuple[dict[Topic, "Sketch"], int, Rank, str]


def normalise_text(text: str) -> str:
    """Make texts that differ only in case and white space the same."""
    return " ".join(text.casefold().split())


def text_key(text: str) -> int:
    """Hash a text, case and white space aside, to 64 bits."""
    return int.from_bytes(blake2b(normalise_text(text).encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def is_poor(scored: ScoredSegment, language: str) -> bool:
    """Say whether a segment is too short or too long to be shown before others."""
    length = scored.segment.end - scored.segment.start
    return length < SHORTEST.get(language, SHORTEST_OTHERS) or length > LONGEST


class Sketch:
    """The `limit` best-ranked sentences of distinct texts; merging two gives the same as seeing all at once."""

    __slots__ = ("_worst", "entries", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.entries: dict[int, tuple[Rank, Evidence]] = {}
        self._worst: Rank | None = None

    def wants(self, rank: Rank, key: int) -> bool:
        """Say whether a sentence of this rank and text key would be kept."""
        if self._worst is not None and rank >= self._worst:
            return False
        held = self.entries.get(key)
        return held is None or rank < held[0]

    def put(self, rank: Rank, key: int, evidence: Evidence) -> None:
        """Keep a sentence if it is wanted, and let the worst go if there are too many."""
        if not self.wants(rank, key):
            return
        self.entries[key] = (rank, evidence)
        if len(self.entries) > self.limit:
            del self.entries[max(self.entries, key=lambda k: self.entries[k][0])]
        if len(self.entries) == self.limit:
            self._worst = max(held[0] for held in self.entries.values())

    def merge(self, other: Sketch) -> Sketch:
        """Combine two sketches of the same limit into a new one."""
        merged = Sketch(self.limit)
        for sketch in (self, other):
            for key, (rank, evidence) in sketch.entries.items():
                merged.put(rank, key, evidence)
        return merged

    def ranked(self) -> list[tuple[Rank, Evidence]]:
        """List what is kept, best first."""
        return sorted(self.entries.values(), key=lambda held: held[0])


class EvidenceBook:
    """The sketches of every topic."""

    __slots__ = ("sample", "strongest")

    def __init__(self) -> None:
        self.strongest: dict[Topic, Sketch] = {}
        self.sample: dict[Topic, Sketch] = {}

    def add(self, analysis: Analysis, cells: tuple[tuple[str, str], ...]) -> None:
        """Offer an item's segments to the topics that they belong to; cells: its group and period."""
        for scored in analysis.segments:
            topics = list(_topics(scored, cells))
            if topics:
                self._offer(analysis, scored, topics)

    def _offer(self, analysis: Analysis, scored: ScoredSegment, topics: list[tuple[Topic, float]]) -> None:
        key = text_key(scored.segment.text)
        poor = int(is_poor(scored, analysis.language))
        source = analysis.feedback.source
        place = (key, source.file, source.row, scored.segment.start)
        for topic, probability in topics:
            offers: list[_Offer] = [(self.strongest, STRONGEST[topic[0]], (poor, -probability, *place), "strongest")]
            if topic[0] in SAMPLE:
                offers.append((self.sample, SAMPLE[topic[0]], (poor, *place), "typical"))
            for sketches, limit, rank, kind in offers:
                sketch = sketches.get(topic) or sketches.setdefault(topic, Sketch(limit))
                if sketch.wants(rank, key):
                    sketch.put(rank, key, quote_segment(analysis, scored, kind=kind, probability=probability))

    def merge(self, other: EvidenceBook) -> EvidenceBook:
        """Combine two books into a new one."""
        merged = EvidenceBook()
        merged.strongest = _merge_sketches(self.strongest, other.strongest)
        merged.sample = _merge_sketches(self.sample, other.sample)
        return merged


def _merge_sketches(left: dict[Topic, Sketch], right: dict[Topic, Sketch]) -> dict[Topic, Sketch]:
    merged = {}
    for topic in left.keys() | right.keys():
        limit = (left.get(topic) or right[topic]).limit
        merged[topic] = left.get(topic, Sketch(limit)).merge(right.get(topic, Sketch(limit)))
    return merged


def _topics(scored: ScoredSegment, cells: tuple[tuple[str, str], ...]) -> Iterator[tuple[Topic, float]]:
    """Topics that a segment is evidence for, each with the probability of its label."""
    labels, probabilities = scored.labels, scored.probabilities
    for gap in labels.gaps:
        yield ("gap", gap), probabilities[LABEL_INDEX[gap_label(gap)]]
    for cause in scored.causes:
        yield ("cause", cause), probabilities[LABEL_INDEX[gap_label(cause_gaps()[cause])]]
    for dimension, polarity in labels.dimensions.items():
        if polarity != "neu":
            topic = ("dimension", dimension, polarity)
            yield topic, probabilities[LABEL_INDEX[dimension_label(dimension, polarity)]]
    if labels.sentiment in ("neg", "pos"):
        for kind, name in cells:
            yield (kind, name, labels.sentiment), probabilities[LABEL_INDEX[sentiment_label(labels.sentiment)]]
