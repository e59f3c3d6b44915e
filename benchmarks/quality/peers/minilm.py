"""MiniLM with a classification head, fine-tuned on the segment's own text: no context, no further data."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from benchmarks.quality.peers.peer import Values
from benchmarks.quality.splits import Rows
from gapnlp.records.labels import LABELS
from gapnlp.retraining.network import seed_everything
from training.bases import minilm_folder
from training.network import step_printer

# The rates are our own encoder recipe's, to be fair: BERT's 5e-5 is too slow for so small a model, and a new head that
# learns as slowly as the body stays near "no" on rare labels (one rate of 1e-4 gave a headline of .43, tuned).
EPOCHS, BATCH, RATE, HEAD_RATE, WARM_UP, DECAY, TOKENS, SEED = 5, 32, 1.5e-4, 1e-3, 0.1, 0.01, 128, 0


def score_minilm(train: Rows, texts: Sequence[str]) -> Values:
    """Fine-tune all weights with one binary cross-entropy a label; give sigmoids."""
    seed_everything(SEED)
    tokenizer, model = new_minilm()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device).train()
    truth = torch.from_numpy(train.targets[:, : len(LABELS)].astype(np.float32))
    steps = EPOCHS * math.ceil(len(train.texts) / BATCH)
    groups = [
        {"params": list(model.base_model.parameters()), "lr": RATE},
        {"params": list(model.classifier.parameters()), "lr": HEAD_RATE},
    ]
    optimiser = torch.optim.AdamW(groups, weight_decay=DECAY)
    rise = max(1, round(WARM_UP * steps))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / rise, (steps - step) / max(1, steps - rise))
    )
    show = step_printer("minilm", sys.stderr)
    for step, rows in enumerate(_batches(len(train.texts)), start=1):
        inputs = encode(tokenizer, [train.texts[i] for i in rows]).to(device)
        with torch.autocast(device.type, torch.bfloat16):  # half the time, as in our own training
            loss = model(**inputs, labels=truth[rows].to(device)).loss
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        show(step, steps, loss.item())
    return _predict(model.eval(), tokenizer, texts)


def new_minilm(folder: Path | None = None) -> tuple[Any, Any]:
    """Give the tokenizer and a BertForSequenceClassification with one output a label, its head not yet trained.

    Raises ModelError when the package with the encoder is not installed.
    """
    place = str(folder or minilm_folder())
    model = AutoModelForSequenceClassification.from_pretrained(
        place, num_labels=len(LABELS), problem_type="multi_label_classification", dtype=torch.float32
    )
    return AutoTokenizer.from_pretrained(place), model


def encode(tokenizer: Any, texts: Sequence[str]) -> Any:
    """Token ids and masks of a batch, padded to its longest text, at most TOKENS long."""
    return tokenizer(list(texts), padding=True, truncation=True, max_length=TOKENS, return_tensors="pt")


def _batches(rows: int) -> Iterator[Tensor]:
    for _ in range(EPOCHS):
        order = torch.randperm(rows)
        yield from (order[i : i + BATCH] for i in range(0, rows, BATCH))


def _predict(model: Any, tokenizer: Any, texts: Sequence[str]) -> Values:
    values = np.zeros((len(texts), len(LABELS)))
    order = np.argsort([len(t) for t in texts], kind="stable")
    with torch.inference_mode():
        for i in range(0, len(order), BATCH):
            rows = order[i : i + BATCH]
            inputs = encode(tokenizer, [texts[k] for k in rows]).to(model.device)
            values[rows] = model(**inputs).logits.sigmoid().cpu().numpy()
    return values
