"""What full fine-tuning takes and gives, free of torch, so that callers can name it without the extra `train`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from gapnlp.classifier.base import Document
from gapnlp.records.labels import HEADS
from gapnlp.retraining.method import MOST_PASSES

# Called with a stage's name, the steps done and the steps in all, as by `training.fitting`.
OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class FineTuneData:
    """Labelled tickets. A bag is what was labelled as one: a whole ticket, or one sentence of it.

    documents: tickets as their normalised segments in order. lengths: segments of each bag, (n_bags,); bags follow each
    other through all documents. targets: 1 said, 0 denied, -1 not given, columns as HEADS, (n_bags, n_heads).
    folds: the fold of each bag, (n_bags,); a ticket's bags share one. replay: other texts, by document, whose answers
    must not change.
    """

    documents: Sequence[Document]
    lengths: NDArray[np.intp]
    targets: NDArray[np.int8]
    folds: NDArray[np.intp]
    replay: Sequence[Document] = field(default=())

    def __post_init__(self) -> None:
        """Refuse what does not fit together. Raises ValueError."""
        bags = len(self.lengths)
        if self.targets.shape != (bags, len(HEADS)) or self.folds.shape != (bags,):
            raise ValueError(f"{bags} bags, but targets {self.targets.shape} and folds {self.folds.shape}")
        if not bags or self.lengths.min() < 1 or self.lengths.sum() != sum(map(len, self.documents)):
            raise ValueError("bags must hold every segment of the documents, each at least one")
        if len(set(self.folds.tolist())) < 2:
            raise ValueError("cross-fitting needs two folds or more")
        ends = set(accumulate(len(d) for d in self.documents))
        starts = np.concatenate([[0], np.cumsum(self.lengths)[:-1]])
        parted = self.folds[1:] != self.folds[:-1]
        if any(start not in ends for start in starts[1:][parted].tolist()):
            raise ValueError("bags of one ticket lie in different folds")

    def segment_bags(self) -> NDArray[np.intp]:
        """Give the bag of each segment, (n_segments,)."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    def digest(self) -> str:
        """Tell these data from others by all that training depends on."""
        texts = [[list(d) for d in documents] for documents in (self.documents, self.replay)]
        found = hashlib.sha256(json.dumps(texts, ensure_ascii=False).encode())
        for array in (self.lengths, self.targets, self.folds):
            found.update(np.ascontiguousarray(array).astype(np.int64).tobytes())
        return found.hexdigest()


@dataclass(frozen=True, slots=True)
class FineTuneSettings:
    """How an encoder is fine-tuned.

    epochs: the most passes over the tickets; patience: passes without gain after which it stops. batch: tickets a step.
    rate, head_rate: highest learning rates of the body and of the head. frozen: lowest layers that stay as they are, as
    word vectors always do. replay: replayed segments for each of the customer's. distil: weight of staying with the
    base. held: share of the tickets that early stopping watches. threads: of torch; other numbers, other last digits.
    """

    epochs: int = MOST_PASSES
    patience: int = 1
    batch: int = 16
    rate: float = 1e-4
    head_rate: float = 1e-3
    frozen: int = 0
    replay: float = 0.25
    distil: float = 0.5
    held: float = 0.15
    seed: int = 0
    threads: int = 1

    def key(self) -> str:
        """Write these settings as text, the same for equal ones."""
        return json.dumps(asdict(self), sort_keys=True)


@dataclass(frozen=True, slots=True)
class FineTuned:
    """A fine-tuned encoder.

    cross_fitted: log-odds of every segment by a network that saw none of its ticket, columns as HEADS,
    (n_segments, n_heads). onnx, tokenizer: the network fitted to all tickets, as `classifier.encoder.Encoder` takes
    them. epochs: passes that this network made, by what the folds' early stopping found.
    """

    cross_fitted: NDArray[np.float64]
    onnx: bytes
    tokenizer: bytes
    epochs: int
