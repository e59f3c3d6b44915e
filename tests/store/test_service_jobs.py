"""Jobs in the service's database, on SQLite and PostgreSQL: tenants, pages, claims, deletion."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gapnlp.errors import InputError, NotFound
from gapnlp.records.feedback import ColumnRole, Failure, Recognition, Source
from gapnlp.records.service import Job, JobOptions
from gapnlp.store.service_database import Duplicate, ServiceDatabase, read_url
from gapnlp.store.service_jobs import ServiceJobs
from gapnlp.store.service_runs import ServiceRuns

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
NONE = timedelta(0)


@pytest.fixture
def database(database_url, tmp_path):
    opened = ServiceDatabase(read_url(database_url, folder=tmp_path, name="service.sqlite"))
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture
def jobs(database):
    return ServiceJobs(database)


@pytest.fixture
def runs(database):
    return ServiceRuns(database)


def make_job(number: int = 0, *, project: str = "shop", **changes: object) -> Job:
    columns = (ColumnRole("Treść\0opinii", "text", "a usual header"), ColumnRole("评分", "rating", "given"))
    recognition = Recognition("łódź.csv", "csv", "utf-8", ";", None, columns, (1.0, 5.0), "ab" * 32)
    job = Job(
        id=f"{number:032x}",
        project=project,
        state="queued",
        file="łódź 评论.csv",
        options=JobOptions(text="Treść", by="sklep", period="month", ui="pl", redact=True),
        created=NOW + timedelta(seconds=number),
        rows_total=2_000_000,
        recognitions=(recognition,),
        failures=(Failure(Source("łódź.csv", 7), "failed", "has 2 cells", id="x"),),
    )
    return replace(job, **changes)


def add(jobs: ServiceJobs, job: Job, *, key: str | None = None, fingerprint: str = "f") -> Job:
    jobs.insert(job, fingerprint=fingerprint, idempotency_key=key)
    return job


def test_a_job_comes_back_as_it_was(jobs):
    job = add(jobs, make_job(1))
    assert jobs.get("shop", job.id) == job


def test_nobody_meets_another_projects_job(jobs):
    job = add(jobs, make_job(1), key="k")
    for attempt in (
        lambda: jobs.get("other", job.id),
        lambda: jobs.hide("other", job.id),
        lambda: jobs.get("shop' OR '1'='1", job.id),
        lambda: jobs.get("shop", "0" * 31 + "2"),
    ):
        with pytest.raises(NotFound, match="no such job"):
            attempt()
    assert not jobs.cancel("other", job.id)
    assert jobs.of_key("other", "k") is None
    assert jobs.page("other", cursor=None, limit=10, states=None).items == ()
    assert jobs.get("shop", job.id).state == "queued"


def test_pages_follow_each_other_newest_first(jobs):
    made = [add(jobs, make_job(n, created=NOW + timedelta(seconds=n // 3))) for n in range(11)]
    add(jobs, make_job(99, project="other"))
    seen, cursor = [], None
    while True:
        page = jobs.page("shop", cursor=cursor, limit=4, states=None)
        seen += page.items
        assert len(page.items) <= 4
        if page.next is None:
            break
        cursor = page.next
    assert seen == made[::-1]


def test_pages_of_some_states(jobs, runs):
    first, second = add(jobs, make_job(1)), add(jobs, make_job(2))
    runs.claim(second.id, "t")
    assert [j.id for j in jobs.page("shop", cursor=None, limit=9, states=["queued"]).items] == [first.id]
    assert [j.id for j in jobs.page("shop", cursor=None, limit=9, states=["running"]).items] == [second.id]
    assert jobs.page("shop", cursor=None, limit=9, states=[]).items == ()


@pytest.mark.parametrize("cursor", ["", "x", "####", "Zm9v", "é", "A" * 600, "MjAyNi0wMS0wMSBhYmM", "MSAnOw"])
def test_cursors_that_were_not_handed_out_are_refused(jobs, cursor):
    with pytest.raises(InputError, match="cursor"):
        jobs.page("shop", cursor=cursor, limit=1, states=None)


def test_an_idempotency_key_is_used_once_a_project(jobs):
    job = add(jobs, make_job(1), key="once", fingerprint="f1")
    with pytest.raises(Duplicate):
        add(jobs, make_job(2), key="once", fingerprint="f2")
    assert jobs.of_key("shop", "once") == (job, "f1")
    add(jobs, make_job(3, project="other"), key="once")
    add(jobs, make_job(4))
    add(jobs, make_job(5))  # without a key as many as one likes


def test_only_the_last_claim_may_write(jobs, runs):
    job = add(jobs, make_job(1))
    claimed, stalls = runs.claim(job.id, "first")
    assert (claimed.state, claimed.rows_done, stalls) == ("running", 0, 0)
    assert claimed.started == claimed.resumed is not None
    assert runs.note(job.id, "first", stage="scoring", rows_done=500)
    again, stalls = runs.claim(job.id, "second")
    assert (again.rows_done, again.resumed_rows, stalls) == (500, 500, 0)
    assert again.started == claimed.started
    assert again.resumed >= claimed.resumed
    assert not runs.note(job.id, "first", rows_done=900)
    assert not runs.end(job.id, "first", "failed", error="x")
    assert jobs.get("shop", job.id).rows_done == 500
    assert runs.end(job.id, "second", "succeeded", rows_done=1000, counts={"read": 1000})
    ended = jobs.get("shop", job.id)
    assert (ended.state, ended.stage, ended.counts, ended.error) == ("succeeded", None, {"read": 1000}, None)
    assert ended.finished is not None
    assert not runs.note(job.id, "second", rows_done=1)
    assert runs.claim(job.id, "third") is None


def test_claims_that_find_a_job_no_further_are_counted(jobs, runs):
    job = add(jobs, make_job(1))
    assert [runs.claim(job.id, f"t{n}")[1] for n in range(4)] == [0, 1, 2, 3]
    runs.note(job.id, "t3", rows_done=20)
    assert [runs.claim(job.id, f"u{n}")[1] for n in range(3)] == [0, 1, 2]


def test_a_cancelled_job_is_let_go_of(jobs, runs):
    job = add(jobs, make_job(1))
    runs.claim(job.id, "t")
    assert jobs.cancel("shop", job.id)
    assert not jobs.cancel("shop", job.id)
    assert jobs.get("shop", job.id).state == "cancelled"
    assert jobs.get("shop", job.id).finished is not None
    assert not runs.note(job.id, "t", rows_done=5)
    assert not runs.end(job.id, "t", "succeeded")
    assert runs.claim(job.id, "u") is None
    assert runs.state(job.id) == "cancelled"


def test_a_job_that_is_being_deleted_is_seen_by_nobody(jobs, runs):
    job = add(jobs, make_job(1), key="k")
    runs.claim(job.id, "t")
    jobs.hide("shop", job.id)
    with pytest.raises(NotFound):
        jobs.get("shop", job.id)
    with pytest.raises(NotFound):
        jobs.hide("shop", job.id)
    assert jobs.of_key("shop", "k") is None
    assert jobs.page("shop", cursor=None, limit=9, states=None).items == ()
    assert not runs.note(job.id, "t", rows_done=5)
    assert runs.claim(job.id, "u") is None
    assert runs.state(job.id) is None
    assert jobs.unfinished(older=NONE) == ()
    assert jobs.hidden() == (job.id,)
    assert jobs.exists(job.id)
    add(jobs, make_job(2), key="k")  # the key is free again
    jobs.erase(job.id)
    assert jobs.hidden() == ()
    assert not jobs.exists(job.id)


def test_only_hidden_jobs_can_be_erased(jobs):
    job = add(jobs, make_job(1))
    jobs.erase(job.id)
    assert jobs.get("shop", job.id) == job


def test_old_and_unfinished_jobs_are_found_over_all_projects(jobs, runs):
    waiting, ended = add(jobs, make_job(1)), add(jobs, make_job(2, project="other"))
    runs.claim(ended.id, "t")
    runs.end(ended.id, "t", "failed", error="no text column")
    assert jobs.unfinished(older=NONE) == (waiting.id,)
    assert jobs.unfinished(older=timedelta(days=100_000)) == ()
    assert jobs.ended_before(NONE) == (("other", ended.id),)
    assert jobs.ended_before(timedelta(hours=1)) == ()
