"""The real server over HTTP: a job from upload to download, uploads made to break it, starting and stopping."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import signal
import subprocess
import sys
import threading
import time
import zipfile

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from tests.api.conftest import SERVE, make_keys

SENTENCES = ("The parcel came # days late.", "They replied within # minutes.", "Paczka przyszła # dni po terminie.")


def export(rows: int = 30) -> bytes:
    lines = [f"r{n},{SENTENCES[n % 3].replace('#', str(n))},2026-0{1 + n % 3}-05,{'AB'[n % 2]}" for n in range(rows)]
    return ("Review ID,review,date,store\n" + "\n".join(lines) + "\n").encode()


def wait(client: httpx.Client, job: dict) -> dict:
    deadline = time.monotonic() + 120
    while job["state"] in ("queued", "running"):
        assert time.monotonic() < deadline, job
        time.sleep(0.1)
        job = client.get(f"/jobs/{job['id']}").json()
    return job


def test_a_job_from_upload_to_download(served):
    with served.client as client:
        made = client.post(
            "/jobs", files={"file": ("reviews.csv", export())}, data={"by": "store", "period": "month", "ui": "pl"}
        )
        assert made.status_code == 202, made.text
        with client.stream("GET", made.headers["Location"] + "/events") as stream:
            told = [line for line in stream.iter_lines() if line.startswith("event: ")]
        assert told[-1] == "event: end"
        job = client.get(made.headers["Location"]).json()
        assert (job["state"], job["rows_done"], job["counts"]["scored"]) == ("succeeded", 30, 30)
        rows = [json.loads(line) for line in client.get(job["links"]["result.jsonl"]).text.splitlines()]
        assert [r["id"] for r in rows] == [f"r{n}" for n in range(30)]
        table = pq.read_table(io.BytesIO(client.get(job["links"]["result.parquet"]).content))
        assert table.num_rows == 30
        assert client.get(job["links"]["result.csv"]).text.count("\n") >= 31
        assert client.get(job["links"]["report.xlsx"]).content.startswith(b"PK")
        assert '<html lang="pl"' in client.get(job["links"]["report.html"]).text
        assert '<html lang="zh' in client.get(job["links"]["report.html"], params={"ui": "zh"}).text
        page = client.get(job["links"]["segments"], params={"gap": "delivery", "group": "A", "limit": 3}).json()
        assert [s["group"] for s in page["items"]] == ["A"] * 3
        assert all(s["gaps"][0]["evidence"] for s in page["items"])
        more = client.get(job["links"]["segments"], params={"gap": "delivery", "group": "A", "cursor": page["next"]})
        assert {s["item"] for s in more.json()["items"]}.isdisjoint(s["item"] for s in page["items"])
        assert job["id"] in [r["id"] for r in client.get("/reports").json()["items"]]
        assert client.delete(made.headers["Location"]).status_code == 204
        assert client.get(made.headers["Location"]).status_code == 404
        assert not list((served.server.data / "jobs").glob(job["id"]))


def test_formulas_stay_texts(served):
    starts = ("=cmd|' /C calc'!A0", "+48", "@SUM(A1)", "-1")
    sentence = "The parcel came 5 days late and nobody answered."
    rows = ("id,review\n" + "".join(f"{n},{start} {sentence}\n" for n, start in enumerate(starts))).encode()
    with served.client as client:
        job = wait(client, client.post("/jobs", files={"file": ("r.csv", rows)}).json())
        assert job["state"] == "succeeded"
        sheet = client.get(job["links"]["result.csv"]).text
        texts = [json.loads(line)["text"] for line in client.get(job["links"]["result.jsonl"]).text.splitlines()]
        assert texts == [f"{start} {sentence}" for start in starts]
        cells = [row["text"] for row in csv.DictReader(io.StringIO(sheet.removeprefix("\ufeff")))]
        assert cells == [f"'{text}" for text in texts]
        client.delete(f"/jobs/{job['id']}")


def workbook(rows: list[list[str]], *, formula: str | None = None) -> bytes:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for r, cells in enumerate(rows):
            for c, cell in enumerate(cells):
                sheet.write_string(r, c, cell[:32_000])
        if formula:
            sheet.write_formula(len(rows), 1, formula, None, "It came late.")
    return made.getvalue()


def bomb(kind: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"\0" * 50_000_000)
        if kind == "many":
            for n in range(6_000):
                archive.writestr(f"xl/media/{n}.xml", "")
    return made.getvalue()


def parquet(**columns: object) -> bytes:
    made = io.BytesIO()
    pq.write_table(pa.table(columns), made)
    return made.getvalue()


LONG = "x" * 10_000_000
WIDE = [f"c{n}" for n in range(50_000)]
GOOD = [["id", "review"], ["1", "It came late."]]
# name -> (file name, content, what the answer says)
REFUSED = {
    "nothing": ("r.csv", b"", "empty"),
    "blank lines": ("r.csv", b"\n\n\n", "empty"),
    "zeros": ("r.csv", b"\0" * 100_000, ""),
    "a picture": ("r.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 100, ""),
    "10 MB cell, CSV": ("r.csv", f"id,review\n1,{LONG}\n".encode(), "line 2"),
    "10 MB cell in quotes, CSV": ("r.csv", f'id,review\n1,"{LONG}"\n'.encode(), "line 2"),
    "200 kB cell, CSV": ("r.csv", f"id,review\n1,{'x' * 200_000}\n".encode(), "200,000 characters"),
    "10 MB cell, JSON": ("r.json", json.dumps([{"id": 1, "review": LONG}]).encode(), "10,000,000 characters"),
    "10 MB cell, JSON Lines": ("r.jsonl", json.dumps({"review": LONG}).encode(), "line 1"),
    "10 MB cell, Parquet": ("r.parquet", parquet(review=[LONG]), "10,000,000 characters"),
    "50,000 columns, CSV": ("r.csv", (",".join(WIDE) + "\n" + ",".join(WIDE) + "\n").encode(), "at most 2,000"),
    "50,000 columns, JSON": ("r.json", json.dumps([dict.fromkeys(WIDE, "x")]).encode(), "50,000 columns"),
    "50,000 columns, Parquet": ("r.parquet", parquet(**{c: [1] for c in WIDE[:5_000]}), "5,000 columns"),
    "wide workbook": ("r.xlsx", workbook([WIDE[:3_000]]), "column 2,001"),
    "zip bomb": ("r.xlsx", bomb("zeros"), "times its size"),
    "zip bomb of parts": ("r.xlsx", bomb("many"), ""),
    "gzip bomb": ("r.csv.gz", gzip.compress(b"id,review\n" + b"a" * 50_000_000), "times its size"),
    "broken gzip": ("r.csv.gz", gzip.compress(b"id,review\n1,late\n" * 999)[:-20], "damaged"),
    "no gzip": ("r.csv.gz", b"id,review\n1,late\n", "damaged"),
    "broken workbook": ("r.xlsx", workbook(GOOD)[:-200], "damaged"),
    "no workbook": ("r.xlsx", b"id,review\n1,late\n", "damaged"),
    "broken Parquet": ("r.parquet", parquet(review=["late"])[:-9], "Parquet"),
    "broken JSON": ("r.json", b'[{"review": "late"}', "not valid JSON"),
    "deep JSON": ("r.json", b"[" * 1_000_000, ""),
    "JSON of nothing": ("r.json", b"[]", ""),
    "JSON of small values": ("r.json", b"[" + b"{}," * 10_000_001 + b"{}]", "JSON Lines"),
    "no text": ("r.csv", b"a,b\n1,2\n3,4\n", "no column is recognised"),
    "one column unquoted": ("r.csv", b"%PDF-1.7 not a table at all", "no column"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_upload_that_cannot_be_used_is_refused_with_a_reason(served, name):
    file, content, said = REFUSED[name]
    with served.client as client:
        answered = client.post("/jobs", files={"file": (file, content)})
        assert answered.status_code == 422, answered.text
        problem = answered.json()
        assert answered.headers["content-type"] == "application/problem+json"
        assert problem["type"] == "urn:gapnlp:problem:unusable-upload"
        assert problem["detail"].startswith(file)
        assert said in problem["detail"]
        assert len(answered.content) < 20_000
        assert client.get("/healthz").status_code == 200
        assert not list((served.server.data / "arrivals").iterdir())


ACCEPTED = {
    "path-like name": ("../../../etc/cron.d/r.csv", export(), "r.csv"),
    "drive letter": ("C:\\windows\\r.csv", export(), "r.csv"),
    "UTF-16": ("r.csv", export().decode().encode("utf-16"), "r.csv"),
    "Windows-1250": ("r.csv", export().decode().encode("cp1250"), "r.csv"),
    "bytes that are no letters": ("r.csv", export() + b"r99,\xff\xfe late,2026-01-01,A\n", "r.csv"),
    "breaks off in a cell": ("r.csv", export()[:-30], "r.csv"),
    "open quotation mark": ("r.csv", export() + b'r99,"it came late,2026-01-01,A\n', "r.csv"),
    "formula": ("r.xlsx", workbook(GOOD, formula='=HYPERLINK("http://x")'), "r.xlsx"),
    "rows of other widths": ("r.csv", export() + b"1,2,3,4,5,6\n1\n", "r.csv"),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_an_upload_that_is_odd_is_read_as_far_as_it_goes(served, name):
    file, content, shown = ACCEPTED[name]
    with served.client as client:
        answered = client.post("/jobs", files={"file": (file, content)})
        assert answered.status_code == 202, answered.text
        assert answered.json()["file"] == shown
        job = wait(client, answered.json())
        assert job["state"] == "succeeded", job["error"]
        assert job["counts"]["read"] == sum(v for k, v in job["counts"].items() if k != "read") > 0
        assert client.delete(f"/jobs/{job['id']}").status_code == 204


def test_spoiled_uploads_of_every_kind_are_answered_clearly(served):
    """Bytes changed at random: accepted or refused with a reason, never an error of the server."""
    sound = {
        "r.csv": export(),
        "r.csv.gz": gzip.compress(export()),
        "r.xlsx": workbook(GOOD * 3),
        "r.json": json.dumps([{"review": "It came late.", "stars": 1}] * 5).encode(),
        "r.jsonl": b'{"review": "It came late.", "stars": 1}\n' * 5,
        "r.parquet": parquet(review=["It came late."] * 50, stars=[1, 2] * 25),
    }
    dice = random.Random(11)
    with served.client as client:
        for file, content in sound.items():
            for _ in range(12):
                spoiled = bytearray(content)
                for _ in range(dice.choice((1, 3, 30))):
                    spoiled[dice.randrange(len(spoiled))] = dice.randrange(256)
                cut = dice.choice((len(spoiled), dice.randrange(len(spoiled))))
                answered = client.post("/previews", files={"file": (file, bytes(spoiled[:cut]))})
                assert answered.status_code in (200, 422), (file, answered.text)
                assert answered.status_code == 200 or answered.json()["detail"].startswith(file)


def test_an_upload_over_the_limit_is_refused_without_being_kept(served):
    with served.client as client:
        answered = client.post("/jobs", files={"file": ("r.csv", b"id,review\n" + b"1,late\n" * 9_000_000)})
        assert (answered.status_code, answered.json()["type"]) == (413, "urn:gapnlp:problem:too-large")
        assert not list((served.server.data / "arrivals").iterdir())


def test_many_callers_at_once_are_all_answered(served):
    answers: list[int] = []

    def call(number: int) -> None:
        with served.client as client:
            for n in range(10):
                text = f"The parcel came {number + n} days late."
                got = client.post("/classify", json={"text": text})
                assert got.json()["results"][0]["segments"][0]["text"] == text
                answers.append(got.status_code)

    threads = [threading.Thread(target=call, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 80


def test_requests_under_way_are_finished_when_the_server_stops(start_server, tmp_path):
    server = start_server(tmp_path / "data")
    documents = [{"id": str(n), "text": f"The parcel came {n} days late. Nobody answers."} for n in range(100)]
    got: list[httpx.Response] = []
    with server.client() as client:
        job = client.post("/jobs", files={"file": ("r.csv", export(3_000))}).json()
        streamed: list[str] = []

        def follow() -> None:
            with client.stream("GET", f"/jobs/{job['id']}/events") as stream:
                streamed.extend(stream.iter_lines())

        asking = threading.Thread(target=lambda: got.append(client.post("/classify", json={"documents": documents})))
        following = threading.Thread(target=follow)
        for thread in (following, asking):
            thread.start()
        while not any(line.startswith("event: ") for line in streamed):
            time.sleep(0.01)
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        asking.join(60)
        following.join(60)
        log = server.stop()
    assert (got[0].status_code, len(got[0].json()["results"])) == (200, 100)
    assert time.monotonic() - began < 30
    assert server.process.returncode == 0
    assert "parcel" not in log
    assert "Traceback" not in log


def test_an_open_door_is_refused(tmp_path):
    command = [sys.executable, "-c", SERVE, "--host", "0.0.0.0", "--port", "0"]
    env = {"GAPNLP_DATA_DIR": str(tmp_path / "data"), "PATH": "/usr/bin"}
    ran = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
    assert ran.returncode != 0
    assert "gapnlp keys create" in ran.stderr


def test_with_a_key_another_address_is_listened_on(start_server, tmp_path):
    [secret] = make_keys(tmp_path / "data", ("shop", "classify"))
    server = start_server(tmp_path / "data", "--host", "0.0.0.0")
    address = server.address.replace("0.0.0.0", "127.0.0.1")
    assert httpx.get(f"{address}/models").status_code == 401
    assert httpx.get(f"{address}/models", headers={"Authorization": f"Bearer {secret}"}).status_code == 200
    assert "0.0.0.0" in server.stop()
