"""Jobs over the API: uploads on their way to the service, downloads, pages, events."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest
from starlette.requests import Request

from gapnlp.api.events import Streams
from gapnlp.api.multipart import receive_form
from gapnlp.api.problems import ApiProblem
from gapnlp.errors import NotFound, StoreError
from gapnlp.records.service import JobOptions
from tests.api.fakes import NOW

CSV = b"id,review\n1,The parcel came 5 days late.\n"
BOUNDARY = {"Content-Type": "multipart/form-data; boundary=b"}


def submit(api, content=CSV, name="reviews.csv", fields=None, **headers):
    return api.client.post("/jobs", files={"file": (name, content)}, data=fields or {}, headers=headers)


def arrivals(api):
    return list(api.settings.data_dir.glob("arrivals/*"))


def part(name, content=b"", filename=None):
    named = f'; filename="{filename}"' if filename else ""
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode()
    return head + content + b"\r\n"


def test_an_upload_becomes_a_job(api):
    answered = submit(api, fields={"by": "store", "period": "month", "ui": "pl", "redact": "true", "text": "review"})
    assert answered.status_code == 202
    job = answered.json()
    assert (answered.headers["Location"], answered.headers["Retry-After"]) == (f"/jobs/{job['id']}", "1")
    assert (job["state"], job["file"], job["options"]["by"]) == ("queued", "reviews.csv", "store")
    assert job["recognitions"][0]["columns"] == [{"column": "review", "role": "text", "why": "a usual header for it"}]
    wanted = JobOptions(text="review", by="store", period="month", ui="pl", redact=True, quality="fast")
    assert api.jobs.received == [("reviews.csv", CSV, wanted)]
    assert arrivals(api) == []


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\Users\\x\\reviews.csv", "reviews.csv"),
        ("a\u202evsc.exe.csv", "avsc.exe.csv"),
        ("Opinie klientów 评论.csv", "Opinie klientów 评论.csv"),
        ("x" * 500 + ".csv", "x" * 196 + ".csv"),
    ],
)
def test_a_name_is_shown_and_never_a_path(api, sent, shown):
    assert submit(api, name=sent).json()["file"] == shown
    assert sorted(p.name for p in api.settings.data_dir.iterdir()) == ["arrivals"]


@pytest.mark.parametrize("name", ["reviews.pdf", "reviews", ".htaccess", "reviews.csv.exe"])
def test_another_kind_of_file_is_refused_by_its_name(api, name):
    answered = submit(api, name=name)
    assert (answered.status_code, arrivals(api)) == (415, [])
    assert ".csv" in answered.json()["detail"]


def test_what_the_service_finds_wrong_is_told_with_the_name_that_was_sent(api):
    answered = submit(api, content=b"a,b\n1,2\n", name="my export.csv")
    assert answered.status_code == 422
    assert answered.json()["type"] == "urn:gapnlp:problem:unusable-upload"
    assert answered.json()["detail"].startswith("my export.csv: no column")
    assert (arrivals(api), api.jobs.received) == ([], [])


@pytest.mark.parametrize(
    ("fields", "location"),
    [
        ({"period": "day"}, "body.period"),
        ({"ui": "de"}, "body.ui"),
        ({"redact": "yes"}, "body.redact"),
        ({"text": ""}, "body.text"),
        ({"text": "a" * 501}, "body.text"),
        ({"colour": "red"}, "body.colour"),
    ],
)
def test_options_are_checked(api, fields, location):
    answered = submit(api, fields=fields)
    assert (answered.status_code, arrivals(api)) == (422, [])
    assert [e["location"] for e in answered.json()["errors"]] == [location]


def test_the_same_key_gives_the_same_job(api):
    first, again = (submit(api, **{"Idempotency-Key": "k"}).json()["id"] for _ in range(2))
    assert first == again
    assert len(api.jobs.received) == 1
    assert arrivals(api) == []


def test_an_upload_that_is_too_large_is_refused_and_deleted(open_api):
    api = open_api(upload_bytes=1_000_000)
    content = b"id,review\n" + b"1,late\n" * 200_000
    assert submit(api, content=content).status_code == 413

    def slowly():
        yield part("file", content[:100], "reviews.csv")[:-2]
        for start in range(0, len(content), 50_000):
            yield content[start : start + 50_000]

    answered = api.client.post("/jobs", content=slowly(), headers=BOUNDARY)
    assert (answered.status_code, arrivals(api)) == (413, [])
    assert "1,000,000 bytes" in answered.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no form at all",
        part("file", CSV, "reviews.csv"),  # never ended
        part("file", CSV, "reviews.csv")[:40],
        part("file", CSV, "a.csv") + part("file", CSV, "b.csv") + b"--b--\r\n",
        part("text", b"review") + part("text", b"review") + part("file", CSV, "a.csv") + b"--b--\r\n",
        b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
        b"--b\r\nX: " + b"y" * 10_000 + b"\r\n\r\nx\r\n--b--\r\n",
        part("text", b"x" * 5_000) + part("file", CSV, "a.csv") + b"--b--\r\n",
        b"".join(part(f"f{n}") for n in range(40)) + part("file", CSV, "a.csv") + b"--b--\r\n",
    ],
)
def test_a_form_that_is_broken_is_refused(api, body):
    answered = api.client.post("/jobs", content=body, headers=BOUNDARY)
    assert (answered.status_code, arrivals(api)) == (400, []), answered.text
    assert answered.json()["type"] == "urn:gapnlp:problem:bad-request"


def test_a_form_arrives_in_any_pieces(api):
    body = part("by", "sklep żółty".encode()) + part("file", CSV * 50, "reviews.csv") + b"--b--\r\n"
    for size in (1, 7, 1000):
        pieces = (body[i : i + size] for i in range(0, len(body), size))
        assert api.client.post("/jobs", content=pieces, headers=BOUNDARY).status_code == 202
    assert [content for _, content, _ in api.jobs.received] == [CSV * 50] * 3
    assert {options.by for _, _, options in api.jobs.received} == {"sklep żółty"}


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data", "text/csv", ""])
def test_anything_but_a_form_is_refused(api, kind):
    answered = api.client.post("/jobs", content=CSV, headers={"Content-Type": kind})
    assert answered.status_code in (400, 415)


def test_a_form_without_an_upload_is_refused(api):
    for fields in (b"", part("text", b"review")):
        answered = api.client.post("/jobs", content=fields + b"--b--\r\n", headers=BOUNDARY)
        assert (answered.status_code, answered.json()["errors"][0]["location"]) == (422, "body.file")


def test_only_so_many_uploads_are_received_at_a_time(api):
    gate = api.app.state.uploads
    gate.held["local"] = gate.receiving // 2
    answered = submit(api)
    assert (answered.status_code, answered.headers["Retry-After"]) == (503, "5")
    gate.held.clear()
    gate.held["others"] = gate.receiving
    assert submit(api).status_code == 503
    gate.held["others"] -= 1
    assert submit(api).status_code == 202
    assert dict(gate.held) == {"others": gate.receiving - 1}


def test_a_sender_who_stops_sending_is_not_waited_for_for_ever(api, monkeypatch):
    monkeypatch.setattr("gapnlp.api.multipart._PATIENCE_SECONDS", 0.05)

    async def scenario():
        messages = [{"type": "http.request", "body": part("file", CSV, "r.csv"), "more_body": True}]

        async def receive():
            if messages:
                return messages.pop()
            await asyncio.sleep(60)

        path = api.settings.data_dir / "upload"
        request = Request({"type": "http", "headers": [(b"content-type", BOUNDARY["Content-Type"].encode())]}, receive)
        with pytest.raises(ApiProblem, match="nothing of the form arrived"):
            await receive_form(request, path, most_bytes=1_000)
        assert not path.exists()

    api.settings.data_dir.mkdir()
    asyncio.run(asyncio.wait_for(scenario(), 20))


def test_a_preview_says_how_an_upload_would_be_read_and_keeps_nothing(api):
    answered = api.client.post("/previews", files={"file": ("reviews.csv", CSV)})
    assert answered.status_code == 200
    assert (answered.json()["file"], answered.json()["rating_scale"]) == ("reviews.csv", [1.0, 5.0])
    assert (arrivals(api), api.jobs.kept) == ([], {})


def test_a_job_tells_how_it_is_doing(api):
    job = api.jobs.add("local", "running", rows_done=500, rows_total=2000, resumed=NOW, updated=NOW, stage="scoring")
    answered = api.client.get(f"/jobs/{job.id}")
    told = answered.json()
    assert (told["state"], told["stage"], told["rows_done"], told["rows_total"]) == ("running", "scoring", 500, 2000)
    assert (told["created"], told["links"]) == ("2026-03-01T12:00:00Z", {})
    assert answered.headers["Retry-After"] == "1"
    done = api.jobs.add("local", "succeeded")
    links = api.client.get(f"/jobs/{done.id}").json()["links"]
    for link in links.values():
        assert api.client.get(link).status_code == 200


def test_jobs_come_in_pages(api):
    jobs = [api.jobs.add("local", "failed" if n % 2 else "queued", error=None) for n in range(5)]
    first = api.client.get("/jobs", params={"limit": 2}).json()
    second = api.client.get("/jobs", params={"limit": 2, "cursor": first["next"]}).json()
    assert [j["id"] for j in first["items"] + second["items"]] == [j.id for j in jobs[:4]]
    failed = api.client.get("/jobs", params={"state": ["failed"]}).json()
    assert ([j["state"] for j in failed["items"]], failed["next"]) == (["failed", "failed"], None)
    assert api.client.get("/jobs", params={"cursor": "nonsense"}).status_code == 404
    for wrong in ({"limit": 0}, {"limit": 201}, {"state": "gone"}, {"cursor": ""}, {"colour": "red"}):
        assert api.client.get("/jobs", params=wrong).status_code == 422


def test_a_job_is_cancelled_and_deleted(api):
    job = api.jobs.add("local", "running")
    assert api.client.post(f"/jobs/{job.id}/cancel").json()["state"] == "cancelled"
    assert api.client.post(f"/jobs/{job.id}/cancel").status_code == 409
    assert api.client.delete(f"/jobs/{job.id}").status_code == 204
    assert api.client.get(f"/jobs/{job.id}").status_code == 404
    assert api.client.delete(f"/jobs/{job.id}").status_code == 404


@pytest.mark.parametrize("wrong", ["nonsense", "A" * 32, "0" * 31, "..%2f..%2fetc"])
def test_an_id_that_can_be_none_is_refused(api, wrong):
    assert api.client.get(f"/jobs/{wrong}").status_code in (404, 422)


FORMATS = ("result.csv", "result.jsonl", "result.parquet", "report.json", "report.html", "report.xlsx")


@pytest.mark.parametrize("name", FORMATS)
def test_results_are_downloaded_under_a_name_of_ours(api, name):
    job = api.jobs.add("local", "succeeded")
    answered = api.client.get(f"/jobs/{job.id}/{name}")
    assert answered.content == f"local {name.partition('.')[2]}".encode()
    shown = answered.headers["Content-Disposition"]
    assert shown.startswith("inline" if name == "report.html" else "attachment")
    assert f'filename="gapnlp-{job.id[:8]}-' in shown
    assert ("sandbox" in answered.headers["Content-Security-Policy"]) == (name == "report.html")
    assert api.client.get(f"/jobs/{api.jobs.add('local').id}/{name}").status_code == 409


@pytest.mark.parametrize(
    ("asked", "status", "content"),
    [
        ("bytes=0-4", 206, b"local"),
        ("bytes=6-", 206, b"csv"),
        ("bytes=-3", 206, b"csv"),
        ("bytes=99-", 416, None),
        ("bytes=-0", 416, None),
        ("bytes=4-2", 200, b"local csv"),
        ("items=0-1", 200, b"local csv"),
        ("bytes=", 200, b"local csv"),
    ],
)
def test_a_download_goes_on_where_it_broke_off(api, asked, status, content):
    job = api.jobs.add("local", "succeeded")
    answered = api.client.get(f"/jobs/{job.id}/result.csv", headers={"Range": asked})
    assert answered.status_code == status
    if content is None:
        assert answered.headers["content-type"] == "application/problem+json"
        assert answered.headers["Content-Range"] == "bytes */9"
    else:
        assert answered.content == content


def test_reports_are_the_jobs_that_have_succeeded(api):
    api.jobs.add("local", "running")
    done = api.jobs.add("local", "succeeded", counts={"read": 3})
    [report] = api.client.get("/reports").json()["items"]
    assert (report["id"], report["counts"]) == (done.id, {"read": 3})


def test_segments_come_with_evidence_in_the_unit_asked_for(api):
    job = api.jobs.add("local", "succeeded")
    page = api.client.get(f"/reports/{job.id}/segments", params={"gap": "delivery", "offset_unit": "utf16"}).json()
    [segment] = page["items"]
    assert (segment["gaps"][0]["gap"], segment["gaps"][0]["probability"]) == ("delivery", 0.7)
    spots = [s for part in (segment["sentiment"], *segment["gaps"]) for s in part["evidence"]]
    assert spots
    assert all(0 <= s["start"] < s["end"] <= len(segment["text"]) for s in spots)
    assert (segment["churn"]["probability"], segment["before"]) == (None, "😀. ")
    plain = api.client.get(f"/reports/{job.id}/segments", params={"evidence": "false"}).json()["items"][0]
    assert plain["gaps"][0]["evidence"] == []
    assert api.client.get(f"/reports/{job.id}/segments", params={"gap": "policy"}).json()["items"] == []
    assert api.client.get(f"/reports/{job.id}/segments", params={"gap": "trust"}).status_code == 422
    assert api.client.get(f"/reports/{job.id}/segments", params={"cursor": "x"}).status_code == 404


def events(text):
    """(event, id, data) of each event in a stream."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "event" in fields:
            found.append((fields["event"], fields["id"], json.loads(fields["data"])))
    return found


