"""A job keeps the models that it began with: through promotions, late scoring processes, and a restart."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import gapnlp.jobs
import gapnlp.service.results
import gapnlp.service.runs
from gapnlp.classifier.bundle import choose_bundle, read_manifest
from gapnlp.classifier.states import kept_state
from gapnlp.records.service import Job, JobOptions
from gapnlp.retraining import registry
from gapnlp.retraining.registry import open_registry, promote
from gapnlp.service.folders import DataFolder
from gapnlp.service.jobs import JobService
from gapnlp.service.pinning import models_of
from gapnlp.settings import read_settings
from gapnlp.store.claimed_work import ClaimedJobRepository
from tests.retraining.registry_samples import candidate_of

ROWS = 80


@pytest.fixture
def models(tmp_path: Path, tiny_models: Path, monkeypatch: pytest.MonkeyPatch, shared_cues: None) -> Path:
    monkeypatch.setattr(registry, "default_models_folder", lambda: tiny_models)
    folder = tmp_path / "own"
    open_registry(folder)
    candidate_of(folder, "2.0.0")
    return folder


@pytest.fixture
def start(tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., JobService]]:
    """Start services on one data folder; a job has many chunks, and no charts."""
    for module in (gapnlp.jobs, gapnlp.service.runs):
        monkeypatch.setattr(module, "CHUNK_ROWS", 10)
    light = {**gapnlp.service.results.RENDERERS, "html": lambda report, ui: b"<p>"}
    monkeypatch.setattr(gapnlp.service.results, "RENDERERS", light)
    started: list[JobService] = []

    def make(workers: int = 1) -> JobService:
        settings = read_settings(data_dir=tmp_path / "data", models=models, workers=workers, quality="fast")
        started.append(JobService(settings))
        started[-1].start()
        return started[-1]

    yield make
    for service in started:
        service.stop()


class Hold:
    """Holds a run up at its first call of something, until it is let go."""

    def __init__(self) -> None:
        self.reached, self.go = threading.Event(), threading.Event()

    def after(self, function: Callable) -> Callable:
        def held(*arguments, **named):
            result = function(*arguments, **named)
            self.reached.set()
            assert self.go.wait(60)
            return result

        return held


def submit(service: JobService, tmp_path: Path) -> Job:
    path = tmp_path / "x.csv"
    path.write_text("review\n" + "".join(f"The parcel came {n} days late.\n" for n in range(ROWS)), encoding="utf-8")
    return service.submit("shop", path, file="x.csv", options=JobOptions(quality="fast"))


def versions_of(service: JobService, job: Job) -> set[str]:
    """Wait for a job; gives the versions in its results and its report."""
    deadline = time.monotonic() + 90
    while not (now := service.get("shop", job.id)).ended:
        assert time.monotonic() < deadline, now
        time.sleep(0.05)
    assert now.state == "succeeded", now.error
    rows = service.result("shop", job.id, "jsonl").read_text(encoding="utf-8").splitlines()
    assert len(rows) == ROWS
    report = json.loads(service.report("shop", job.id, "json").read_bytes())
    return {json.loads(row)["model_version"] for row in rows} | {m["version"] for m in report["models"]}


def english(models: Path) -> str:
    return choose_bundle(read_manifest(models), "en").version


def test_a_promotion_in_the_middle_of_a_job_changes_nothing_for_it(start, models, tmp_path, monkeypatch):
    hold, before = Hold(), english(models)
    monkeypatch.setattr(ClaimedJobRepository, "finish", hold.after(ClaimedJobRepository.finish))
    service = start()
    job = submit(service, tmp_path)
    assert hold.reached.wait(60)
    promote(models, "linear-en")
    hold.go.set()
    assert versions_of(service, job) == {before}
    assert versions_of(service, submit(service, tmp_path)) == {english(models)} != {before}


def test_scoring_processes_that_start_after_a_promotion_take_the_jobs_models(start, models, tmp_path, monkeypatch):
    hold, before = Hold(), english(models)
    monkeypatch.setattr(gapnlp.service.runs, "check_rows", hold.after(gapnlp.service.runs.check_rows))
    service = start(workers=2)
    job = submit(service, tmp_path)
    assert hold.reached.wait(60)
    promote(models, "linear-en")
    hold.go.set()
    assert versions_of(service, job) == {before}


def test_a_job_that_goes_on_after_a_restart_keeps_its_models_and_its_rows(start, models, tmp_path, monkeypatch):
    hold, before = Hold(), english(models)
    finish = ClaimedJobRepository.finish
    monkeypatch.setattr(ClaimedJobRepository, "finish", hold.after(finish))
    first = start()
    job = submit(first, tmp_path)
    assert hold.reached.wait(60)
    stopping = threading.Thread(target=first.stop)
    stopping.start()
    time.sleep(0.2)
    hold.go.set()
    stopping.join(60)
    promote(models, "linear-en")
    chunks: list[int] = []
    monkeypatch.setattr(ClaimedJobRepository, "finish", lambda self, key, progress, payloads: (
        chunks.append(progress.done), finish(self, key, progress, payloads)))  # fmt: skip
    assert versions_of(start(), job) == {before}
    assert chunks and min(chunks) > 1  # the first chunk was not scored again


def test_a_job_whose_models_are_gone_is_scored_anew(models, tmp_path):
    data = DataFolder(tmp_path / "data")
    data.make()
    folder = data.job("0" * 32)
    folder.path.mkdir()
    begun = models_of(folder, models)
    assert begun == kept_state(models)
    promote(models, "linear-en")
    assert models_of(folder, models) == begun != kept_state(models)
    (models / "linear-en" / "card.json").unlink()
    now = models_of(folder, models)
    assert now == kept_state(models) == models_of(folder, models)
    assert english(now) == english(models)


def test_a_spoilt_note_is_written_anew(models, tmp_path):
    folder = DataFolder(tmp_path / "data").job("0" * 32)
    folder.path.mkdir(parents=True)
    for spoilt in (b"\xff", b"../../x", b"", b"9999"):
        folder.pin.write_bytes(spoilt)
        assert models_of(folder, models) == kept_state(models)
        assert folder.pin.read_text() == "0001"


def test_folders_that_keep_no_states_are_taken_as_they_are(tiny_models, tmp_path):
    folder = DataFolder(tmp_path / "data").job("0" * 32)
    folder.path.mkdir(parents=True)
    assert models_of(folder, None) is None
    assert models_of(folder, tiny_models) == tiny_models
    assert not folder.pin.exists()
