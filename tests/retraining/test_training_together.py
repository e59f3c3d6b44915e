"""Trainings that share a models folder with each other, with promotions by hand, and with runs that were killed."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from gapnlp.classifier.bundle import choose_adapter, read_manifest
from gapnlp.errors import Conflict
from gapnlp.retraining.registry import candidates, rollback
from gapnlp.retraining.training import evidence, replay, run
from gapnlp.retraining.training.pieces import Pieces
from gapnlp.retraining.training.plan import TrainOptions
from gapnlp.retraining.training.run import WAITING, train
from tests.retraining.training_samples import tickets

pytestmark = pytest.mark.usefixtures("shared_cues")

FAST = TrainOptions(quality="fast")
FIRST, SECOND = tickets(60), tickets(60, start=300)


@pytest.fixture(autouse=True)
def steady(monkeypatch):
    """Of a few short texts speed is chance; and little is replayed, to save time."""
    monkeypatch.setattr(evidence, "measure_speeds", lambda *_: (1000.0, 900.0))
    monkeypatch.setattr(replay, "_MOST_ITEMS", 12)


@pytest.fixture
def models(tiny_models, tmp_path) -> Path:
    return Path(shutil.copytree(tiny_models, tmp_path / "models"))


def test_the_second_of_two_trainings_waits_and_goes_on_from_the_first(models):
    begun, waits, found = threading.Event(), threading.Event(), []

    def hold(*_: object) -> None:
        begun.set()
        assert waits.wait(60)

    first = threading.Thread(target=lambda: found.extend(train(FIRST, FAST, models, hold)))
    first.start()
    assert begun.wait(60)
    (second,) = train(SECOND, FAST, models, lambda stage, *_: waits.set() if stage == WAITING else None)
    first.join()
    assert waits.is_set() and found[0].promoted
    assert "going on from" in second.why


def test_a_winner_over_what_was_taken_back_meanwhile_is_not_promoted(models):
    train(FIRST, FAST, models)
    gone = []

    def take_back(stage: str, done: int, total: int) -> None:
        if not gone:
            gone.append(rollback(models))

    with pytest.raises(Conflict, match="run the same command again"):
        train(SECOND, TrainOptions(quality="fast", force=True), models, take_back)
    assert choose_adapter(read_manifest(models), "en") is None
    assert len(candidates(models)) == 2 and not list((models / "work").iterdir())


def test_pieces_of_a_run_that_was_killed_after_its_promotion_are_removed(models, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Pieces, "remove", lambda _: None)
        (made,) = train(FIRST, FAST, models)
    assert made.promoted and list((models / "work").iterdir())
    other = models / "work" / "pl-0123456789abcdef"
    other.mkdir()
    (again,) = run.train(FIRST, FAST, models)
    assert again == made
    assert list((models / "work").iterdir()) == [other]