def test_a_job_that_has_ended_is_told_once(api):
    job = api.jobs.add("local", "succeeded", rows_done=10)
    answered = api.client.get(f"/jobs/{job.id}/events")
    assert answered.headers["content-type"].startswith("text/event-stream")
    [(kind, name, data)] = events(answered.text)
    assert (kind, data["state"], data["rows_done"]) == ("end", "succeeded", 10)
    again = api.client.get(f"/jobs/{job.id}/events", headers={"Last-Event-ID": name})
    assert (again.status_code, again.content) == (204, b"")


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr("gapnlp.api.events._PAUSE", 0.001)


def follow(streams, states, last=None):
    """Follow a job through states; each is told anew when asked for."""
    left = list(states)

    def read():
        if not left:
            raise NotFound("gone")
        return left.pop(0)

    async def collect():
        return b"".join([e async for e in streams.follow(left.pop(0), read, last)]).decode()

    return asyncio.run(asyncio.wait_for(collect(), 20))


def test_progress_is_told_as_it_comes(api, quick):
    job = api.jobs.add("local", "running", stage="scoring")
    states = [replace(job, rows_done=n) for n in (0, 0, 500, 500, 1000)]
    ended = replace(job, state="succeeded", stage=None, rows_done=1000)
    streams = Streams()
    told = events(follow(streams, [*states, ended]))
    assert [(kind, data["rows_done"]) for kind, _, data in told] == [
        ("progress", 0),
        ("progress", 500),
        ("progress", 1000),
        ("end", 1000),
    ]
    assert len({name for _, name, _ in told}) == 4
    assert streams.now == 0
    resumed = events(follow(Streams(), [states[2], states[4], ended], last=told[1][1]))
    assert [data["rows_done"] for _, _, data in resumed] == [1000, 1000]


