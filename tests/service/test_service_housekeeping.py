"""What killed processes leave behind is cleared up: jobs nobody queued, deletions half done, folders of nobody."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gapnlp.errors import NotFound, StoreError
from gapnlp.records.corrections import Correction, GivenLabels
from gapnlp.records.service import Job, JobOptions
from gapnlp.service import housekeeping as module
from gapnlp.service.folders import DataFolder
from gapnlp.service.housekeeping import Housekeeping
from gapnlp.store.service_corrections import ServiceCorrections
from gapnlp.store.service_database import ServiceDatabase, read_url
from gapnlp.store.service_jobs import ServiceJobs
from gapnlp.store.service_runs import ServiceRuns


class Queue:
    """Stands in for the engine: job -> whether it means to run it."""

    def __init__(self) -> None:
        self.known: dict[str, bool] = {}
        self.away = False

    def states(self, job_ids):
        return {i: self.known[i] for i in job_ids if i in self.known}

    def enqueue(self, job_id: str) -> None:
        if self.away:
            raise StoreError("away")
        self.known.setdefault(job_id, True)

    def forget(self, job_id: str) -> None:
        if self.away:
            raise StoreError("away")
        self.known.pop(job_id, None)


@pytest.fixture
def house(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_ON_THE_WAY", timedelta(0))
    database = ServiceDatabase(read_url(None, folder=tmp_path, name="x.sqlite"))
    database.migrate()
    data = DataFolder(tmp_path / "data")
    data.make()
    yield Housekeeping(data, ServiceJobs(database), Queue(), ServiceCorrections(database))
    database.close()


@pytest.fixture
def runs(house):
    return ServiceRuns(house.jobs._database)


def add(house: Housekeeping, number: int, **changes: object) -> Job:
    job = Job(f"{number:032x}", "shop", "queued", "x.csv", JobOptions(), datetime.now(UTC))
    house.jobs.insert(replace(job, **changes), fingerprint="f", idempotency_key=None)
    folder = house.data.job(job.id).path
    folder.mkdir()
    (folder / "upload.csv").write_text("a customer's words")
    return job


def test_jobs_that_nobody_queued_are_queued(house, runs):
    lost, queued, given_up, ended = (add(house, n) for n in range(1, 5))
    house.engine.known = {queued.id: True, given_up.id: False}
    runs.claim(ended.id, "t")
    runs.end(ended.id, "t", "failed", error="x")
    house.keep(None)
    assert house.engine.known == {lost.id: True, queued.id: True, given_up.id: True}


def test_jobs_on_their_way_are_left_alone(house, monkeypatch):
    monkeypatch.setattr(module, "_ON_THE_WAY", timedelta(minutes=1))
    add(house, 1)
    house.keep(None)
    assert house.engine.known == {}


def test_a_deletion_that_was_cut_off_is_ended(house):
    job = add(house, 1)
    house.engine.known = {job.id: True}
    house.engine.away = True
    with pytest.raises(StoreError):
        house.delete("shop", job.id)
    with pytest.raises(NotFound):
        house.jobs.get("shop", job.id)
    assert house.data.job(job.id).path.exists()
    house.engine.away = False
    house.keep(None)
    assert not house.data.job(job.id).path.exists()
    assert not house.jobs.exists(job.id)
    assert house.engine.known == {}


def test_folders_of_no_job_go_once_they_are_old(house):
    job, young, old = add(house, 1), house.data.job("a" * 32).path, house.data.job("b" * 32).path
    for folder in (young, old):
        folder.mkdir()
    past = time.time() - 10_000
    for folder in (old, house.data.job(job.id).path):
        os.utime(folder, (past, past))
    house.keep(None)
    assert young.exists() and house.data.job(job.id).path.exists()
    assert not old.exists()


def test_corrections_go_with_their_job_and_with_time(house):
    job, kept = add(house, 1), add(house, 2)
    now = datetime.now(UTC)
    for number, (of, made) in enumerate([(job.id, now), (kept.id, now), (None, now - timedelta(days=40)), (None, now)]):
        correction = Correction(f"{number:032x}", "shop", "a", made, f"x{number}", "t", GivenLabels(churn=True), job=of)
        house.corrections.insert(correction, fingerprint="f", idempotency_key=None)
    house.delete("shop", job.id)
    house.keep(None)
    assert [c.text for page in house.corrections.latest("shop") for c in page] == ["x2", "x1", "x3"]
    house.keep(30)
    assert [c.text for page in house.corrections.latest("shop") for c in page] == ["x1", "x3"]


def test_old_jobs_go_and_others_stay(house, runs):
    old, new, running = (add(house, n) for n in range(1, 4))
    for job in (old, new):
        runs.claim(job.id, "t")
        runs.end(job.id, "t", "succeeded")
    with house.jobs._database.writing() as connection:
        connection.exec_driver_sql(
            f"UPDATE gapnlp_jobs SET finished = '2020-01-01 00:00:00', created = '2020-01-01' WHERE id = '{old.id}'"
        )
        connection.exec_driver_sql(f"UPDATE gapnlp_jobs SET created = '2020-01-01 00:00:00' WHERE id = '{running.id}'")
    house.keep(None)
    assert house.jobs.exists(old.id)  # without a number of days nothing is deleted
    house.keep(30)
    assert not house.jobs.exists(old.id) and not house.data.job(old.id).path.exists()
    assert house.jobs.exists(new.id) and house.jobs.exists(running.id)
    assert house.data.job(running.id).path.exists()
