"""A fine-tuned encoder as further signals of an adapter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapnlp.classifier.base import Document
from gapnlp.classifier.encoder import Encoder
from gapnlp.classifier.linear import FIRST_HEADS

ENCODER_SIGNALS = tuple(f"encoder:{head}" for head in FIRST_HEADS)


@dataclass(frozen=True, slots=True)
class EncoderSignals:
    """Implements adapted.Signals: an encoder's log-odds, one column a head."""

    encoder: Encoder

    @property
    def names(self) -> tuple[str, ...]:
        """One name a column, as they stand in an adapter's card."""
        return ENCODER_SIGNALS

    def logits(self, documents: Sequence[Document]) -> NDArray[np.float64]:
        """Log-odds of every segment, shape (n_segments, n_heads)."""
        return self.encoder.logits(documents)
