"""A fine-tuned encoder as further signals of an adapter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapnlp.classifier.base import Document
from gapnlp.classifier.encoder import Encoder
from gapnlp.records.labels import HEADS

# Files of a bundle that hold an encoder.
ENCODER_FILES = ("encoder.onnx", "tokenizer.json")
ENCODER_SIGNALS = tuple(f"encoder:{head}" for head in HEADS)


@dataclass(frozen=True, slots=True)
class EncoderSignals:
    """Implements adapted.Signals: an encoder's log-odds, one column a head."""

    encoder: Encoder

    @classmethod
    def read(cls, contents: Mapping[str, bytes]) -> EncoderSignals:
        """Load the encoder that a bundle's files hold. Raises KeyError when there is none among them."""
        return cls(Encoder(*(contents[name] for name in ENCODER_FILES)))

    @property
    def names(self) -> tuple[str, ...]:
        """One name a column, as they stand in an adapter's card."""
        return ENCODER_SIGNALS

    def logits(self, documents: Sequence[Document]) -> NDArray[np.float64]:
        """Log-odds of every segment, shape (n_segments, n_heads)."""
        return self.encoder.logits(documents)
