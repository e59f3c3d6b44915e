"""What the ledger's tally counts of audiences, promises and subjects; all of it whole numbers that add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Protocol, Self, TypeVar

from gapnlp.promises.comparing import is_working_days
from gapnlp.promises.ledger_evidence import Shortlist
from gapnlp.promises.units import to_base
from gapnlp.records.promises import Quantity

# Sentences kept for each relation of a promise, and for the faults and praises of a subject.
PROMISE_SENTENCES, SUBJECT_SENTENCES = 8, 5
# Told quantities kept of one promise. More would not move a quartile visibly.
TOLD_SAMPLE = 2_000

# (hash of its place, value in the base unit, base unit, whether it counts working days)
ToldValue = tuple[int, float, str, bool]


class Mergeable(Protocol):
    """Counts of which two make a third."""

    def merge(self, other: Self) -> Self:
        """Combine the counts of different items into new ones."""
        ...


K = TypeVar("K")
M = TypeVar("M", bound=Mergeable)


def merge_maps(left: Mapping[K, M], right: Mapping[K, M], empty: Callable[[], M]) -> dict[K, M]:
    """Merge counts by key; what one side alone has is merged with `empty()`, so that nothing is shared with it."""
    return {
        key: (left[key] if key in left else empty()).merge(right[key] if key in right else empty())
        for key in left.keys() | right.keys()
    }


@dataclass(slots=True)
class Audience:
    """Items that could speak of a promise: all of them, or those of one entity.

    breaking: items that break at least one promise. sentiment: sum of the items' polarity in hundredths. periods:
    items by period.
    """

    items: int = 0
    breaking: int = 0
    sentiment: int = 0
    periods: Counter[str] = field(default_factory=Counter)

    def merge(self, other: Audience) -> Audience:
        """Combine two audiences of different items into a new one."""
        return Audience(
            self.items + other.items,
            self.breaking + other.breaking,
            self.sentiment + other.sentiment,
            self.periods + other.periods,
        )


@dataclass(slots=True)
class Spoken:
    """Items that say one thing of a promise or subject, and their strongest sentences.

    probability: sum over items of the highest calibrated probability of their segments, in ten-thousandths.
    """

    sentences: Shortlist
    items: int = 0
    probability: int = 0

    def merge(self, other: Spoken) -> Spoken:
        """Combine the counts of different items into new ones."""
        sentences = self.sentences.merge(other.sentences)
        return Spoken(sentences, self.items + other.items, self.probability + other.probability)


class ToldSample:
    """Told quantities of one promise: all up to TOLD_SAMPLE, beyond that those whose hashes are lowest.

    A bottom-k sample (Cohen and Kaplan 2007): the hash depends on the place alone, so any order gives the same values.
    """

    __slots__ = ("_held",)

    def __init__(self, values: Iterable[ToldValue] = ()) -> None:
        self._held = set(values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ToldSample) and self.values() == other.values()

    __hash__ = None  # type: ignore[assignment]  # it changes

    def add(self, told: Quantity, place: str) -> None:
        """Keep a quantity; `place` names item and segment."""
        value, unit = to_base(told)
        key = int.from_bytes(blake2b(place.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
        self._held.add((key, value, unit, is_working_days(told)))
        if len(self._held) >= 2 * TOLD_SAMPLE:
            self._held = set(self.values())

    def merge(self, other: ToldSample) -> ToldSample:
        """Combine two samples into a new one."""
        return ToldSample(ToldSample(self._held | other._held).values())

    def values(self) -> list[ToldValue]:
        """List the sample, in order of the hashes."""
        return sorted(self._held)[:TOLD_SAMPLE]


@dataclass(slots=True)
class PromiseCounts:
    """What customers say of one promise.

    spoken: relation -> items. speaking: items that break or keep it (once, where one does both). sentiment: sum of
    their polarity in hundredths. periods: items that break it, by period.
    """

    spoken: dict[str, Spoken] = field(default_factory=dict)
    speaking: int = 0
    sentiment: int = 0
    periods: Counter[str] = field(default_factory=Counter)
    told: ToldSample = field(default_factory=ToldSample)

    def of(self, relation: str) -> Spoken:
        """Give the counts of one relation."""
        found = self.spoken.get(relation)
        if found is None:
            found = self.spoken[relation] = _promise_sentences()
        return found

    def merge(self, other: PromiseCounts) -> PromiseCounts:
        """Combine the counts of different items into new ones."""
        return PromiseCounts(
            merge_maps(self.spoken, other.spoken, _promise_sentences),
            self.speaking + other.speaking,
            self.sentiment + other.sentiment,
            self.periods + other.periods,
            self.told.merge(other.told),
        )


def _promise_sentences() -> Spoken:
    return Spoken(Shortlist(PROMISE_SENTENCES))


def subject_sentences() -> Spoken:
    """Start counting the faults or praises of a subject."""
    return Spoken(Shortlist(SUBJECT_SENTENCES))
