"""Labelled tickets: texts with what their owners said of them, under the labels that the classifier learns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gapnlp.records.feedback import Source


@dataclass(frozen=True, slots=True)
class LabelledTicket:
    """One labelled text: a ticket, or a sentence of one.

    id: of the text; rows of several annotators share it. ticket: the ticket that it belongs to (splits never cut a
    ticket). given: label of HEADS -> True or False; a label that is absent was not judged and is masked.
    language: ISO 639-1, None until detected. annotator: who labelled it, where the file says so.
    """

    id: str
    ticket: str
    text: str
    given: Mapping[str, bool]
    source: Source
    language: str | None = None
    annotator: str | None = None
