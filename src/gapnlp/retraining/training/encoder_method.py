"""Fine-tuning the encoder as a part of training an adapter: from bags to signals and the files that give them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gapnlp.classifier.bundle import BundleInfo
from gapnlp.retraining.finetune_data import FineTuned, FineTuneData, FineTuneSettings
from gapnlp.retraining.method import require_training_extra
from gapnlp.retraining.training.bags import Bags
from gapnlp.retraining.training.fitting import OnProgress
from gapnlp.retraining.training.replay import replay_documents

# Each costs a fine-tuning.
_FOLDS = 2


def fine_tune_on(bags: Bags, base: BundleInfo, seed: int, *, work: Path, on_progress: OnProgress) -> FineTuned:
    """Fine-tune a bundle's encoder on bags; `cross_fitted` goes to `fit_adapter` as `extra`.

    Raises MissingExtra without the extra `train`, InputError when the bundle has no encoder.
    """
    require_training_extra("fine-tuning the encoder")
    from gapnlp.retraining.finetuning import finetune

    data = FineTuneData(
        bags.documents, bags.lengths, bags.truth, _folds(bags.groups, seed), replay_documents(base.language, seed)
    )
    return finetune(data, base, FineTuneSettings(seed=seed), work=work, on_progress=on_progress)


def signal_files(tuned: FineTuned) -> dict[str, bytes]:
    """Name the files that an adapter with an encoder of its own carries beside its others."""
    return {"encoder.onnx": tuned.onnx, "tokenizer.json": tuned.tokenizer}


def _folds(groups: NDArray[np.intp], seed: int) -> NDArray[np.intp]:
    """Deal tickets to folds at random; what is of one ticket stays together."""
    dealt: NDArray[np.intp] = np.random.default_rng(seed).permutation(int(groups.max()) + 1) % _FOLDS
    return dealt[groups]
