"""Jobs from upload to report, on SQLite and PostgreSQL, with the real engine in this process."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pyarrow.parquet as pq
import pytest

import gapnlp.jobs
import gapnlp.service.jobs
import gapnlp.service.results
import gapnlp.service.runs
from gapnlp.errors import Conflict, InputError, NotFound, StoreError
from gapnlp.records.service import REPORT_FORMATS, RESULT_FORMATS, Job, JobOptions, SegmentFilter
from gapnlp.scoring.local import ScorerSettings
from gapnlp.service.evidence import explain_segments
from gapnlp.service.jobs import JobService
from gapnlp.settings import read_settings

ROWS = 60
OPTIONS = JobOptions(by="store", period="month", quality="fast")
SENTENCES = (
    "The parcel came {} days late. I called 3 times and nobody answered.",
    "They replied within {} minutes.",
    "Room {} is clean and bright. They kindly waited 2 hours for me, more than I hoped.",
    "Paczka przyszła {} dni po terminie.",
)


def make_upload(path, rows: int = ROWS, *, ids: bool = True):
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["Review ID" if ids else "number", "review", "date", "store"])
        for n in range(rows):
            text = SENTENCES[n % 4].format(n % 50) if n != 7 else ""
            writer.writerow([f"r{n}", text, f"2025-0{1 + n % 3}-11", "AB"[n % 2]])
    return path


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def service(request, tmp_path_factory, tiny_models, shared_cues) -> Iterator[JobService]:
    url = None
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        url = server.url(server.new_database())
    with pytest.MonkeyPatch.context() as patch:
        for module in (gapnlp.jobs, gapnlp.service.runs):
            patch.setattr(module, "CHUNK_ROWS", 10)
        started = JobService(
            read_settings(data_dir=tmp_path_factory.mktemp("data"), database_url=url, models=tiny_models, workers=1)
        )
        started.start()
        yield started
        started.stop()


def wait(service: JobService, job: Job, *, seconds: float = 90) -> Job:
    deadline = time.monotonic() + seconds
    while not (now := service.get(job.project, job.id)).ended:
        assert time.monotonic() < deadline, now
        time.sleep(0.05)
    return now


@pytest.fixture(scope="module")
def done(service, tmp_path_factory) -> Job:
    upload = make_upload(tmp_path_factory.mktemp("upload") / "x.csv")
    return wait(service, service.submit("shop", upload, file="../opinie łódź.csv", options=OPTIONS))


@pytest.fixture(autouse=True)
def _without_charts(monkeypatch):
    """Drawing charts is most of a small job's time; the one job that all look at, made before this, has them."""
    light = {**gapnlp.service.results.RENDERERS, "html": lambda report, ui: f"<p>{report.items} {ui}".encode()}
    monkeypatch.setattr(gapnlp.service.results, "RENDERERS", light)


@pytest.fixture
def upload(tmp_path):
    return make_upload(tmp_path / "x.csv")


def test_a_job_runs_to_its_end(done):
    assert done.state == "succeeded", done.error
    assert done.file == "opinie łódź.csv"
    assert done.counts == {"read": 60, "scored": 59, "failed": 0, "duplicate": 0, "empty": 1, "unsupported": 0}
    assert [(f.source.file, f.source.row, f.kind) for f in done.failures] == [("opinie łódź.csv", 9, "empty")]
    assert (done.rows_done, done.rows_total) == (60, 60)
    assert done.created <= done.started <= done.finished
    assert done.rate > 0 and done.seconds_left is None
    assert [r.file for r in done.recognitions] == ["opinie łódź.csv"]


def test_results_in_every_format_tell_the_same(service, done):
    paths = {form: service.result("shop", done.id, form) for form in RESULT_FORMATS}
    rows = [json.loads(line) for line in paths["jsonl"].read_text(encoding="utf-8").splitlines()]
    assert len(rows) == ROWS
    assert [r["row"] for r in rows] == list(range(2, ROWS + 2))
    assert {r["file"] for r in rows} == {"opinie łódź.csv"}
    assert rows[0]["id"] == "r0"
    table = list(csv.DictReader(io.StringIO(paths["csv"].read_text(encoding="utf-8-sig"))))
    assert [r["id"] for r in table] == [r["id"] for r in rows] == pq.read_table(paths["parquet"])["id"].to_pylist()


