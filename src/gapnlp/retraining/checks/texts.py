"""When two texts count as one, and how findings name rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

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
    nodes: dict[tuple[str, str], int] = {}

    def node(kind: str, name: str) -> int:
        return nodes.setdefault((kind, name), len(nodes))

    edges = [(node("text", text_key(t.text)), node("ticket", t.ticket)) for t in tickets]
    texts, owners = np.asarray(edges, dtype=np.intp).reshape(-1, 2).T
    links = coo_matrix((np.ones(len(edges)), (texts, owners)), shape=(len(nodes), len(nodes)))
    _, parts = connected_components(links, directed=False)
    numbers: dict[int, int] = {}
    return [numbers.setdefault(part, len(numbers)) for part in parts[owners].tolist()]
