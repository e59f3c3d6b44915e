"""New models beside the old ones: when they take over, what they share, and what happens when they are broken."""

from __future__ import annotations

import asyncio
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gapnlp.api import reloading
from gapnlp.api.batching import Ask, PoolLimits, ScoringPool
from gapnlp.api.reloading import ModelWatch, ServedModels
from gapnlp.classifier.bundle import choose_bundle, read_manifest
from gapnlp.classifier.states import MANIFEST
from gapnlp.errors import ModelError
from gapnlp.records.analysis import Analysis
from gapnlp.records.feedback import Feedback, Source
from gapnlp.retraining import registry
from gapnlp.retraining.registry import open_registry, promote
from gapnlp.settings import Settings, read_settings
from tests.retraining.registry_samples import candidate_of


@dataclass
class NamedScorer:
    """Stands in for a scorer: answers with its name, once it is let go."""

    name: str
    gate: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)
    taken_over: list[object] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def score(self, items):
        if items[0].text != "The parcel came late.":
            self.begun.set()
            assert self.gate.wait(20)
        return [Analysis(i, "en", (), self.name) for i in items]

    def classifier(self, language):
        self.asked.append(language)
        return self

    def predict(self, documents):
        return documents

    def take_over(self, other, languages):
        self.taken_over.append((other, list(languages)))


def ask(text: str) -> Ask:
    return Ask(Feedback(text, text, Source("", 1)), evidence=False)


