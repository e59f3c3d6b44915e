"""What people say the labels should be, beside what the model said then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from gapnlp.records.feedback import Source
from gapnlp.records.labels import (
    CHURN,
    DIMENSIONS,
    EXPECTATIONS,
    GAPS,
    POLARITIES,
    SENTIMENTS,
    Labels,
    dimension_label,
    expectation_label,
    gap_label,
    presence_label,
    sentiment_label,
)
from gapnlp.records.tickets import LabelledTicket

# Who corrects on a server without keys.
LOCAL_CORRECTOR = "local"


@dataclass(frozen=True, slots=True)
class GivenLabels:
    """Labels that somebody gave; None: not judged. dimensions, gaps: all that apply, so an empty one means none."""

    sentiment: str | None = None
    dimensions: Mapping[str, str] | None = None
    gaps: tuple[str, ...] | None = None
    expectation: str | None = None
    churn: bool | None = None

    def judged(self) -> dict[str, bool]:
        """Say of each label of records.labels.HEADS that was judged whether it was given."""
        found: dict[str, bool] = {}
        if self.dimensions is not None:
            given = self.dimensions
            found |= {dimension_label(d, p): given.get(d) == p for d in DIMENSIONS for p in POLARITIES}
            found |= {presence_label(d): d in given for d in DIMENSIONS}
        if self.gaps is not None:
            found |= {gap_label(g): g in self.gaps for g in GAPS}
        if self.sentiment is not None:
            found |= {sentiment_label(s): s == self.sentiment for s in SENTIMENTS}
        if self.expectation is not None:
            found |= {expectation_label(e): e == self.expectation for e in EXPECTATIONS if e != "none"}
        if self.churn is not None:
            found[CHURN] = self.churn
        return found

    def over(self, labels: Labels) -> Labels:
        """Put what was judged in the place of what labels say; the rest stays."""
        return Labels(
            sentiment=labels.sentiment if self.sentiment is None else self.sentiment,
            dimensions=labels.dimensions if self.dimensions is None else self.dimensions,
            gaps=labels.gaps if self.gaps is None else self.gaps,
            expectation=labels.expectation if self.expectation is None else self.expectation,
            churn=labels.churn if self.churn is None else self.churn,
        )


@dataclass(frozen=True, slots=True)
class Correction:
    """One correction: who gave which labels to which text, and when.

    id: 32 hexadecimal digits. who: the key's name, or LOCAL_CORRECTOR. job, segment: the job's segment it is about
    (segment as in records.service.StoredSegment.place); None for a text that was sent along. ticket: what the text
    belongs to, as the item's id. model_labels, model_version: what the model said then, None when nobody told.
    """

    id: str
    project: str
    who: str
    created: datetime
    text: str
    ticket: str
    given: GivenLabels
    language: str | None = None
    job: str | None = None
    segment: int | None = None
    row: int = 0
    model_labels: Labels | None = None
    model_version: str | None = None

    @property
    def target(self) -> tuple[str, ...]:
        """What it is about: of several corrections of the same by the same person, the last one counts."""
        return ("segment", self.job, str(self.segment)) if self.job else ("text", self.ticket, self.text)

    def labelled(self) -> LabelledTicket:
        """Give it as training reads it; the source names the job, or "corrections" for a text."""
        source = Source(f"job-{self.job}" if self.job else "corrections", self.row)
        ticket = f"{self.job}:{self.ticket}" if self.job else self.ticket
        return LabelledTicket(self.id, ticket, self.text, self.given.judged(), source, self.language, self.who)
