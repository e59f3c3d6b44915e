"""One feedback item after scoring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gapnlp.records.feedback import Feedback
from gapnlp.records.labels import Labels


@dataclass(frozen=True, slots=True)
class Segment:
    """A sentence or clause: `feedback.text[start:end] == text`, in Unicode code points."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of an item's text: `feedback.text[start:end]`, in Unicode code points."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ScoredSegment:
    """A segment with its labels.

    probabilities: calibrated, in [0, 1], in the order of records.labels.LABELS, shape (n_labels,).
    causes: keys of the taxonomy's causes whose cues the segment holds, only of gaps it was labelled with.
    abstained: the labels are too doubtful to act on unread. evidence: label (of records.labels.LABELS, given ones only)
    -> the words that speak for it most, strongest first; empty unless asked for.
    """

    segment: Segment
    labels: Labels
    probabilities: tuple[float, ...]
    causes: tuple[str, ...] = ()
    abstained: bool = False
    evidence: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Analysis:
    """One feedback item after scoring: its language, its segments in order, and which bundle judged them."""

    feedback: Feedback
    language: str
    segments: tuple[ScoredSegment, ...]
    model_version: str

    @property
    def polarity(self) -> float:
        """Overall sentiment of the item in [-1, 1]: mean over segments of +1 pos, -1 neg, 0 neu and mixed."""
        score = {"pos": 1, "neg": -1}
        values = [score.get(s.labels.sentiment, 0) for s in self.segments]
        return sum(values) / len(values) if values else 0.0
