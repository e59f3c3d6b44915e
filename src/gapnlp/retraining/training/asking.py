"""What the base says of documents, asked a chunk at a time so that a killed run goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapnlp.classifier.base import Classifier, Document, Predictions
from gapnlp.classifier.decision import head_matrix
from gapnlp.records.labels import HEADS, LABELS, Labels
from gapnlp.retraining.training.bags import segment_labels
from gapnlp.retraining.training.pieces import Pieces

# Documents of a chunk.
CHUNK = 32


@dataclass(frozen=True, slots=True)
class Said:
    """What a classifier said of documents: probabilities (n_segments, n_labels), and decisions."""

    documents: tuple[Document, ...]
    values: NDArray[np.float64]
    labels: tuple[Labels, ...]

    @property
    def texts(self) -> list[str]:
        """All segments in order."""
        return list(chain.from_iterable(self.documents))

    @property
    def lengths(self) -> list[int]:
        """Segments of each document."""
        return [len(d) for d in self.documents]

    def predictions(self) -> Predictions:
        """Give it as a classifier would, abstentions apart."""
        return Predictions(self.values, self.labels, np.zeros(len(self.values), dtype=bool))


def ask(
    classifier: Classifier, documents: Sequence[Document], name: str, pieces: Pieces, on_chunk: Callable[[], None]
) -> Said:
    """Ask about documents; chunks that are finished are kept under `name`."""
    values: list[NDArray[Any]] = [np.zeros((0, len(LABELS)))]
    decided: list[NDArray[Any]] = [np.zeros((0, len(HEADS)), dtype=np.uint8)]
    waiting = iter(documents)
    for number, chunk in enumerate(iter(lambda: tuple(islice(waiting, CHUNK)), ())):
        piece = pieces.keep(f"{name}-{number}", partial(_answers, classifier, chunk))
        values.append(piece["values"])
        decided.append(piece["decided"])
        on_chunk()
    labels = segment_labels(np.vstack(decided).astype(bool))
    return Said(tuple(documents), np.vstack(values), labels)


def count_chunks(documents: Sequence[Document]) -> int:
    """How many chunks `ask` makes of documents."""
    return -(-len(documents) // CHUNK)


def _answers(classifier: Classifier, documents: Sequence[Document]) -> dict[str, NDArray[Any]]:
    found = classifier.predict(documents)
    return {"values": found.values, "decided": head_matrix(found.labels).astype(np.uint8)}