def test_results_are_those_of_the_command_line(service, done, tmp_path, tiny_models):
    """The same rows as `gapnlp score` gives, but for the name of the file."""
    columns = gapnlp.jobs.ColumnOptions(by="store")
    scorer = ScorerSettings(tiny_models, quality="fast")
    inputs = gapnlp.jobs.recognise_inputs([make_upload(tmp_path / "x.csv")], columns, scorer=scorer, workers=1)
    gapnlp.jobs.score_file(inputs, tmp_path / "y.jsonl", on_progress=lambda _: None)
    expected = (
        (tmp_path / "y.jsonl").read_text(encoding="utf-8").replace('"file": "x.csv"', '"file": "opinie łódź.csv"')
    )
    assert service.result("shop", done.id, "jsonl").read_text(encoding="utf-8") == expected


def test_reports_in_every_format_and_language(service, done):
    for form in REPORT_FORMATS:
        assert service.report("shop", done.id, form).stat().st_size > 1000
    report = json.loads(service.report("shop", done.id, "json").read_bytes())
    assert report["items"] == 59
    assert report["inputs"][0]["file"] == "opinie łódź.csv"
    polish = service.report("shop", done.id, "xlsx", "pl")
    assert polish.read_bytes() != service.report("shop", done.id, "xlsx", "en").read_bytes()
    assert service.report("shop", done.id, "xlsx", "pl") == polish
    for wrong in (("pdf", None), ("html", "de"), ("../x", None)):
        with pytest.raises(InputError):
            service.report("shop", done.id, *wrong)
    with pytest.raises(InputError):
        service.result("shop", done.id, "html")


def test_segments_and_their_evidence(service, done, tiny_models):
    page = service.segments("shop", done.id, SegmentFilter(dimension="reliability", group="A"), limit=3)
    assert len(page.items) == 3 and page.next
    assert all("reliability" in s.labels.dimensions and s.group == "A" for s in page.items)
    more = service.segments(
        "shop", done.id, SegmentFilter(dimension="reliability", group="A"), limit=3, cursor=page.next
    )
    assert {(s.item, s.number) for s in page.items}.isdisjoint((s.item, s.number) for s in more.items)
    scorer = ScorerSettings(tiny_models, quality="fast").make()
    explained = explain_segments(scorer, page.items)
    assert any(s.evidence for s in explained)
    for stored, found in zip(page.items, explained, strict=True):
        assert replace(found, evidence={}) == stored
        for label, spans in found.evidence.items():
            assert label in stored.probabilities
            assert all(stored.start <= span.start < span.end <= stored.end for span in spans)


def test_only_results_are_kept_of_a_job_that_has_ended(service, done):
    folder = service._data.job(done.id).path
    assert [p.name for p in folder.iterdir()] == ["out"]


def test_other_projects_see_nothing(service, done):
    for call in (
        lambda: service.get("other", done.id),
        lambda: service.cancel("other", done.id),
        lambda: service.delete("other", done.id),
        lambda: service.result("other", done.id, "csv"),
        lambda: service.report("other", done.id, "html", "zh"),
        lambda: service.segments("other", done.id, SegmentFilter()),
    ):
        with pytest.raises(NotFound):
            call()
    assert done.id not in {job.id for job in service.list("other").items}
    assert done.id in {job.id for job in service.list("shop", states=["succeeded"]).items}


@pytest.mark.parametrize("job_id", ["", "..", "x" * 500, "\0", "\ud800", "%", "' OR 1=1"])
def test_ids_that_are_none_are_not_found(service, job_id):
    with pytest.raises(NotFound):
        service.get("shop", job_id)


def test_an_idempotency_key_gives_the_same_job(service, upload, tmp_path):
    again = make_upload(tmp_path / "again.csv")
    first = service.submit("keyed", upload, file="x.csv", options=OPTIONS, idempotency_key="k")
    second = service.submit("keyed", again, file="x.csv", options=OPTIONS, idempotency_key="k")
    assert second.id == first.id
    assert not upload.exists() and not again.exists()
    for changed in (
        lambda p: service.submit("keyed", p, file="y.csv", options=OPTIONS, idempotency_key="k"),
        lambda p: service.submit("keyed", p, file="x.csv", options=JobOptions(), idempotency_key="k"),
    ):
        with pytest.raises(Conflict, match="new key"):
            changed(make_upload(tmp_path / "other.csv"))
    other = service.submit(
        "keyed too", make_upload(tmp_path / "o.csv"), file="x.csv", options=OPTIONS, idempotency_key="k"
    )
    assert other.id != first.id
    assert len(service.list("keyed").items) == 1
    for job in (first, other):
        service.cancel(job.project, job.id)


