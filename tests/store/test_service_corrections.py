"""Corrections in the service's database, on SQLite and PostgreSQL: whose they are, which count, when they go."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gapnlp.errors import NotFound
from gapnlp.records.corrections import Correction, GivenLabels
from gapnlp.records.labels import Labels
from gapnlp.records.service import Job, JobOptions
from gapnlp.store import service_corrections as module
from gapnlp.store.service_corrections import ServiceCorrections
from gapnlp.store.service_database import Duplicate, ServiceDatabase, read_url
from gapnlp.store.service_jobs import ServiceJobs

NOW = datetime(2026, 3, 1, tzinfo=UTC)
GIVEN = GivenLabels("neg", {"reliability": "neg"}, ("delivery",), None, False)
JOB = "a" * 32


@pytest.fixture
def database(database_url, tmp_path):
    opened = ServiceDatabase(read_url(database_url, folder=tmp_path, name="service.sqlite"))
    opened.migrate()
    ServiceJobs(opened).insert(
        Job(JOB, "shop", "succeeded", "r.csv", JobOptions(), NOW), fingerprint="f", idempotency_key=None
    )
    yield opened
    opened.close()


@pytest.fixture
def corrections(database):
    return ServiceCorrections(database)


def correction(number: int, **fields) -> Correction:
    made = Correction(f"{number:032x}", "shop", "anna", NOW + timedelta(seconds=number), "It came late.", "t1", GIVEN)
    return replace(made, **fields)


def add(corrections, *made: Correction) -> None:
    for one in made:
        corrections.insert(one, fingerprint="f", idempotency_key=None)


def latest(corrections, project: str = "shop") -> list[Correction]:
    return [c for page in corrections.latest(project) for c in page]


def test_a_correction_comes_back_as_it_was(corrections):
    of_text = correction(1, language="pl")
    of_segment = correction(
        2, job=JOB, segment=7, row=3, model_labels=Labels("pos", {"empathy": "pos"}, ("policy",)), model_version="m-1"
    )
    nothing = correction(3, text="x", given=GivenLabels(dimensions={}, gaps=()))
    add(corrections, of_text, of_segment, nothing)
    assert latest(corrections) == [of_text, of_segment, nothing]


def test_of_one_persons_corrections_of_one_thing_the_last_counts(corrections):
    first, second = correction(1, job=JOB, segment=7), correction(2, job=JOB, segment=7)
    other_person, other_segment = correction(3, job=JOB, segment=7, who="piotr"), correction(4, job=JOB, segment=8)
    text, other_text = correction(5), correction(6, text="It came soon.")
    add(corrections, first, second, other_person, other_segment, text, other_text)
    assert latest(corrections) == [second, other_person, other_segment, text, other_text]
    corrections.delete("shop", second.id)
    assert latest(corrections)[0] == first


def test_somebodys_last_correction_of_a_segment_is_found(corrections):
    first, second = correction(1, job=JOB, segment=7), correction(2, job=JOB, segment=7)
    add(corrections, second, first, correction(3, job=JOB, segment=7, who="piotr"), correction(4, job=JOB, segment=8))
    assert corrections.last_of("shop", "anna", job=JOB, segment=7) == second
    corrections.delete("shop", second.id)
    assert corrections.last_of("shop", "anna", job=JOB, segment=7) == first
    for other in (
        ("hotel", "anna", JOB, 7),
        ("shop", "li", JOB, 7),
        ("shop", "anna", JOB, 9),
        ("shop", "anna", "0", 7),
    ):
        project, who, job, segment = other
        assert corrections.last_of(project, who, job=job, segment=segment) is None


def test_many_are_read_page_by_page(corrections, monkeypatch):
    monkeypatch.setattr(module, "_PAGE_ROWS", 3)
    # Of the same moment, so that the order is the ids' own.
    made = [correction(n, text=f"text {n}", created=NOW) for n in range(8)]
    add(corrections, *made)
    assert [len(page) for page in corrections.latest("shop")] == [3, 3, 2]
    assert latest(corrections) == made


def test_projects_do_not_meet(corrections):
    add(corrections, correction(1), correction(2, project="hotel"))
    assert [c.project for c in latest(corrections, "hotel")] == ["hotel"]
    with pytest.raises(NotFound):
        corrections.delete("hotel", correction(1).id)
    assert len(latest(corrections)) == 1


def test_an_idempotency_key_is_used_once_a_project(corrections):
    corrections.insert(correction(1), fingerprint="f1", idempotency_key="k")
    corrections.insert(correction(2, project="hotel"), fingerprint="f2", idempotency_key="k")
    with pytest.raises(Duplicate):
        corrections.insert(correction(3), fingerprint="f1", idempotency_key="k")
    assert corrections.of_key("shop", "k") == (correction(1), "f1")
    assert corrections.of_key("shop", "other") is None


@pytest.mark.parametrize("fields", [{"job": "b" * 32}, {"job": JOB, "project": "hotel"}])
def test_a_job_that_is_not_there_takes_no_corrections(corrections, fields):
    with pytest.raises(NotFound):
        add(corrections, correction(1, segment=1, **fields))


def test_a_job_that_is_being_deleted_takes_no_corrections(database, corrections):
    ServiceJobs(database).hide("shop", JOB)
    with pytest.raises(NotFound):
        add(corrections, correction(1, job=JOB, segment=1))


def test_corrections_go_with_their_job_and_with_time(corrections):
    now = datetime.now(UTC)
    of_job, old, new = correction(1, job=JOB, segment=1), correction(2), correction(3, text="y", created=now)
    add(corrections, of_job, old, new)
    corrections.erase_job(JOB)
    assert latest(corrections) == [old, new]
    assert corrections.erase_before(timedelta(days=1)) == 1
    assert latest(corrections) == [new]
