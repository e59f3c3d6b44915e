"""The encoder network: a pretrained body, and one linear head that reads every token of the segment.

Multi-task: dimension presence and polarity, gaps, sentiment, expectation and churn share the body. A head's log-odds
are the mean of its answers to the segment's tokens, so that each token's part is known. Needs the extra `train`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gapnlp.classifier.encoder import EncoderInput
from gapnlp.classifier.linear import POLARITY_SLICES, SENTIMENT_SLICE
from gapnlp.records.labels import HEADS

# Columns that say yes or no on their own: all but polarities and sentiments, which compete.
SINGLE_COLUMNS = [
    j for j in range(POLARITY_SLICES[-1].stop, len(HEADS)) if not SENTIMENT_SLICE.start <= j < SENTIMENT_SLICE.stop
]


class Network(nn.Module):
    """A body from `transformers` and a head over HEADS."""

    def __init__(self, body: nn.Module, *, heads: int = len(HEADS), dropout: float = 0.1) -> None:
        """body: anything whose output has `last_hidden_state`."""
        super().__init__()
        config: Any = body.config
        self.body = body
        self.has_types = getattr(config, "type_vocab_size", 0) > 1
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(config.hidden_size, heads)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.constant_(self.head.bias, -2.0)

    def forward(self, ids: Tensor, types: Tensor, own: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Give log-odds (n_rows, n_heads) and each token's part of them (n_rows, n_tokens, n_heads).

        own: 1 where a token belongs to the segment, (n_rows, n_tokens). mask: 0 where a token is padding.
        """
        further = {"token_type_ids": types} if self.has_types else {}
        if mask is not None:
            further["attention_mask"] = mask
        hidden = self.body(input_ids=ids, **further).last_hidden_state
        share = own / own.sum(dim=1, keepdim=True)
        parts = (self.dropout(hidden).float() @ self.head.weight.T.float()) * share[..., None]
        return parts.sum(dim=1) + self.head.bias, parts


def predict_logits(network: Network, inputs: Sequence[EncoderInput], *, batch: int = 64) -> NDArray[np.float64]:
    """Log-odds in float32 arithmetic, shape (n_inputs, n_heads)."""
    network.eval()
    order = np.argsort([len(x.ids) for x in inputs], kind="stable")
    found = np.zeros((len(inputs), network.head.out_features))
    with torch.inference_mode():
        for i in range(0, len(order), batch):
            rows = order[i : i + batch]
            found[rows] = network(*padded([inputs[k] for k in rows]))[0].numpy()
    return found


def seed_everything(seed: int) -> None:
    """Make what follows repeatable."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)


def padded(inputs: Sequence[EncoderInput], *, multiple: int = 1) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Pad inputs to ids, types, own and mask, each (n_inputs, n_tokens).

    multiple: of which n_tokens is one. Where gradients are wanted, oneDNN keeps about 1 MB for each shape that it has
    seen, and text comes in hundreds of shapes.
    """
    width = -(-max(len(x.ids) for x in inputs) // multiple) * multiple
    ids = torch.zeros(len(inputs), width, dtype=torch.long)
    types, mask = torch.zeros_like(ids), torch.zeros_like(ids)
    own = torch.zeros(len(inputs), width)
    for row, x in enumerate(inputs):
        size = len(x.ids)
        ids[row, :size] = torch.tensor(x.ids)
        types[row, :size] = torch.tensor(x.types)
        mask[row, :size] = 1
        own[row, 1 : x.segment + 1] = 1
        if not x.segment:
            own[row, 0] = 1
    return ids, types, own, mask