def test_a_connection_lost_while_a_job_is_stored_loses_nothing(service, upload, tmp_path, monkeypatch):
    """Whether it was stored or not cannot be told then; the same request again finds it, with its upload."""
    real = gapnlp.service.jobs.ServiceJobs.insert

    def lose(self, job, **given):
        real(self, job, **given)
        raise StoreError("the connection was lost")

    monkeypatch.setattr(gapnlp.service.jobs.ServiceJobs, "insert", lose)
    with pytest.raises(StoreError):
        service.submit("lost", upload, file="x.csv", options=OPTIONS, idempotency_key="k")
    monkeypatch.undo()
    again = make_upload(tmp_path / "again.csv")
    job = service.submit("lost", again, file="x.csv", options=OPTIONS, idempotency_key="k")
    assert [j.id for j in service.list("lost").items] == [job.id]
    assert service._engine.states([job.id]) == {}
    monkeypatch.setattr("gapnlp.service.housekeeping._ON_THE_WAY", timedelta(0))
    service._housekeeping.requeue()
    assert wait(service, job).state == "succeeded"


def test_a_cancelled_job_leaves_no_text(service, tmp_path):
    big = make_upload(tmp_path / "big.csv", 20_000)
    job = service.submit("cancelling", big, file="x.csv", options=OPTIONS)
    while service.get("cancelling", job.id).stage != "scoring":
        time.sleep(0.02)
    assert service.cancel("cancelling", job.id).state == "cancelled"
    assert service.cancel("cancelling", job.id).state == "cancelled"
    deadline = time.monotonic() + 30
    while service._engine._running:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert list(service._data.job(job.id).path.iterdir()) == []
    assert service.get("cancelling", job.id).rows_done < 20_000
    with pytest.raises(Conflict, match="cancelled"):
        service.result("cancelling", job.id, "csv")


def test_a_running_job_that_is_deleted_is_gone_for_good(service, tmp_path):
    big = make_upload(tmp_path / "big.csv", 20_000)
    job = service.submit("deleting", big, file="x.csv", options=OPTIONS)
    while service.get("deleting", job.id).stage != "scoring":
        time.sleep(0.02)
    service.delete("deleting", job.id)
    with pytest.raises(NotFound):
        service.get("deleting", job.id)
    with pytest.raises(NotFound):
        service.delete("deleting", job.id)
    deadline = time.monotonic() + 30
    while service._engine._running:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert not service._data.job(job.id).path.exists()
    assert service._engine.states([job.id]) == {}


def test_ended_jobs_are_deleted_when_their_time_is_over(service, upload):
    job = wait(service, service.submit("old", upload, file="x.csv", options=OPTIONS))
    assert service.purge(keep_days=1) == 0
    path = service._data.job(job.id).path
    assert path.exists()
    with service._database.writing() as connection:
        from gapnlp.store.service_tables import SERVICE_JOBS

        past = job.finished - timedelta(days=2)
        connection.execute(SERVICE_JOBS.update().where(SERVICE_JOBS.c.id == job.id).values(finished=past))
    assert service.purge(keep_days=1) == 1
    assert not path.exists()
    with pytest.raises(NotFound):
        service.get("old", job.id)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.csv", "number,shop\n1,A\n", "x.csv: no column"),
        ("x.csv", "", "empty"),
        ("x.exe", "MZ", "kind of file"),
        ("x.xlsx", "no workbook", "x.xlsx: the archive is damaged"),
        ("../x.csv", "a" * 200_000 + "\n1\n", "x.csv, one of the first rows: a cell has 200,000 characters"),
    ],
)
def test_uploads_that_cannot_be_used_are_refused_at_once(service, tmp_path, name, content, words):
    upload = tmp_path / "arrived"
    upload.write_text(content)
    before = sorted(p.name for p in service._data.root.rglob("*"))
    with pytest.raises(InputError, match=words) as caught:
        service.submit("refused", upload, file=name, options=JobOptions())
    assert str(service._data.root) not in str(caught.value) and "upload." not in str(caught.value)
    assert not upload.exists()
    assert service.list("refused").items == ()
    assert not set(p.name for p in service._data.root.rglob("upload.*")) - set(before)


@pytest.mark.parametrize(
    "options",
    [JobOptions(period="year"), JobOptions(ui="de"), JobOptions(quality="best"), JobOptions(text="no such column")],
)
def test_options_that_cannot_be_used_are_refused_at_once(service, upload, options):
    with pytest.raises(InputError):
        service.submit("refused", upload, file="x.csv", options=options)
    with pytest.raises(InputError):
        service.preview("refused", make_upload(upload), file="x.csv", options=options)


def test_faults_that_only_the_whole_file_shows_fail_the_job(service, tmp_path, monkeypatch):
    monkeypatch.setattr("gapnlp.service.intake._CHECKED_AT_ONCE", 0)
    upload = make_upload(tmp_path / "x.csv", 3000)
    with upload.open("a", encoding="utf-8") as stream:
        stream.write("r3000," + "secret" * 20_000 + ",2025-01-01,A\n")
    job = wait(service, service.submit("failing", upload, file="my.csv", options=OPTIONS))
    assert job.state == "failed"
    assert job.error == (
        "my.csv, row 3002: a cell has 120,000 characters; at most 100,000 are taken: shorten it or leave the column out"
    )
    assert list(service._data.job(job.id).path.iterdir()) == []
    with pytest.raises(Conflict):
        service.cancel("failing", job.id)


