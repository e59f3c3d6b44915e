"""When two texts count as one, and how findings name rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gapnlp.records.feedback import Source
from gapnlp.records.tickets import LabelledTicket
from gapnlp.retraining.labels.dataset import LabelledRow
from gapnlp.text.normalise import normalise

_EDGES = " \t\n.,!…。，！~-–—\"'“”„"


@dataclass(frozen=True, slots=True)
class Place:
    """A row by its file, number and id: never by its text."""

    source: Source
    id: str

    def __str__(self) -> str:
        """Write "file, row 3 (id 17)"."""
        made = self.id.startswith(f"{self.source.file}:")
        return f"{self.source.file}, row {self.source.row}" + ("" if made else f" (id {self.id})")


def place_of(row: LabelledRow) -> Place:
    """Name a row."""
    return Place(row.named.source, row.named.id)


def text_key(text: str) -> str:
    """Reduce a text to what duplicates share: letter case, addresses, handles, spacing and marks at its ends go."""
    key = normalise(text, "zh").casefold().strip(_EDGES)
    return key or text


def group_tickets(tickets: Iterable[LabelledTicket]) -> list[int]:
    """Give rows of one text or one ticket the same number, joined through both: what no split may part."""
    rows = [(("text", text_key(t.text)), ("ticket", t.ticket)) for t in tickets]
    parent: dict[tuple[str, str], tuple[str, str]] = {}

    def root(node: tuple[str, str]) -> tuple[str, str]:
        while parent.setdefault(node, node) != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for text, ticket in rows:
        parent[root(text)] = root(ticket)
    numbers: dict[tuple[str, str], int] = {}
    return [numbers.setdefault(root(ticket), len(numbers)) for _, ticket in rows]
