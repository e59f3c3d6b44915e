"""The encoder network: a pretrained body, and one linear head that reads every token of the segment.

Multi-task: dimension presence and polarity, gaps, sentiment, expectation and churn share the body. A head's log-odds
are the mean of its answers to the segment's tokens, so that each token's part is known.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from gapnlp.classifier.encoder import EncoderInput
from gapnlp.classifier.linear import FIRST_HEADS
from gapnlp.records.labels import DIMENSIONS, LABELS, POLARITIES, SENTIMENTS

_SENTIMENT = LABELS.index(f"sentiment:{SENTIMENTS[0]}")
_SENTIMENTS = slice(_SENTIMENT, _SENTIMENT + len(SENTIMENTS))
_FIRST_SINGLE = len(DIMENSIONS) * len(POLARITIES)
# Heads that say yes or no on their own: all but polarities and sentiments, which compete.
_SINGLE = [j for j in range(_FIRST_SINGLE, len(FIRST_HEADS)) if not _SENTIMENTS.start <= j < _SENTIMENTS.stop]

OnStep = Callable[[int, int, float], None]


@dataclass(frozen=True, slots=True)
class FitSettings:
    """How a network is fine-tuned. rate: highest learning rate of the body; head_rate: of the head."""

    epochs: float = 4.0
    batch: int = 32
    rate: float = 1.5e-4
    head_rate: float = 1e-3
    seed: int = 0
    warm_up: float = 0.1
    decay: float = 0.01
    dropout: float = 0.1


class Network(nn.Module):
    """A body from `transformers` and a head over FIRST_HEADS."""

    def __init__(self, body: nn.Module, *, heads: int = len(FIRST_HEADS), dropout: float = 0.1) -> None:
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


def loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Sum over tasks: yes/no heads, sentiment, and polarity on the segments that judge a dimension.

    targets: columns as FIRST_HEADS, 0 or 1.
    """
    total = binary_cross_entropy_with_logits(logits[:, _SINGLE], targets[:, _SINGLE].float(), reduction="none")
    result = total.sum(dim=1).mean()
    result = result + cross_entropy(logits[:, _SENTIMENTS], targets[:, _SENTIMENTS].argmax(dim=1))
    for i in range(len(DIMENSIONS)):
        judged = targets[:, len(LABELS) + i] == 1
        columns = slice(i * len(POLARITIES), (i + 1) * len(POLARITIES))
        if judged.any():
            aim = targets[judged][:, columns].argmax(dim=1)
            result = result + cross_entropy(logits[judged][:, columns], aim, reduction="sum") / len(targets)
    return result


def fit_network(
    network: Network,
    inputs: Sequence[EncoderInput],
    targets: NDArray[np.int8],
    settings: FitSettings,
    *,
    on_step: OnStep | None = None,
) -> None:
    """Fine-tune in place. Same inputs, settings, machine and number of threads: same weights."""
    seed_everything(settings.seed)
    truth = torch.from_numpy(targets.astype(np.int64))
    lengths = np.asarray([len(x.ids) for x in inputs])
    steps = max(1, math.ceil(settings.epochs * len(inputs) / settings.batch))
    head = list(network.head.parameters())
    groups = [
        {"params": list(network.body.parameters()), "lr": settings.rate},
        {"params": head, "lr": settings.head_rate},
    ]
    optimiser = torch.optim.AdamW(groups, weight_decay=settings.decay)
    rise = max(1, round(settings.warm_up * steps))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / rise) * max(0.02, 1 - step / steps)
    )
    network.train()
    order = _batches(lengths, settings)
    for step in range(steps):
        rows = next(order)
        with torch.autocast("cpu", torch.bfloat16):
            logits, _ = network(*_tensors([inputs[i] for i in rows]))
        value = loss(logits.float(), truth[rows])
        optimiser.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if on_step:
            on_step(step + 1, steps, value.item())
    network.eval()


def predict_logits(network: Network, inputs: Sequence[EncoderInput], *, batch: int = 64) -> NDArray[np.float64]:
    """Log-odds in float32 arithmetic, shape (n_inputs, n_heads)."""
    network.eval()
    order = np.argsort([len(x.ids) for x in inputs], kind="stable")
    found = np.zeros((len(inputs), network.head.out_features))
    with torch.inference_mode():
        for i in range(0, len(order), batch):
            rows = order[i : i + batch]
            found[rows] = network(*_tensors([inputs[k] for k in rows]))[0].numpy()
    return found


def seed_everything(seed: int) -> None:
    """Make what follows repeatable."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)


def step_printer(name: str, out: Any) -> OnStep:
    """Print how far the fit is, its loss and the time left, every hundred steps."""
    started = time.perf_counter()

    def show(step: int, steps: int, value: float) -> None:
        if step % 100 == 0 or step == steps:
            spent = time.perf_counter() - started
            times = f"{spent:.0f} s, {spent / step * (steps - step):.0f} s left"
            print(f"{name}: step {step}/{steps}, loss {value:.3f}, {times}", file=out, flush=True)

    return show


def _batches(lengths: NDArray[np.intp], settings: FitSettings) -> Any:
    """Endless batches of rows: shuffled, then sorted by length within pools, so that little is padding."""
    pool = settings.batch * 20
    while True:
        rows = np.random.permutation(len(lengths))
        batches = []
        for i in range(0, len(rows), pool):
            part = rows[i : i + pool]
            part = part[np.argsort(lengths[part], kind="stable")]
            batches += [part[k : k + settings.batch] for k in range(0, len(part), settings.batch)]
        random.shuffle(batches)
        yield from batches


def _tensors(inputs: Sequence[EncoderInput]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Pad inputs to ids, types, own and mask, each (n_inputs, n_tokens)."""
    width = max(len(x.ids) for x in inputs)
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