def test_a_stream_ends_when_the_job_is_deleted_or_the_server_stops(api, quick):
    job = api.jobs.add("local", "running")
    assert [kind for kind, _, _ in events(follow(Streams(), [job]))] == ["progress", "deleted"]
    stopping = Streams()
    stopping.stopping.set()
    assert [kind for kind, _, _ in events(follow(stopping, [job] * 100_000))] == ["progress"]


def test_what_is_silent_for_long_is_kept_open(api, quick, monkeypatch):
    monkeypatch.setattr("gapnlp.api.events._KEEP_ALIVE", 0.0)
    job = api.jobs.add("local", "running")
    assert ": still here" in follow(Streams(), [job, job, job])


def test_only_so_many_callers_follow_at_a_time(api):
    job = api.jobs.add("local", "running")
    api.app.state.streams.now = api.app.state.streams.most
    answered = api.client.get(f"/jobs/{job.id}/events")
    assert (answered.status_code, answered.headers["Retry-After"]) == (503, "5")


def test_the_server_is_ready_when_all_of_it_is(api):
    while not api.app.state.pool.ready:
        pass
    assert api.client.get("/readyz").status_code == 200
    api.jobs.fault = StoreError("secret://database")
    answered = api.client.get("/readyz")
    assert (answered.status_code, answered.json()["type"]) == (503, "urn:gapnlp:problem:not-ready")
    assert "secret" not in answered.text
    assert api.client.get("/healthz").status_code == 200


def test_a_database_that_is_away_is_told_as_503(api):
    api.jobs.fault = StoreError("secret://database")
    answered = api.client.get("/jobs")
    assert (answered.status_code, "secret" in answered.text) == (503, False)


def test_an_unexpected_error_is_a_problem_without_what_it_said(api, caplog):
    api.jobs.fault = RuntimeError("Krystyna's text")
    answered = api.client.get("/jobs")
    assert (answered.status_code, answered.json()["type"]) == (500, "urn:gapnlp:problem:internal")
    assert "Krystyna" not in answered.text + caplog.text
    assert "RuntimeError" in caplog.text
