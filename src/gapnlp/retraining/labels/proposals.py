"""What a user's label may mean: candidates with reason and confidence, from its name and from its examples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from gapnlp.records.labels import (
    DIMENSIONS,
    GAPS,
    POLARITIES,
    SENTIMENTS,
    dimension_label,
    gap_label,
    presence_label,
    sentiment_label,
)

# A candidate is proposed from here on; below, it is only named in a comment.
PROPOSED = 0.4
# A name that is one of gapnlp's own or of the taxonomy's is taken at its word.
SURE = 0.95
# Candidates named in the file for one label.
SHOWN = 6


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of gapnlp's labels that a user's label may say. confidence: in [0, 1], a guide and no probability."""

    label: str
    confidence: float
    reason: str


@dataclass(frozen=True, slots=True)
class LabelProposal:
    """All candidates for one of the user's labels, surest first. rows: texts that carry it."""

    name: str
    rows: int
    found: tuple[Candidate, ...]

    @property
    def proposed(self) -> tuple[str, ...]:
        """The labels to write into the mapping."""
        return tuple(c.label for c in self.found if c.confidence >= PROPOSED)


def combine(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Join what name and examples say of a label, surest first.

    Two reasons for one label are taken as independent: 1 - (1 - a)(1 - b). A dimension whose polarity is known takes
    the place of its mere presence, and of several polarities or sentiments only the surest stays.
    """
    joined: dict[str, Candidate] = {}
    for new in candidates:
        old = joined.get(new.label)
        joined[new.label] = new if old is None else _join(old, new)
    for dimension in DIMENSIONS:
        _settle_dimension(joined, dimension)
    _keep_surest(joined, [sentiment_label(s) for s in SENTIMENTS])
    ordered = sorted(joined.values(), key=lambda c: (-c.confidence, c.label))
    return tuple(ordered[:SHOWN])


def propose_judged(proposals: Sequence[LabelProposal]) -> tuple[str, ...]:
    """Name the groups of which every member is somebody's label: such a file probably judges them as a whole."""
    meant = {label for proposal in proposals for label in proposal.proposed}
    judged = []
    if all(_speaks_of(d, meant) for d in DIMENSIONS):
        judged.append("dimensions")
    if all(gap_label(g) in meant for g in GAPS):
        judged.append("gaps")
    return tuple(judged)


def _speaks_of(dimension: str, meant: set[str]) -> bool:
    return presence_label(dimension) in meant or any(dimension_label(dimension, p) in meant for p in POLARITIES)


def _join(old: Candidate, new: Candidate) -> Candidate:
    confidence = 1 - (1 - old.confidence) * (1 - new.confidence)
    return Candidate(old.label, confidence, f"{old.reason}; {new.reason}")


def _settle_dimension(joined: dict[str, Candidate], dimension: str) -> None:
    polarities = [dimension_label(dimension, p) for p in POLARITIES]
    _keep_surest(joined, polarities)
    presence = joined.get(presence_label(dimension))
    known = next((joined[label] for label in polarities if label in joined), None)
    if presence is None or known is None:
        return
    del joined[presence.label]
    joined[known.label] = _join(known, presence)


def _keep_surest(joined: dict[str, Candidate], labels: Sequence[str]) -> None:
    there = [joined[label] for label in labels if label in joined]
    for weaker in sorted(there, key=lambda c: (-c.confidence, c.label))[1:]:
        del joined[weaker.label]


def merge_candidates(
    by_name: Mapping[str, Sequence[Candidate]], by_example: Mapping[str, Sequence[Candidate]]
) -> dict[str, tuple[Candidate, ...]]:
    """Join what names and examples say, user's label by user's label.

    Where a name is one of gapnlp's own, examples may support it and tell its polarity; whatever else goes together
    with it ("negative" with failed deliveries) is named, not proposed.
    """
    return {name: combine([*own, *_humbled(by_example.get(name, ()), own)]) for name, own in by_name.items()}


def _humbled(examples: Sequence[Candidate], own: Sequence[Candidate]) -> list[Candidate]:
    sure = {_subject(c.label) for c in own if c.confidence >= SURE}
    if not sure:
        return list(examples)
    below = PROPOSED - 0.01
    return [c if _subject(c.label) in sure else replace(c, confidence=min(c.confidence, below)) for c in examples]


def _subject(label: str) -> str:
    """Reduce a label to what it is about: a dimension's polarities and presence are one."""
    kind, _, rest = label.partition(":")
    return rest.partition(":")[0] if kind in ("dimension", "presence") else label