async def until(true: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


def names(outcomes) -> list[str]:
    return [o.model_version for o in outcomes]


def with_pool(make, scenario, **limits):
    pool = ScoringPool(make, PoolLimits(queue=10, batch=2, **limits))
    pool.start()
    try:
        return asyncio.run(scenario(pool))
    finally:
        pool.stop()


def test_the_new_scorer_takes_over_after_the_batch_that_is_being_scored():
    old, new = NamedScorer("old"), NamedScorer("new")
    new.gate.set()

    async def scenario(pool):
        await until(lambda: pool.ready)
        first = asyncio.create_task(pool.classify([ask("a"), ask("b"), ask("c")]))
        await until(old.begun.is_set)
        await asyncio.to_thread(pool.replace_scorers, lambda: new, ["pl"])
        assert pool.scorer is new
        old.gate.set()
        return await first

    assert names(with_pool(lambda: old, scenario)) == ["old", "old", "new"]
    assert new.asked == ["en", "zh"] and new.taken_over == [(old, ["pl"])]


def test_a_scorer_that_cannot_be_made_changes_nothing():
    old = NamedScorer("old")
    old.gate.set()

    async def scenario(pool):
        await until(lambda: pool.ready)
        for error in (ModelError("changed"), RuntimeError("x")):
            with pytest.raises(ModelError):
                await asyncio.to_thread(pool.replace_scorers, lambda e=error: failing(e))
        assert pool.ready and pool.fault is None
        return await pool.classify([ask("a")])

    assert names(with_pool(lambda: old, scenario)) == ["old"]


def failing(error: Exception):
    raise error


def test_a_pool_without_scorers_works_once_there_are_some():
    new = NamedScorer("new")
    new.gate.set()

    async def scenario(pool):
        await until(lambda: pool.fault)
        await asyncio.to_thread(pool.replace_scorers, lambda: new)
        assert pool.ready and pool.fault is None
        return await pool.classify([ask("a")])

    assert names(with_pool(lambda: failing(ModelError("x")), scenario)) == ["new"]


def test_a_late_first_scorer_does_not_undo_a_replacement():
    late, new = threading.Event(), NamedScorer("new")
    new.gate.set()

    def slow():
        assert late.wait(20)
        return NamedScorer("old")

    async def scenario(pool):
        await asyncio.to_thread(pool.replace_scorers, lambda: new)
        late.set()
        return await pool.classify([ask("a")])

    assert names(with_pool(slow, scenario)) == ["new"]


@pytest.fixture
def models(tmp_path: Path, tiny_models: Path, monkeypatch: pytest.MonkeyPatch, shared_cues: None) -> Path:
    monkeypatch.setattr(registry, "default_models_folder", lambda: tiny_models)
    monkeypatch.setattr(reloading, "_WATCH_SECONDS", 0.02)
    monkeypatch.setattr(reloading, "_RETRY_SECONDS", 0.2)
    open_registry(tmp_path / "own")
    return tmp_path / "own"


@pytest.fixture
def watched(models: Path) -> Iterator[tuple[ServedModels, ScoringPool]]:
    served = ServedModels(settings_of(models))
    pool = ScoringPool(served.make, PoolLimits(queue=10, batch=2))
    watch = ModelWatch(served, pool)
    watch.start()
    pool.start()
    asyncio.run(until(lambda: pool.ready))
    yield served, pool
    watch.stop()
    pool.stop()


def settings_of(models: Path | None) -> Settings:
    return read_settings(models=models, quality="fast")


def english(models: Path) -> str:
    return choose_bundle(read_manifest(models), "en").version


def scored(pool: ScoringPool) -> str:
    return names(asyncio.run(pool.classify([ask("The parcel came 3 days late.")])))[0]


def test_a_promotion_is_followed_and_all_that_has_not_changed_is_kept(models, watched):
    served, pool = watched
    before = pool.scorer
    first = scored(pool)
    candidate_of(models, "2.0.0")
    promote(models, "linear-en")
    asyncio.run(until(lambda: served.reloads == 1))
    assert scored(pool) == english(models) != first
    assert pool.scorer is not before
    assert pool.scorer._detector is before._detector and pool.scorer._cues is before._cues
    assert pool.scorer.classifier("pl") is before.classifier("pl")
    assert pool.scorer.classifier("en") is not before.classifier("en")
    assert choose_bundle(served.bundles, "en").version == english(models)


def test_a_broken_folder_is_told_once_and_tried_again(models, watched, caplog):
    served, pool = watched
    before = pool.scorer
    manifest = (models / MANIFEST).read_text(encoding="utf-8")
    changed = manifest.replace('name = "linear-en"', 'name = "linear-en"\nfolder = "later-en"')
    (models / "draft").write_text(changed, encoding="utf-8")
    (models / "draft").replace(models / MANIFEST)
    asyncio.run(until(lambda: served.fault))
    time.sleep(0.5)  # it is tried again meanwhile
    assert pool.ready and scored(pool) and pool.scorer is before
    assert [r.levelname for r in caplog.records if "cannot be used" in r.getMessage()] == ["ERROR"]
    shutil.copytree(models / "linear-en", models / "later-en")
    asyncio.run(until(lambda: served.fault is None))
    assert served.reloads == 1 and pool.scorer is not before


def test_a_manifest_that_goes_missing_does_no_harm(models, watched):
    served, pool = watched
    bundles = served.bundles
    (models / MANIFEST).rename(models / "away")
    asyncio.run(until(lambda: served.fault))
    assert scored(pool) and served.bundles == bundles
    (models / "away").rename(models / MANIFEST)
    asyncio.run(until(lambda: served.fault is None))


@pytest.mark.parametrize("wrong", ['files = ["card.json"]\n[bundle.other]', "files = " + "[" * 50_000])
def test_a_manifest_of_the_wrong_kind_does_not_end_the_watch(models, watched, wrong):
    served, pool = watched
    whole = (models / MANIFEST).read_text(encoding="utf-8")
    (models / MANIFEST).write_text(whole.replace("[bundle.files]", wrong, 1), encoding="utf-8")
    asyncio.run(until(lambda: served.fault))
    assert scored(pool)
    (models / MANIFEST).write_text(whole, encoding="utf-8")
    asyncio.run(until(lambda: served.fault is None))


def test_nothing_is_watched_without_a_folder_of_ones_own(models):
    assert ServedModels(settings_of(None)).watched is None
    assert ServedModels(settings_of(models), lambda: None).watched is None
    assert ServedModels(settings_of(models)).watched == models / MANIFEST
    threads = threading.active_count()
    watch = ModelWatch(ServedModels(settings_of(None)), None)
    watch.start()
    assert threading.active_count() == threads
    watch.stop()