def test_too_many_groups_fail_the_job_in_plain_words(service, tmp_path):
    upload = make_upload(tmp_path / "x.csv", 600)
    job = wait(service, service.submit("failing", upload, file="x.csv", options=replace(OPTIONS, by="Review ID")))
    assert job.state == "failed"
    assert "more than 500 different values" in job.error


class Panic(BaseException):
    """What a panic in Rust code looks like."""


@pytest.mark.parametrize("kind", [ValueError, Panic])
def test_an_unexpected_fault_fails_the_job_without_its_words(service, upload, monkeypatch, caplog, kind):
    def fail(*_):
        raise kind("The parcel came late: a customer's words")

    monkeypatch.setattr("gapnlp.service.results.item_rows", fail)
    job = wait(service, service.submit("failing", upload, file="x.csv", options=OPTIONS))
    assert job.state == "failed"
    assert kind.__name__ in job.error and "writing" in job.error
    assert "parcel" not in job.error + caplog.text
    assert kind.__name__ in caplog.text


def test_scoring_that_breaks_off_is_taken_up_again(service, upload, monkeypatch):
    breaks = iter([StoreError("a process was killed"), StoreError("again")])
    real = gapnlp.service.runs.run_job

    def break_off(inputs, work, key, *, counts, on_progress):
        seen = []

        def progress(read):
            seen.append(read)
            if len(seen) == 3 and (error := next(breaks, None)):
                raise error
            on_progress(read)

        real(inputs, work, key, counts=counts, on_progress=progress)

    monkeypatch.setattr(gapnlp.service.runs, "run_job", break_off)
    job = wait(service, service.submit("breaking", upload, file="x.csv", options=OPTIONS))
    assert job.state == "succeeded", job.error
    assert job.counts["read"] == ROWS
    assert next(breaks, None) is None


def test_scoring_that_breaks_off_again_and_again_fails(service, upload, monkeypatch):
    def break_off(*_, **__):
        raise StoreError("out of memory")

    monkeypatch.setattr(gapnlp.service.runs, "run_job", break_off)
    job = wait(service, service.submit("breaking", upload, file="x.csv", options=OPTIONS))
    assert job.state == "failed"
    assert "broke off at row 0 again and again: out of memory" in job.error


def test_results_of_another_version_are_not_mixed_in(service, upload, monkeypatch):
    """Models that change between scoring and writing have the rows scored anew: never an empty or mixed report."""
    keys = iter(["old", "new", "new"])
    monkeypatch.setattr(gapnlp.service.runs, "_key", lambda _: next(keys, "new"))
    job = wait(service, service.submit("upgraded", upload, file="x.csv", options=OPTIONS))
    assert job.state == "succeeded", job.error
    assert job.counts["read"] == ROWS


def test_a_job_that_ends_its_process_again_and_again_fails(service, upload, monkeypatch):
    monkeypatch.setattr(gapnlp.service.runs, "_MOST_STALLS", -1)
    job = wait(service, service.submit("stalling", upload, file="x.csv", options=OPTIONS))
    assert job.state == "failed"
    assert "again and again" in job.error
    assert list(service._data.job(job.id).path.iterdir()) == []


def test_a_preview_tells_the_columns_and_keeps_nothing(service, upload):
    before = sorted(service._data.root.rglob("*"))
    recognition = service.preview("shop", upload, file="a/b.csv", options=JobOptions(by="store"))
    assert recognition.file == "b.csv"
    assert {c.role for c in recognition.columns} >= {"id", "text", "date", "group"}
    header, first, *rest = service.first_rows(upload, file="b.csv", limit=2)
    assert header == ("Review ID", "review", "date", "store")
    assert first[0] == "r0" and len(rest) == 1
    assert upload.exists()
    assert [p for p in sorted(service._data.root.rglob("*")) if p not in before and "upload" in p.name] == []


def test_ready(service):
    service.ready()


def test_limits_of_lists(service):
    for limit in (0, 501):
        with pytest.raises(InputError):
            service.list("shop", limit=limit)
    with pytest.raises(InputError):
        service.list("shop", states=["done"])


def test_a_service_that_is_not_started_says_so(tmp_path):
    idle = JobService(read_settings(data_dir=tmp_path))
    with pytest.raises(StoreError, match="not started"):
        idle.ready()
    idle.stop()
