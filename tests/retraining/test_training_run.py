"""Training to a bundle: deterministic, resumable, judged on unseen tickets, refused when spoilt."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gapnlp.classifier.bundle import choose_adapter, choose_bundle, read_manifest
from gapnlp.classifier.loaders import load_adapter, load_bundle
from gapnlp.errors import InputError, ModelError
from gapnlp.retraining.registry import candidates, rollback
from gapnlp.retraining.training import cross_fitting, evidence
from gapnlp.retraining.training.cross_fitting import FOLDS, GRID
from gapnlp.retraining.training.evidence import measure_speeds
from gapnlp.retraining.training.fit import fit_weights
from gapnlp.retraining.training.plan import TrainOptions
from gapnlp.retraining.training.run import Trained, part_teachable, train
from gapnlp.scoring.loading import load
from tests.retraining.training_samples import tickets

FAST = TrainOptions(quality="fast")
ROWS = 60
# Chunks of 32 documents: 60 tickets, and 300 replayed items.
READING_STEPS = 12


class Killed(Exception):
    """Stands for whatever ends a run in the middle."""


@pytest.fixture(scope="module", autouse=True)
def steady_speed():
    """Of a few short texts, the measured speed is chance; what the gate makes of speeds is tested with the gate."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evidence, "measure_speeds", lambda *_: (1000.0, 900.0))
        yield


@pytest.fixture(scope="module")
def untouched(tiny_models, tmp_path_factory) -> Path:
    return Path(shutil.copytree(tiny_models, tmp_path_factory.mktemp("own") / "models"))


@pytest.fixture
def models(untouched, tmp_path) -> Path:
    return Path(shutil.copytree(untouched, tmp_path / "models"))


@pytest.fixture(scope="module")
def first(untouched, tmp_path_factory) -> tuple[Path, Trained]:
    """A folder in which training has been promoted; copy it before changing it."""
    folder = Path(shutil.copytree(untouched, tmp_path_factory.mktemp("first") / "models"))
    (trained,) = train(tickets(ROWS, several=True), FAST, folder)
    return folder, trained


@pytest.fixture
def promoted(first, tmp_path) -> Path:
    return Path(shutil.copytree(first[0], tmp_path / "promoted"))


def digest(folder: Path) -> str:
    return candidates(folder)[0].info.version


def test_a_better_adapter_is_promoted_and_serves(first):
    models, trained = first
    assert trained.promoted, trained.verdict["reasons"]
    assert trained.version.startswith("adapter-en-1+")
    classifier = load(models, quality="fast").classifier("en")
    linear = choose_bundle(read_manifest(models), "en")
    assert classifier.version == f"{trained.version}@{linear.version}"
    (analysis,) = load(models, quality="fast").analyze(["My clock is zonked."], language="en", evidence=True)
    assert analysis.segments[0].labels.sentiment == "pos"
    assert analysis.model_version == classifier.version
    marked = [s for spans in analysis.segments[0].evidence.values() for s in spans]
    assert any("zonked" in analysis.feedback.text[s.start : s.end] for s in marked)


def test_without_adapters_the_base_speaks(first):
    classifier = load(first[0], quality="fast", adapters=False).classifier("en")
    assert classifier.version == choose_bundle(read_manifest(first[0]), "en").version


def test_other_languages_keep_their_classifier(first, untouched):
    for language in ("pl", "zh"):
        assert load(first[0], quality="fast").classifier(language).version == (
            load(untouched, quality="fast").classifier(language).version
        )


def test_rollback_gives_the_base_back(promoted):
    rollback(promoted)
    assert load(promoted, quality="fast").classifier("en").version.startswith("linear-en")


def test_the_loaded_adapter_says_what_the_fitted_one_said(first, untouched):
    from gapnlp.retraining.training.fitting import fit_adapter

    base = load_bundle(choose_bundle(read_manifest(untouched), "en"))
    fitted = fit_adapter(tickets(ROWS, several=True), "en", base)
    info = choose_adapter(read_manifest(first[0]), "en")
    loaded = load_adapter(info, base).adapter
    for name in ("learnt", "signals", "ngrams", "bias", "centre", "scale"):
        assert np.array_equal(getattr(loaded, name), getattr(fitted.adapter, name)), name
    assert loaded.thresholds == fitted.adapter.thresholds
    assert loaded.error_counts == fitted.adapter.error_counts


