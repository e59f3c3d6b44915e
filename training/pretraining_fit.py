"""Teach a body a language: masked-language modelling and, at the same time, the sentiment of labelled texts.

Masking after Devlin et al. 2019 (BERT): 15 % of the tokens, of which 80 % are hidden and 10 % replaced by others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from training.network import OnStep
from training.public_texts import CLASSES
from training.vocabulary import MASK, PAD, SEPARATOR, SPECIAL, START

# What cross entropy leaves out.
UNLABELLED = -100
# Batches are sorted by length within pools of this many, so that little is padding.
_POOL = 30
_MASKED, _HIDDEN, _REPLACED = 0.15, 0.8, 0.1


@dataclass(frozen=True, slots=True)
class PretrainingSettings:
    """How a body is pretrained. rate: highest learning rate; warm_up: share of the steps in which it rises."""

    epochs: float = 1.0
    batch: int = 48
    rate: float = 3e-4
    seed: int = 0
    warm_up: float = 0.06
    decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.98)


@dataclass(frozen=True, slots=True)
class Rows:
    """Texts as token ids without special tokens, and their sentiments: places in CLASSES, or UNLABELLED."""

    ids: Sequence[Sequence[int]]
    sentiments: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Draws:
    """Sources of chance for the order of texts; masks and dropout draw from torch's own."""

    rows: np.random.RandomState
    batches: Random


@dataclass(frozen=True, slots=True)
class Losses:
    """Mean of the last hundred steps, in nats: of a masked token, of a labelled text's sentiment."""

    masked: float
    sentiment: float


class PretrainingNetwork(nn.Module):
    """A body from `transformers` with heads that only pretraining needs."""

    def __init__(self, body: nn.Module) -> None:
        """body: a BERT whose word embeddings also serve to name masked tokens."""
        super().__init__()
        config: Any = body.config
        size = config.hidden_size
        self.body: Any = body
        self.transform = nn.Sequential(nn.Linear(size, size), nn.GELU(), nn.LayerNorm(size))
        self.sentiment = nn.Linear(size, len(CLASSES))
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(self, ids: Tensor, seen: Tensor, masked: Tensor) -> tuple[Tensor, Tensor]:
        """Give log-odds of the masked tokens, (n_masked, n_vocabulary), and of sentiments, (n_rows, n_classes).

        ids: the true tokens; seen: what the body reads in their place; masked: which must be named; each
        (n_rows, n_tokens).
        """
        hidden = self.body(input_ids=seen, attention_mask=(ids != PAD).long()).last_hidden_state
        words = self.body.get_input_embeddings().weight
        own = _own(ids)
        pooled = (hidden * own[..., None]).sum(1) / own.sum(1, keepdim=True).clamp(min=1)
        return self.transform(hidden[masked]) @ words.T + self.bias, self.sentiment(pooled)


def fit_body(
    network: PretrainingNetwork,
    rows: Rows,
    settings: PretrainingSettings,
    *,
    draws: Draws,
    on_step: OnStep | None = None,
) -> Losses:
    """Train in place on texts of two tokens or more. Same inputs, machine, number of threads, seeds: same weights.

    The caller seeds torch; settings.seed is for the record.
    """
    batches = _batches(rows, settings.batch, draws)
    steps = count_steps(rows, settings)
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=settings.rate, weight_decay=settings.decay, betas=settings.betas
    )
    rise = settings.warm_up * steps
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / rise) * max(0.02, 1 - step / steps)
    )
    network.train()
    recent: deque[tuple[float, float]] = deque(maxlen=100)
    for step in range(steps):
        chosen = next(batches)
        value, sentiment = _losses(network, _pad([rows.ids[i] for i in chosen]), rows.sentiments[chosen])
        total = value + sentiment
        optimiser.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        recent.append((value.item(), sentiment.item()))
        if on_step:
            on_step(step + 1, steps, total.item())
    network.eval()
    return Losses(*np.mean(recent, axis=0).tolist())


def count_steps(rows: Rows, settings: PretrainingSettings) -> int:
    """How many batches a fit takes."""
    return max(1, int(settings.epochs * len(_usable(rows)) / settings.batch))


def mask_tokens(ids: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Choose the tokens to be named, and what the body sees instead of them.

    ids: (n_rows, n_tokens), padded. size: of the vocabulary. Returns what is seen, and which tokens were chosen.
    """
    masked = (torch.rand(ids.shape) < _MASKED) & _own(ids)
    seen, chance = ids.clone(), torch.rand(ids.shape)
    seen[masked & (chance < _HIDDEN)] = MASK
    replaced = masked & (chance > 1 - _REPLACED)
    seen[replaced] = torch.randint(len(SPECIAL), size, (int(replaced.sum()),))
    return seen, masked


def _losses(network: PretrainingNetwork, ids: Tensor, sentiments: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    seen, masked = mask_tokens(ids, len(network.bias))
    with torch.autocast("cpu", torch.bfloat16):
        named, judged = network(ids, seen, masked)
    truth = torch.from_numpy(sentiments)
    nothing = torch.zeros(())
    return (
        cross_entropy(named.float(), ids[masked]) if masked.any() else nothing,
        cross_entropy(judged.float(), truth, ignore_index=UNLABELLED) if (truth >= 0).any() else nothing,
    )


def _own(ids: Tensor) -> Tensor:
    """Which tokens are the text's own."""
    return (ids != PAD) & (ids != START) & (ids != SEPARATOR)


def _pad(texts: Sequence[Sequence[int]]) -> Tensor:
    """Ids with special tokens, (n_texts, n_tokens)."""
    ids = torch.full((len(texts), max(map(len, texts)) + 2), PAD, dtype=torch.long)
    for row, text in enumerate(texts):
        ids[row, : len(text) + 2] = torch.tensor([START, *text, SEPARATOR])
    return ids


def _usable(rows: Rows) -> NDArray[np.intp]:
    return np.asarray([i for i, ids in enumerate(rows.ids) if len(ids) > 1], dtype=np.intp)


def _batches(rows: Rows, size: int, draws: Draws) -> Iterator[NDArray[np.intp]]:
    """Endless batches of rows: shuffled, sorted by length within pools, and each pool's batches shuffled again."""
    usable = _usable(rows)
    lengths = np.asarray([len(ids) for ids in rows.ids])
    while True:
        order = draws.rows.permutation(usable)
        for i in range(0, len(order), size * _POOL):
            pool = order[i : i + size * _POOL]
            pool = pool[np.argsort(lengths[pool], kind="stable")]
            batches = [pool[k : k + size] for k in range(0, len(pool), size)]
            draws.batches.shuffle(batches)
            yield from batches
