"""Labels under their owners' names: what every format is read into, before a mapping says what the names mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gapnlp.records.feedback import Source

# What an answer covers. WHOLE: labels that are not said were seen and not chosen. SAID: only the labels said were
# asked about. UNSURE: nothing is said, and the file does not tell whether anybody looked.
WHOLE, SAID, UNSURE = "whole", "said", "unsure"
COVERS = (WHOLE, SAID, UNSURE)
# As the annotator's column: every file is one annotator's, called by its name.
FILE_NAME = "@file"


class RecordProblem(ValueError):
    """A record cannot be used; the message says why, without quoting its text."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one annotator said of one text. said: the user's label -> yes or no. covers: one of COVERS."""

    said: Mapping[str, bool]
    covers: str = WHOLE
    annotator: str | None = None


@dataclass(frozen=True, slots=True)
class Annotated:
    """One record of a file. fields: where text and id are looked for. unanswered: why there is no answer."""

    fields: Mapping[str, object]
    answers: tuple[Answer, ...]
    unanswered: str = "it was not labelled"


@dataclass(frozen=True, slots=True)
class NamedTicket:
    """A text and one annotator's answer, in the user's own label names; see LabelledTicket for the rest.

    counted: its ticket is but a number of its row (1, 2, 3 ...), which says nothing beyond its file.
    """

    id: str
    ticket: str
    text: str
    answer: Answer
    source: Source
    language: str | None = None
    counted: bool = False

    @property
    def chosen(self) -> frozenset[str]:
        """The labels that were said to hold."""
        return frozenset(label for label, yes in self.answer.said.items() if yes)


@dataclass(frozen=True, slots=True)
class LabelOptions:
    """The user's own choices; None or empty leaves each to recognition.

    format: a key of FORMATS. labels: columns that hold labels. separator: between several labels of one cell.
    annotator: a column, or FILE_NAME.
    """

    format: str | None = None
    labels: tuple[str, ...] = ()
    separator: str | None = None
    text: str | None = None
    id: str | None = None
    ticket: str | None = None
    annotator: str | None = None
    language: str | None = None