def test_the_same_tickets_make_the_same_bundle_and_another_seed_another(models, first):
    (again,) = train(tickets(ROWS, several=True), FAST, models)
    assert again.version == first[1].version
    assert again.verdict["labels"] == first[1].verdict["labels"]


def test_another_seed_is_another_bundle(models, first):
    (other,) = train(tickets(ROWS, several=True), replace(FAST, seed=1), models)
    assert other.version != first[1].version


@pytest.mark.parametrize("steps", [1, 4, 13, 16, 18])
def test_a_run_that_was_killed_goes_on_and_makes_the_same_bundle(models, first, steps, monkeypatch):
    done = []

    def kill(stage: str, step: int, total: int) -> None:
        assert 1 <= step <= total
        done.append((stage, step))
        if len(done) == steps:
            raise Killed

    with pytest.raises(Killed):
        train(tickets(ROWS, several=True), FAST, models, kill)
    assert candidates(models) == ()
    fitted, told = [], []
    monkeypatch.setattr(cross_fitting, "fit_weights", lambda *a: fitted.append(a) or fit_weights(*a))
    (again,) = train(tickets(ROWS, several=True), FAST, models, lambda *step: told.append(step))
    assert again.version == first[1].version
    assert not list((models / "work").iterdir())
    kept = min(max(steps - READING_STEPS, 0), FOLDS)  # a fold is kept before its step is told
    assert len(fitted) == (FOLDS - kept) * len(GRID)
    assert [step for step in told if step[1] == step[2]] == [
        ("reading tickets with the base model", READING_STEPS, READING_STEPS),
        ("learning and testing", FOLDS + 1, FOLDS + 1),
        ("comparing with the current model", 2, 2),
    ]


def test_a_broken_piece_is_made_again(models, first):
    def kill(stage: str, step: int, total: int) -> None:
        if stage == "learning and testing" and step == 2:
            raise Killed

    with pytest.raises(Killed):
        train(tickets(ROWS, several=True), FAST, models, kill)
    pieces = sorted((models / "work").rglob("*.safetensors"))
    assert len(pieces) > 3
    for piece in pieces:
        content = bytearray(piece.read_bytes())
        content[-1] ^= 1
        piece.write_bytes(bytes(content))
    (again,) = train(tickets(ROWS, several=True), FAST, models)
    assert again.version == first[1].version


PROGRAM = """
import sys, time
from pathlib import Path
from gapnlp.retraining.training.plan import TrainOptions
from gapnlp.retraining.training.run import train
from tests.retraining.training_samples import tickets

def tell(stage, step, total):
    print(stage, step, flush=True)
    if stage == "learning and testing" and step == 2:
        time.sleep(60)

train(tickets(60, several=True), TrainOptions(quality="fast"), Path(sys.argv[1]), tell)
"""


def test_a_process_that_was_killed_leaves_what_the_next_goes_on_from(models, first):
    program = [sys.executable, "-c", PROGRAM, str(models)]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).resolve().parents[2])
    try:
        for line in process.stdout:
            if line.strip() == "learning and testing 2":
                break
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert process.returncode == -signal.SIGKILL
    assert list((models / "work").rglob("fold-0.safetensors"))
    (again,) = train(tickets(ROWS, several=True), FAST, models)
    assert again.version == first[1].version


def test_a_run_that_ended_already_is_not_done_again(promoted, first):
    asked = []
    (again,) = train(tickets(ROWS, several=True), FAST, promoted, lambda *told: asked.append(told))
    assert asked == []
    assert again == first[1]


def test_tickets_that_the_current_model_has_seen_prove_nothing(promoted):
    more = [*tickets(ROWS, several=True), *tickets(30, start=300, several=True)]
    (again,) = train(more, FAST, promoted)
    assert "anew: 67%" in again.why
    assert again.verdict["tickets"] == 30
    assert not again.promoted  # there is nothing left to be better at
    card = json.loads((candidates(promoted)[0].info.folder / "card.json").read_text(encoding="utf-8"))
    assert "60 tickets are left out" in card["held_out"]["how"]


def test_other_tickets_go_on_from_the_current_adapter(promoted, first):
    (again,) = train(tickets(30, start=300), FAST, promoted)
    assert "going on from" in again.why
    card = json.loads((candidates(promoted)[0].info.folder / "card.json").read_text(encoding="utf-8"))
    assert card["prior"] == first[1].version
    (fresh,) = train(tickets(30, start=300), replace(FAST, fresh=True), promoted)
    assert "as was asked" in fresh.why
    assert fresh.version != again.version


