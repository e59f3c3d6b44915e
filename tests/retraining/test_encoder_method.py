"""Fine-tuning as a part of training: bags in, signals of an adapter out."""

from __future__ import annotations

import numpy as np
import pytest

from gapnlp.classifier.encoder import Encoder
from gapnlp.classifier.encoder_signals import ENCODER_SIGNALS, EncoderSignals
from gapnlp.errors import MissingExtra
from gapnlp.records.labels import HEADS
from gapnlp.retraining import method
from gapnlp.retraining.training.bags import Bags
from gapnlp.retraining.training.encoder_method import _folds, fine_tune_on, signal_files

pytest.importorskip("torch")
pytest.importorskip("onnx")

from tests.retraining.encoder_samples import small_tickets, write_encoder_bundle  # noqa: E402


def small_bags() -> Bags:
    data = small_tickets(12)
    return Bags(tuple(map(tuple, data.documents)), data.targets, np.arange(12, dtype=np.intp) // 2)


def test_bags_become_signals_that_an_adapter_takes(tmp_path):
    base, bags = write_encoder_bundle(tmp_path / "models"), small_bags()
    tuned = fine_tune_on(bags, base, 0, work=tmp_path / "work", on_progress=lambda *_: None)
    files = signal_files(tuned)
    signals = EncoderSignals(Encoder(files["encoder.onnx"], files["tokenizer.json"]))
    assert tuned.cross_fitted.shape == signals.logits(bags.documents).shape == (18, len(ENCODER_SIGNALS))
    assert len(set(ENCODER_SIGNALS)) == len(HEADS)


def test_bags_of_one_ticket_are_answered_by_one_network():
    groups = np.asarray([0, 0, 1, 2, 2, 3])
    for seed in range(5):
        folds = _folds(groups, seed)
        assert len(set(folds.tolist())) == 2
        assert folds[0] == folds[1]
        assert folds[3] == folds[4]


def test_without_the_extra_the_install_is_named(tmp_path, monkeypatch):
    base = write_encoder_bundle(tmp_path / "models")
    monkeypatch.setattr(method, "_NEEDED", ("no_such_package",))
    with pytest.raises(MissingExtra, match="fine-tuning the encoder needs no_such_package"):
        fine_tune_on(small_bags(), base, 0, work=tmp_path, on_progress=lambda *_: None)
