"""Training with an encoder of the adapter's own: chosen by rule, deterministic, resumable, kept only where it helps."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

from gapnlp.classifier.adapted import AdaptedClassifier
from gapnlp.classifier.bundle import BundleInfo, choose_adapter, read_manifest
from gapnlp.classifier.encoder_signals import ENCODER_FILES, ENCODER_SIGNALS
from gapnlp.errors import InputError, MissingExtra, ModelError
from gapnlp.retraining import method
from gapnlp.retraining.registry import candidates
from gapnlp.retraining.training import evidence, replay, teaching
from gapnlp.retraining.training.plan import TrainOptions
from gapnlp.retraining.training.run import Trained, train
from gapnlp.retraining.written import RegressionScore
from gapnlp.scoring.loading import load
from tests.retraining.encoder_samples import add_encoder
from tests.retraining.training_samples import tickets

ROWS = 40
BALANCED = TrainOptions(quality="balanced", method="encoder", force=True)
TEXT = "My clock is zonked."


class Killed(Exception):
    """Stands for whatever ends a run in the middle."""


@pytest.fixture(scope="module", autouse=True)
def steady() -> Iterator[pytest.MonkeyPatch]:
    """Speed is chance here; and an encoder that knows none of the words helps nobody, so it is kept all the same.

    Little is replayed and nothing measured elsewhere, which is tested without an encoder and takes most of the time.
    """
    score = RegressionScore("en", "any", 1, 1, 0.5, {})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replay, "_MOST_ITEMS", 12)
        patch.setattr(evidence, "measure_regression", lambda *_: score)
        patch.setattr(evidence, "measure_speeds", lambda *_: (1000.0, 900.0))
        patch.setattr(teaching, "LEAST_GAIN", -10.0)
        yield patch


@pytest.fixture(scope="module")
def untouched(tiny_models, tmp_path_factory) -> Path:
    folder = Path(shutil.copytree(tiny_models, tmp_path_factory.mktemp("own-encoder") / "models"))
    add_encoder(folder)
    return folder


@pytest.fixture
def models(untouched, tmp_path) -> Path:
    return Path(shutil.copytree(untouched, tmp_path / "models"))


@pytest.fixture(scope="module")
def first(untouched, tmp_path_factory) -> tuple[Path, Trained]:
    """A folder in which a fine-tuned encoder serves; copy it before changing it."""
    folder = Path(shutil.copytree(untouched, tmp_path_factory.mktemp("first-encoder") / "models"))
    (trained,) = train(tickets(ROWS, several=True), BALANCED, folder)
    return folder, trained


@pytest.fixture
def promoted(first, tmp_path) -> Path:
    return Path(shutil.copytree(first[0], tmp_path / "promoted"))


def served(models: Path) -> BundleInfo:
    info = choose_adapter(read_manifest(models), "en")
    assert info is not None
    return info


def card_of(info: BundleInfo) -> dict:
    return json.loads((info.folder / "card.json").read_text(encoding="utf-8"))


def latest(models: Path) -> dict:
    return card_of(candidates(models)[0].info)


def test_the_bundle_holds_its_encoder_and_scores_with_it(first):
    models, trained = first
    assert trained.promoted
    assert "the whole encoder and heads on it, as was asked; for the first time" in trained.why
    card = card_of(served(models))
    assert (card["method"], tuple(card["further"])) == ("encoder", ENCODER_SIGNALS)
    assert "fine-tuned from the encoder of encoder-en-1.0.0" in card["encoder"]
    for quality in ("fast", "balanced", "accurate"):
        classifier = load(models, quality=quality).classifier("en")
        assert isinstance(classifier, AdaptedClassifier)
        found = classifier.predict([(TEXT,), (TEXT, "another one")])
        assert found.values.shape == (3, 28)
        assert load(models, quality=quality, threads=2).classifier("en").reader.encoder.threads == 2
        # It reads the neighbours as well.
        assert not np.array_equal(found.values[0], found.values[1])
        assert classifier.version.startswith(f"{trained.version}@")


def test_the_encoder_that_was_fine_tuned_is_the_one_that_is_read(first, untouched):
    before = (untouched / "encoder-en" / "encoder.onnx").read_bytes()
    files = {name: (served(first[0]).folder / name).read_bytes() for name in ENCODER_FILES}
    assert files["encoder.onnx"] != before
    classifier = load(first[0], quality="fast").classifier("en")
    base = load(first[0], quality="fast", adapters=False).classifier("en")
    silent = SimpleNamespace(names=ENCODER_SIGNALS, logits=lambda d: np.zeros((sum(map(len, d)), len(ENCODER_SIGNALS))))
    without = replace(classifier, reader=silent)
    assert not np.array_equal(classifier.predict([(TEXT,)]).values, without.predict([(TEXT,)]).values)
    kept = [j for j in range(28) if not classifier.adapter.learnt[j]]
    expected = base.predict([(TEXT,)]).values[:, kept]
    untouched_heads = [n for n, j in enumerate(kept) if j > 15]  # dimensions also follow their presence
    found = classifier.predict([(TEXT,)]).values[:, kept]
    assert np.array_equal(found[:, untouched_heads], expected[:, untouched_heads])


def test_the_same_tickets_make_the_same_bundle(models, first):
    (again,) = train(tickets(ROWS, several=True), BALANCED, models)
    assert again.version == first[1].version


@pytest.mark.parametrize(("share", "folds"), [(0.3, 1), (0.99, 2)])
def test_a_run_that_was_killed_while_fine_tuning_goes_on(models, first, share, folds):
    def kill(stage: str, step: int, total: int) -> None:
        if stage == "fine-tuning the encoder" and step >= share * total:
            raise Killed

    with pytest.raises(Killed):
        train(tickets(ROWS, several=True), BALANCED, models, kill)
    assert len(list((models / "work").rglob("fold-*.safetensors"))) == folds
    (again,) = train(tickets(ROWS, several=True), BALANCED, models)
    assert again.version == first[1].version
    assert not list((models / "work").iterdir())


def test_a_run_that_ended_already_is_not_done_again(promoted, first):
    asked = []
    (again,) = train(tickets(ROWS, several=True), BALANCED, promoted, lambda *told: asked.append(told))
    assert asked == []
    assert again.version == first[1].version


def test_the_rule_chooses_and_says_why(models, monkeypatch):
    asked = replace(BALANCED, method="auto", force=False, promotes=False)
    (found,) = train(tickets(ROWS), asked, models)
    assert "40 labelled rows are fewer than the 1,000" in found.why
    monkeypatch.setattr(method, "ENOUGH_ROWS", 30)
    (found,) = train(tickets(ROWS), asked, models)
    assert "the whole encoder and heads on it: 40 labelled rows" in found.why
    assert latest(models)["method"] == "encoder"
    (found,) = train(tickets(ROWS), replace(asked, quality="fast"), models)
    assert "--quality fast about 16 times slower" in found.why
    assert latest(models)["method"] == "heads"


def test_without_the_extra_auto_learns_heads_and_says_why(models, monkeypatch):
    monkeypatch.setattr(method, "ENOUGH_ROWS", 30)
    monkeypatch.setattr(method, "_NEEDED", ("no_such_package",))
    (found,) = train(tickets(ROWS), replace(BALANCED, method="auto"), models)
    assert "needs: pip install 'gapnlp[train]'" in found.why
    assert latest(models)["method"] == "heads"


def test_without_the_extra_an_encoder_is_refused_before_anything_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr(method, "_NEEDED", ("no_such_package",))
    with pytest.raises(MissingExtra, match=r"--method encoder needs no_such_package; run: pip install"):
        train(tickets(ROWS), BALANCED, tmp_path / "models")
    assert not (tmp_path / "models").exists()


def test_what_the_gate_would_refuse_is_refused_at_once(tmp_path, tiny_models):
    with pytest.raises(InputError, match="16 times slower.*--quality balanced"):
        train(tickets(ROWS), replace(BALANCED, quality="fast"), tmp_path / "models")
    assert not (tmp_path / "models").exists()
    alone = Path(shutil.copytree(tiny_models, tmp_path / "alone"))
    with pytest.raises(InputError, match="no bundle of the models folder has an encoder"):
        train(tickets(ROWS), BALANCED, alone)


def test_heads_go_on_from_an_adapter_with_its_encoder_as_it_is(promoted, first):
    (again,) = train(tickets(30, start=300), replace(BALANCED, method="heads"), promoted)
    assert "going on from the current adapter" in again.why
    assert "stays as it is" in again.why
    card = latest(promoted)
    assert (card["method"], card["prior"], tuple(card["further"])) == ("heads", first[1].version, ENCODER_SIGNALS)
    assert card["encoder"] == f"taken over from {first[1].version} as it is"
    for name in ENCODER_FILES:
        assert (served(promoted).folder / name).read_bytes() == (served(first[0]).folder / name).read_bytes()


def test_fine_tuning_goes_on_from_the_adapters_own_encoder(promoted, first):
    train(tickets(30, start=300), BALANCED, promoted)
    assert f"fine-tuned from the encoder of {first[1].version}" in latest(promoted)["encoder"]


def test_fine_tuning_goes_on_from_heads_alone(models):
    (heads,) = train(tickets(ROWS), replace(BALANCED, method="heads"), models)
    before = load(models, quality="balanced").classifier("en").adapter
    (again,) = train(tickets(30, start=300), BALANCED, models)
    card = latest(models)
    assert (card["method"], card["prior"]) == ("encoder", heads.version)
    after = load(models, quality="balanced").classifier("en").adapter
    assert np.array_equal(after.centre[: len(before.centre)], before.centre)
    assert after.learnt[before.learnt].all()
    assert again.promoted


def test_anew_there_is_no_encoder_left(promoted):
    train(tickets(30, start=300), replace(BALANCED, method="heads", fresh=True), promoted)
    assert latest(promoted)["encoder"] is None
    assert not set(ENCODER_FILES) & set(served(promoted).files)


def test_an_encoder_that_does_not_help_is_left_out(models, monkeypatch):
    monkeypatch.setattr(teaching, "LEAST_GAIN", 0.9)
    (found,) = train(tickets(ROWS), BALANCED, models)
    assert "heads alone are kept, as it is worth less than the time it takes" in found.why
    card = latest(models)
    assert (card["method"], card["tried"], card["further"]) == ("heads", "encoder", [])
    assert not set(ENCODER_FILES) & set(served(models).files)
    (again,) = train(tickets(ROWS), BALANCED, models, lambda *_: pytest.fail("done again"))
    assert again.version == found.version


def test_a_spoilt_encoder_is_refused(promoted):
    path = served(promoted).folder / "encoder.onnx"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(bytes(content))
    with pytest.raises(ModelError, match="was changed after the bundle was built"):
        load(promoted, quality="fast").classifier("en")


def test_the_card_tells_of_the_encoder(first):
    page = (served(first[0]).folder / "CARD.md").read_text(encoding="utf-8")
    assert "Its encoder, fine-tuned from the encoder of encoder-en-1.0.0" in page
    assert "may hold traces of the tickets" in page


def test_the_gate_asks_a_quarter_of_the_speed_of_a_new_encoder_alone(first):
    assert first[1].verdict["margins"]["speed"] == 0.25
    current = load(first[0], quality="balanced").classifier("en")
    assert evidence.reads_further(current)
    assert not evidence.reads_further(current.base)