def test_held_out_tickets_of_their_own_file(models):
    test = (*tickets(40, start=500), *tickets(5))
    (trained,) = train(tickets(ROWS), replace(FAST, test=test, promotes=False), models)
    assert trained.verdict["tickets"] == 40  # five are among the training tickets
    assert not trained.promoted
    assert choose_adapter(read_manifest(models), "en") is None


def test_a_loser_is_promoted_by_force_alone_and_its_card_says_so(models):
    test = tuple(replace(t, given={"gap:policy": n % 2 == 0}) for n, t in enumerate(tickets(40, start=500)))
    options = replace(FAST, test=test)
    (trained,) = train(tickets(ROWS), options, models)
    assert not trained.promoted
    (forced,) = train(tickets(ROWS), replace(options, force=True), models)
    assert forced.promoted
    info = choose_adapter(read_manifest(models), "en")
    assert info is not None
    assert info.version == forced.version != trained.version
    assert load(models, quality="fast").classifier("en").version.startswith(forced.version)


def test_the_card_says_what_it_must_and_quotes_nothing(first):
    info = choose_adapter(read_manifest(first[0]), "en")
    card = json.loads((info.folder / "card.json").read_text(encoding="utf-8"))
    assert card["label_counts"]["sentiment:pos"] == {"yes": 20, "no": 40}
    assert card["not_learnt"]["churn"] == "never given"
    assert set(card["learnt"]) >= {"sentiment:pos", "gap:delivery", "presence:tangibles", "dimension:tangibles:neg"}
    assert card["held_out"]["labels"]["gap:delivery"]["tickets"] == 20
    page = (info.folder / "CARD.md").read_text(encoding="utf-8")
    assert card["fingerprint"] in page
    assert "n-grams" in page
    content = "".join(p.read_text(encoding="utf-8") for p in info.folder.iterdir() if p.suffix in (".json", ".md"))
    assert "zonked" in content
    assert not any(t.text[:-1] in content for t in tickets(ROWS, several=True))


@pytest.mark.parametrize("name", ["card.json", "weights.safetensors", "vocabulary.json", "tickets.json", "CARD.md"])
def test_a_spoilt_adapter_is_refused(promoted, name):
    path = choose_adapter(read_manifest(promoted), "en").folder / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(bytes(content))
    with pytest.raises(ModelError, match="was changed after the bundle was built"):
        load(promoted, quality="fast").classifier("en")


def test_an_adapter_of_another_base_is_refused(first, models):
    base = load_bundle(choose_bundle(read_manifest(models), "en"))
    info = choose_adapter(read_manifest(first[0]), "en")
    with pytest.raises(ModelError, match="was made for linear-en.*, not for linear-en-2"):
        load_adapter(info, replace(base, version="linear-en-2+0123456789"))
    with pytest.raises(ModelError, match="reads nothing by itself"):
        load_bundle(info)
    with pytest.raises(ModelError, match="an adapter is wanted"):
        load_adapter(choose_bundle(read_manifest(models), "en"), base)


def test_a_language_with_few_tickets_is_left_out_and_does_not_stop_the_others(models, first):
    (found,) = train([*tickets(ROWS, several=True), *tickets(1, start=90, language="pl")], FAST, models)
    assert found.version == first[1].version
    languages, few = part_teachable([*tickets(ROWS), *tickets(1, start=90, language="pl")])
    assert list(languages) == ["en"]
    assert few == {"pl": 1}


def test_few_texts_that_were_exported_often_are_too_few(models):
    often = [replace(t, id=f"{t.id}-{n}", ticket=f"{t.ticket}-{n}") for t in tickets(4) for n in range(20)]
    assert part_teachable(often) == ({}, {"en": 80})
    with pytest.raises(InputError, match="nothing can be learnt yet"):
        train(often, TrainOptions(quality="fast"), models)


def test_speeds_tell_the_slower_of_two():
    class Reader:
        def __init__(self, rounds):
            self.rounds = rounds

        def predict(self, documents):
            return sum(range(self.rounds))

    fast, slow = measure_speeds(Reader(10_000), Reader(400_000), [("a text", "another")] * 5)
    assert fast > 2 * slow > 0


def test_no_ticket_at_all_is_said(tmp_path):
    with pytest.raises(InputError, match="nothing can be learnt yet"):
        train(tickets(5, language="de"), FAST, tmp_path / "models")
    assert not (tmp_path / "models").exists()
