"""Decisions on the test rows: scored, and kept on disk so that a killed run goes on. Identifiers and labels only."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gapnlp.errors import InputError
from gapnlp.records.labels import HEAD_INDEX, HEADS
from gapnlp.records.tickets import LabelledTicket

# Which labels each test row was given, shape (n_rows, n_labels), columns as HEADS.
Decided = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Answered:
    """What a classifier decided, and how long learning and answering took, in seconds."""

    decided: Decided
    seconds: float


def rows_digest(*parts: Sequence[LabelledTicket]) -> str:
    """First digits of a sha256 over the rows' texts and labels, and of which part each is."""
    content = hashlib.sha256()
    for part in parts:
        content.update(f"{len(part)}\n".encode())
        for ticket in part:
            content.update(json.dumps([ticket.id, ticket.text, sorted(ticket.given.items())]).encode())
    return content.hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class AnswerCache:
    """A folder of decisions; without a folder nothing is kept."""

    folder: Path | None

    def read(self, name: str, test: Sequence[LabelledTicket]) -> Answered | None:
        """Give kept decisions, or None. Raises InputError when a file is not of these rows."""
        if self.folder is None or not (path := self.folder / f"{name}.json").is_file():
            return None
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            decided = np.zeros((len(test), len(HEADS)), dtype=bool)
            for row, ticket in zip(decided, test, strict=True):
                row[[HEAD_INDEX[label] for label in record["decided"][ticket.id]]] = True
            return Answered(decided, float(record["seconds"]))
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: cannot be used ({error}); delete it, and it will be made again") from None

    def write(self, name: str, test: Sequence[LabelledTicket], answered: Answered) -> None:
        """Keep decisions, whole or not at all."""
        if self.folder is None:
            return
        decided = {
            ticket.id: [label for label, yes in zip(HEADS, row, strict=True) if yes]
            for ticket, row in zip(test, answered.decided.tolist(), strict=True)
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self.folder / f"{name}.{os.getpid()}.partial"
        partial.write_text(json.dumps({"seconds": round(answered.seconds, 2), "decided": decided}), encoding="utf-8")
        os.replace(partial, self.folder / f"{name}.json")


def f1_by_label(test: Sequence[LabelledTicket], decided: Decided, labels: Sequence[str]) -> Mapping[str, float]:
    """F1 of each label, over the rows of which it is known whether it holds; 0 where nothing was found."""
    found: dict[str, float] = {}
    for label in labels:
        judged = np.array([label in ticket.given for ticket in test])
        truth = np.array([ticket.given.get(label, False) for ticket in test])[judged]
        guess = decided[judged, HEAD_INDEX[label]]
        wrong, right = int((truth != guess).sum()), int((truth & guess).sum())
        found[label] = 2 * right / (2 * right + wrong) if right else 0.0
    return found


def macro_f1(figures: Mapping[str, float]) -> float:
    """Mean over the labels."""
    return float(np.mean(list(figures.values())))
