"""SetFit (Tunstall et al. 2022) on MiniLM, with the pairs of its paper and two kinds of head.

Pairs are drawn as the library does it, 20 positive and 20 negative ones a text, cut at 250 steps of 16 pairs. A pair is
positive when both texts have all the same labels: with several labels a text the library would call texts alike that
share any, so that every complaint equals every other. Both heads are logistic regressions, one a label, on the same
embeddings: the library's default, and one that weighs classes by their rarity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from benchmarks.quality.peers.peer import Values
from benchmarks.quality.splits import Rows
from gapnlp.records.labels import LABELS
from gapnlp.retraining.network import seed_everything
from training.bases import minilm_folder

# The paper's pairs a text; the library's rate (2e-5) and batches. Texts are cut at 128 tokens.
ITERATIONS, BATCH, MOST_STEPS, TOKENS, SEED = 20, 16, 250, 128, 42
# Products are in 16 bits (weights and sums stay in 32): a third of the time on processors that have them. Without the
# cache of rounded weights, which would keep the first ones for as long as the context lasts, that is, for all steps.
HALF_PRECISION = torch.bfloat16
HEADS: Mapping[str, str | None] = {"setfit": None, "setfit, balanced": "balanced"}


def score_setfit(train: Rows, texts: Sequence[str]) -> Mapping[str, Values]:
    """Tune the encoder once and fit both heads; give each one's probabilities by its name in HEADS."""
    seed_everything(SEED)
    body = _tuned_body(train)
    seen, new = _encode(body, train.texts), _encode(body, texts)
    targets = train.targets[:, : len(LABELS)]
    return {name: _head(seen, targets, new, class_weight=weight) for name, weight in HEADS.items()}


def steps(rows: int) -> int:
    """Count the contrastive steps taken for so many training rows."""
    return min(MOST_STEPS, rows * ITERATIONS * 2 // BATCH)


def _tuned_body(train: Rows) -> Any:
    setfit = import_module("setfit")
    model = setfit.SetFitModel.from_pretrained(str(minilm_folder()))
    model.model_body.max_seq_length = TOKENS
    classes = np.unique(train.targets, axis=0, return_inverse=True)[1].ravel()
    with TemporaryDirectory() as folder:
        settings = setfit.TrainingArguments(
            output_dir=folder,
            batch_size=BATCH,
            num_iterations=ITERATIONS,
            max_steps=steps(len(train.texts)),
            seed=SEED,
            save_strategy="no",
            report_to="none",
            show_progress_bar=False,
        )
        trainer = setfit.Trainer(model=model, args=settings)
        with torch.autocast("cpu", dtype=HALF_PRECISION, cache_enabled=False):
            trainer.train_embeddings(list(train.texts), classes.tolist(), args=settings)
    return model.model_body


def _encode(body: Any, texts: Sequence[str]) -> NDArray[np.float32]:
    with torch.autocast("cpu", dtype=HALF_PRECISION, cache_enabled=False):
        found = body.encode(list(texts), batch_size=BATCH, show_progress_bar=False, convert_to_tensor=True)
    return np.asarray(found.float().numpy(), dtype=np.float32)


def _head(
    seen: NDArray[np.float32], targets: NDArray[np.int8], new: NDArray[np.float32], *, class_weight: str | None
) -> Values:
    """One logistic regression a label; what train always or never holds is answered so."""
    values = np.zeros((len(new), targets.shape[1]))
    for j, target in enumerate(targets.T):
        if 0 < target.sum() < len(target):
            model = LogisticRegression(class_weight=class_weight, max_iter=1000).fit(seen, target)
            values[:, j] = model.predict_proba(new)[:, 1]
        else:
            values[:, j] = target[0]
    return values
