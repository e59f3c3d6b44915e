"""The bridge between judged items and the ledger: counts that can be merged in any order and stored between chunks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from gapnlp.errors import InputError
from gapnlp.promises.ledger_counts import Audience, PromiseCounts, Spoken, merge_maps, subject_sentences
from gapnlp.promises.ledger_evidence import parts_of, rank_segment
from gapnlp.promises.ledger_snapshot import open_snapshot, write_snapshot
from gapnlp.records.analysis import Analysis, ScoredSegment
from gapnlp.records.labels import LABEL_INDEX, sentiment_label
from gapnlp.records.periods import PERIODS
from gapnlp.records.promises import RELATIONS, Verdict
from gapnlp.records.quotes import quote_segment

# What a cue of a subject must not be contradicted by, and what ranks its sentences: the segment's sentiment.
_SENTIMENTS = {"fault": "neg", "praise": "pos"}
_OPPOSITE = {"fault": "pos", "praise": "neg"}


@dataclass(frozen=True, slots=True)
class JudgedItem:
    """One feedback item and what its segments say of the promises.

    entity: which listing it speaks of, where copy has many. verdicts, subjects: one tuple for each segment of
    `analysis`; subjects are (subject, kind) pairs as a SubjectReader finds them, kind "topic", "fault" or "praise".
    """

    analysis: Analysis
    entity: str | None
    verdicts: tuple[tuple[Verdict, ...], ...]
    subjects: tuple[tuple[tuple[str, str], ...], ...]


class LedgerTally:
    """Mergeable counts of judged items.

    `merge` is associative and commutative, and items added in any order or in any chunks give the same tally, byte by
    byte: all sums are of whole numbers. Each item must be added once. Memory grows with promises, subjects, entities
    and periods, not with items.

    everyone: all items; entities: those of each entity. dated: items with a date. subjects: (subject, "fault" or
    "praise") -> items that say so in a segment without any verdict.
    """

    def __init__(self, *, period: str | None = None) -> None:
        """Start empty. period: "week", "month", "quarter" or None. Raises InputError for another period."""
        if period is not None and period not in PERIODS:
            raise InputError(f"unknown period '{period}'; use one of: {', '.join(PERIODS)}")
        self.period = period
        self.segments = 0
        self.dated = 0
        self.languages: Counter[str] = Counter()
        self.everyone = Audience()
        self.entities: dict[str, Audience] = {}
        self.promises: dict[str, PromiseCounts] = {}
        self.subjects: dict[tuple[str, str], Spoken] = {}

    @property
    def items(self) -> int:
        """Items that were judged."""
        return self.everyone.items

    def add(self, items: Sequence[JudgedItem]) -> None:
        """Count judged items.

        Raises ValueError, leaving the tally as it was, when verdicts or subjects do not match an item's segments, or a
        verdict has another relation than RELATIONS.
        """
        for item in items:
            _check(item)
        for item in items:
            self._add_item(item)

    def merge(self, other: LedgerTally) -> LedgerTally:
        """Combine two tallies of different items into a new one. Raises ValueError when their periods differ."""
        if self.period != other.period:
            raise ValueError("ledger tallies that count by different periods cannot be merged")
        merged = LedgerTally(period=self.period)
        merged.segments = self.segments + other.segments
        merged.dated = self.dated + other.dated
        merged.languages = self.languages + other.languages
        merged.everyone = self.everyone.merge(other.everyone)
        merged.entities = merge_maps(self.entities, other.entities, Audience)
        merged.promises = merge_maps(self.promises, other.promises, PromiseCounts)
        merged.subjects = merge_maps(self.subjects, other.subjects, subject_sentences)
        return merged

    def to_bytes(self) -> bytes:
        """Store the tally; the same counts always give the same bytes."""
        return write_snapshot(self)

    @classmethod
    def from_bytes(cls, stored: bytes) -> LedgerTally:
        """Read what `to_bytes` wrote. Raises StoreError when it is damaged or of another version."""
        snapshot = open_snapshot(stored)
        tally = cls(period=snapshot.period)
        tally.segments, tally.dated = snapshot.segments, snapshot.dated
        tally.languages.update(snapshot.languages)
        tally.everyone, tally.entities = snapshot.everyone, snapshot.entities
        tally.promises, tally.subjects = snapshot.promises, snapshot.subjects
        return tally

    def _add_item(self, item: JudgedItem) -> None:
        analysis = item.analysis
        day = analysis.feedback.date
        period = None if self.period is None or day is None else PERIODS[self.period](day)
        sentiment = round(100 * analysis.polarity)
        breaking = self._count_verdicts(item, sentiment=sentiment, period=period)
        self._count_subjects(item)
        self.segments += len(analysis.segments)
        self.dated += day is not None
        self.languages[analysis.language] += 1
        for audience in self._audiences(item.entity):
            audience.items += 1
            audience.breaking += breaking
            audience.sentiment += sentiment
            if period is not None:
                audience.periods[period] += 1

    def _audiences(self, entity: str | None) -> tuple[Audience, ...]:
        if entity is None:
            return (self.everyone,)
        return self.everyone, self.entities.setdefault(entity, Audience())

    def _count_verdicts(self, item: JudgedItem, *, sentiment: int, period: str | None) -> bool:
        """Count an item once for each promise and relation; say whether it breaks any promise."""
        best: dict[str, dict[str, float]] = {}
        for scored, verdicts in zip(item.analysis.segments, item.verdicts, strict=True):
            for verdict in verdicts:
                counts = self.promises.setdefault(verdict.promise, PromiseCounts())
                _quote(counts.of(verdict.relation), item.analysis, scored, probability=verdict.probability)
                _note_told(counts, item.analysis, scored, verdict=verdict)
                held = best.setdefault(verdict.promise, {})
                held[verdict.relation] = max(held.get(verdict.relation, 0.0), verdict.probability)
        for promise, relations in best.items():
            counts = self.promises[promise]
            counts.speaking += 1
            counts.sentiment += sentiment
            for relation, probability in relations.items():
                counts.of(relation).items += 1
                counts.of(relation).probability += parts_of(probability)
            if period is not None and "breaks" in relations:
                counts.periods[period] += 1
        return any("breaks" in relations for relations in best.values())

    def _count_subjects(self, item: JudgedItem) -> None:
        """Count an item once for each subject that it faults or praises where it says nothing of any promise."""
        found: set[tuple[str, str]] = set()
        for scored, verdicts, subjects in zip(item.analysis.segments, item.verdicts, item.subjects, strict=True):
            for subject, kind in () if verdicts else dict.fromkeys(subjects):
                if kind not in _SENTIMENTS or scored.labels.sentiment == _OPPOSITE[kind]:
                    continue
                found.add((subject, kind))
                spoken = self.subjects.setdefault((subject, kind), subject_sentences())
                probability = scored.probabilities[LABEL_INDEX[sentiment_label(_SENTIMENTS[kind])]]
                _quote(spoken, item.analysis, scored, probability=probability)
        for key in found:
            self.subjects[key].items += 1


def _check(item: JudgedItem) -> None:
    segments = len(item.analysis.segments)
    if not len(item.verdicts) == len(item.subjects) == segments:
        raise ValueError(
            f"a judged item has {segments} segments, verdicts for {len(item.verdicts)} and subjects for "
            f"{len(item.subjects)}; give one tuple of each for every segment"
        )
    unknown = {v.relation for verdicts in item.verdicts for v in verdicts} - set(RELATIONS)
    if unknown:
        raise ValueError(f"verdicts of unknown relation {sorted(unknown)}; known: {RELATIONS}")


def _quote(spoken: Spoken, analysis: Analysis, scored: ScoredSegment, *, probability: float) -> None:
    rank = rank_segment(analysis, scored, probability=probability)
    spoken.sentences.offer(rank, partial(quote_segment, analysis, scored, probability=probability))


def _note_told(counts: PromiseCounts, analysis: Analysis, scored: ScoredSegment, *, verdict: Verdict) -> None:
    if verdict.told is not None:
        source = analysis.feedback.source
        place = (source.file, source.row, analysis.feedback.id, scored.segment.start, verdict.told.start)
        counts.told.add(verdict.told, "\0".join(map(str, place)))
