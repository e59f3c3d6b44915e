"""What fine-tuning makes small: how unlikely the tickets' labels are, and how far answers have moved from the base's.

A ticket has a label when any segment has it (noisy-or, Pearl 1988), so labels of whole tickets teach segments. Its
sentiment is the mean of its segments'. Only labels that were given count; each is taken on its own (a composite
likelihood). Where none was given, and on replayed texts, the network is held to what it said before (distillation,
Hinton et al. 2015).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid, softplus

from gapnlp.classifier.linear import POLARITY_SLICES, SENTIMENT_SLICE
from gapnlp.records.labels import LABELS
from gapnlp.retraining.network import SINGLE_COLUMNS

# Probabilities are kept this far from 0 and 1, so that no logarithm is endless.
_EDGE = 1e-6
_YES_NO = [*range(POLARITY_SLICES[-1].stop), *SINGLE_COLUMNS]


def membership(lengths: Tensor) -> Tensor:
    """Say which segments are whose: 1 where the segment lies in the bag, (n_bags, n_segments)."""
    owner = torch.repeat_interleave(torch.arange(len(lengths)), lengths)
    return (owner[None, :] == torch.arange(len(lengths))[:, None]).float()


def bag_loss(logits: Tensor, lengths: Tensor, targets: Tensor) -> Tensor:
    """Mean over bags of minus the log-likelihood of the labels given.

    logits: (n_segments, n_heads). lengths: segments a bag, (n_bags,). targets: 1, 0 or -1 for not given,
    (n_bags, n_heads).
    """
    members = membership(lengths)
    none = members @ _log_without(logits)
    some = torch.log(-torch.expm1(none.clamp(max=-_EDGE)))
    given = _telling(targets)[:, _YES_NO]
    total = -(some[:, _YES_NO] * (given == 1)).sum(dim=1) - (none[:, _YES_NO] * (given == 0)).sum(dim=1)
    return (total + _sentiment_loss(logits, members, targets[:, SENTIMENT_SLICE])).mean()


def distillation(logits: Tensor, base: Tensor, free: Tensor) -> Tensor:
    """Mean over segments of how far answers are from the base's, summed over the heads that are free.

    logits, base: log-odds, (n_segments, n_heads). free: 1 where a head is to stay with the base, (n_segments, n_heads).
    """
    yes_no = binary_cross_entropy_with_logits(
        logits[:, SINGLE_COLUMNS], torch.sigmoid(base[:, SINGLE_COLUMNS]), reduction="none"
    )
    total = (yes_no * free[:, SINGLE_COLUMNS]).sum(dim=1)
    for i, columns in enumerate(POLARITY_SLICES):
        presence = torch.sigmoid(base[:, len(LABELS) + i])
        total = total + _divergence(logits[:, columns], base[:, columns]) * presence * free[:, columns.start]
    drift = _divergence(logits[:, SENTIMENT_SLICE], base[:, SENTIMENT_SLICE])
    return (total + drift * free[:, SENTIMENT_SLICE.start]).mean()


def free_heads(targets: Tensor) -> Tensor:
    """Say which heads a bag's labels leave open: 1 where neither it nor one that competes with it is given.

    A polarity tells the presence of its dimension too; a presence leaves the polarity open.
    """
    open_ = targets == -1
    free = open_.clone()
    for i, columns in enumerate(POLARITY_SLICES):
        group = open_[:, columns].all(dim=1)
        free[:, columns] = group[:, None]
        free[:, len(LABELS) + i] &= group
    free[:, SENTIMENT_SLICE] = open_[:, SENTIMENT_SLICE].all(dim=1)[:, None]
    return free.float()


def _telling(targets: Tensor) -> Tensor:
    """Leave out what follows from another label: presence from a polarity said, no polarity from presence denied."""
    told = targets.clone()
    for i, columns in enumerate(POLARITY_SLICES):
        presence = len(LABELS) + i
        told[(targets[:, columns] == 1).any(dim=1), presence] = -1
        told[targets[:, presence] == 0, columns] = -1
    return told


def _log_without(logits: Tensor) -> Tensor:
    """Log-probability that a segment does not have each label; the sentiments' columns mean nothing."""
    parts = [-softplus(logits)]
    for i, columns in enumerate(POLARITY_SLICES):
        judged = logsigmoid(logits[:, [len(LABELS) + i]])
        probability = torch.exp(judged + torch.log_softmax(logits[:, columns], dim=1))
        parts.append(torch.log1p(-probability.clamp(max=1 - _EDGE)))
    return torch.cat([*parts[1:], parts[0][:, POLARITY_SLICES[-1].stop :]], dim=1)


def _sentiment_loss(logits: Tensor, members: Tensor, targets: Tensor) -> Tensor:
    """Minus the log-probability of the sentiments said, or else of none of those denied, (n_bags,)."""
    shares = torch.softmax(logits[:, SENTIMENT_SLICE], dim=1)
    mean = (members @ shares) / members.sum(dim=1, keepdim=True)
    said = (mean * (targets == 1)).sum(dim=1).clamp(min=_EDGE)
    denied = (torch.log((1 - mean).clamp(min=_EDGE)) * (targets == 0)).sum(dim=1)
    return -torch.where((targets == 1).any(dim=1), torch.log(said), denied)


def _divergence(logits: Tensor, base: Tensor) -> Tensor:
    """Cross-entropy between competing answers, (n_segments,)."""
    return -(torch.softmax(base, dim=1) * torch.log_softmax(logits, dim=1)).sum(dim=1)
