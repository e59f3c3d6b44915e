"""Fitting the encoder network (`gapnlp.retraining.network`) to segments of which every label is known."""

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
from gapnlp.classifier.linear import POLARITY_SLICES, SENTIMENT_SLICE
from gapnlp.records.labels import LABELS
from gapnlp.retraining.network import SINGLE_COLUMNS, Network, padded, seed_everything

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


def loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Sum over tasks: yes/no heads, sentiment, and polarity on the segments that judge a dimension.

    targets: columns as FIRST_HEADS, 0 or 1.
    """
    single = binary_cross_entropy_with_logits(
        logits[:, SINGLE_COLUMNS], targets[:, SINGLE_COLUMNS].float(), reduction="none"
    )
    result = single.sum(dim=1).mean()
    result = result + cross_entropy(logits[:, SENTIMENT_SLICE], targets[:, SENTIMENT_SLICE].argmax(dim=1))
    for i, columns in enumerate(POLARITY_SLICES):
        judged = targets[:, len(LABELS) + i] == 1
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
            logits, _ = network(*padded([inputs[i] for i in rows]))
        value = loss(logits.float(), truth[rows])
        optimiser.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if on_step:
            on_step(step + 1, steps, value.item())
    network.eval()


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
