"""SetFit (Tunstall et al. 2022) on MiniLM: contrastive tuning of the sentence encoder, then logistic regression."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib import import_module
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.quality.peers.peer import Values
from benchmarks.quality.splits import Rows
from gapnlp.records.labels import LABELS
from training.bases import minilm_folder

# The library's defaults (rate 2e-5, batches of 16), but a fixed number of steps: all pairs of 7,000 segments are 28
# million, which the method, made for a handful of examples, was not meant for.
_BATCH, _STEPS, _SEED = 16, 400, 42


def score_setfit(train: Rows, texts: Sequence[str]) -> Values:
    """Pairs that share a label are drawn together; the head is one-vs-rest on all segments of train."""
    setfit, datasets = import_module("setfit"), import_module("datasets")
    targets = train.targets[:, : len(LABELS)]
    data = datasets.Dataset.from_dict({"text": train.texts, "label": targets.tolist()})
    with TemporaryDirectory() as folder:
        model = setfit.SetFitModel.from_pretrained(str(minilm_folder()), multi_target_strategy="one-vs-rest")
        settings = setfit.TrainingArguments(
            output_dir=folder,
            batch_size=_BATCH,
            max_steps=_STEPS,
            seed=_SEED,
            save_strategy="no",
            report_to="none",
        )
        trainer = setfit.Trainer(model=model, args=settings, train_dataset=data)
        with warnings.catch_warnings():  # a label without any example in a small trial: the head answers "no" there
            warnings.filterwarnings("ignore", message="Label not .* is present in all training examples")
            trainer.train()
        return _as_values(model.predict_proba(list(texts), as_numpy=True))


def _as_values(found: Any) -> Values:
    return np.asarray(found, dtype=np.float64)
