"""An encoder of the adapter's own as a part of training it: fine-tuned on the tickets, or taken over from before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gapnlp.classifier.bundle import BundleInfo, read_verified
from gapnlp.classifier.encoder_signals import ENCODER_FILES, EncoderSignals
from gapnlp.retraining.finetune_data import FineTuned, FineTuneData, FineTuneSettings
from gapnlp.retraining.method import fine_tuning_passes, require_training_extra
from gapnlp.retraining.training.bags import Bags
from gapnlp.retraining.training.fitting import OnProgress
from gapnlp.retraining.training.replay import replay_documents

# Each costs a fine-tuning.
_FOLDS = 2


@dataclass(frozen=True, slots=True)
class OwnEncoder:
    """An encoder that an adapter carries.

    reader: reads with it. files: of the bundle. logits: what is said of the tickets' segments by an encoder that had
    not seen them, (n_segments, n_heads); replay: what `reader` says of replayed ones. said: how it came about.
    """

    reader: EncoderSignals
    files: Mapping[str, bytes]
    logits: NDArray[np.float64]
    replay: NDArray[np.float64]
    said: str


def make_own_encoder(bags: Bags, start: BundleInfo, seed: int, *, work: Path, on_progress: OnProgress) -> OwnEncoder:
    """Fine-tune a bundle's encoder for an adapter; see `fine_tune_on`."""
    tuned = fine_tune_on(bags, start, seed, work=work, on_progress=on_progress)
    files = signal_files(tuned)
    reader = EncoderSignals.read(files)
    # By the rule of early stopping, 0 passes leave the encoder as it was.
    said = f"fine-tuned from the encoder of {start.version}, {tuned.epochs} passes over the tickets"
    replay = reader.logits(replay_documents(start.language, seed))
    return OwnEncoder(reader, files, tuned.cross_fitted, replay, said)


def carry_encoder(bags: Bags, info: BundleInfo, seed: int) -> OwnEncoder:
    """Take over the encoder of an adapter, which has not seen these tickets. Raises ModelError for changed files."""
    contents = read_verified(info)
    files = {name: contents[name] for name in ENCODER_FILES}
    reader = EncoderSignals.read(files)
    said = f"taken over from {info.version} as it is"
    replay = reader.logits(replay_documents(info.language, seed))
    return OwnEncoder(reader, files, reader.logits(bags.documents), replay, said)


def fine_tune_on(bags: Bags, base: BundleInfo, seed: int, *, work: Path, on_progress: OnProgress) -> FineTuned:
    """Fine-tune a bundle's encoder on bags; `cross_fitted` goes to `fit_adapter` as `extra`.

    Raises MissingExtra without the extra `train`, InputError when the bundle has no encoder.
    """
    require_training_extra("fine-tuning the encoder")
    from gapnlp.retraining.finetuning import finetune

    data = FineTuneData(
        bags.documents, bags.lengths, bags.truth, _folds(bags.groups, seed), replay_documents(base.language, seed)
    )
    passes = max(1, fine_tuning_passes(float(bags.lengths.mean())))
    settings = FineTuneSettings(epochs=passes, seed=seed)
    return finetune(data, base, settings, work=work, on_progress=on_progress)


def signal_files(tuned: FineTuned) -> dict[str, bytes]:
    """Name the files that an adapter with an encoder of its own carries beside its others."""
    return dict(zip(ENCODER_FILES, (tuned.onnx, tuned.tokenizer), strict=True))


def _folds(groups: NDArray[np.intp], seed: int) -> NDArray[np.intp]:
    """Deal tickets to folds at random; what is of one ticket stays together."""
    dealt: NDArray[np.intp] = np.random.default_rng(seed).permutation(int(groups.max()) + 1) % _FOLDS
    return dealt[groups]
