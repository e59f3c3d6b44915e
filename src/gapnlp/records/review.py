"""What people are asked to label: segments, with what the model thinks of them and why they were chosen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gapnlp.records.analysis import Analysis
from gapnlp.records.labels import Labels

# audit: a simple random sample, from which shares can be estimated. uncertain: chosen because labels would teach most;
# such segments are no sample of anything.
REASONS = ("audit", "uncertain")
# Code points of the item's text that are kept on either side, at most.
WIDEST = 600


@dataclass(frozen=True, slots=True)
class ReviewSegment:
    """One segment to be labelled, with its neighbours.

    item, file, row: as in records.feedback. number: place in the item, from 0. start, end: code points of the item's
    text. before, after: the neighbouring segments and what lies between, at most WIDEST code points. labels,
    probabilities: the model's, probabilities in the order of records.labels.LABELS, in [0, 1].
    """

    item: str
    file: str
    row: int
    number: int
    start: int
    end: int
    text: str
    before: str
    after: str
    language: str
    labels: Labels
    probabilities: tuple[float, ...]
    model_version: str

    @property
    def id(self) -> str:
        """Name the segment: file, row and offsets never repeat, an export's own ids may."""
        return f"{self.file}:{self.row}:{self.start}-{self.end}"


@dataclass(frozen=True, slots=True)
class ReviewTask:
    """A segment and why it was chosen: a reason of REASONS."""

    segment: ReviewSegment
    reason: str


def review_segments(analysis: Analysis) -> Iterator[ReviewSegment]:
    """Give the segments of an item, each with its neighbours."""
    feedback, scored = analysis.feedback, analysis.segments
    for number, current in enumerate(scored):
        start, end = current.segment.start, current.segment.end
        first = scored[number - 1].segment.start if number else 0
        last = scored[number + 1].segment.end if number + 1 < len(scored) else len(feedback.text)
        yield ReviewSegment(
            item=feedback.id,
            file=feedback.source.file,
            row=feedback.source.row,
            number=number,
            start=start,
            end=end,
            text=current.segment.text,
            before=feedback.text[max(first, start - WIDEST) : start],
            after=feedback.text[end : min(last, end + WIDEST)],
            language=analysis.language,
            labels=current.labels,
            probabilities=current.probabilities,
            model_version=analysis.model_version,
        )
