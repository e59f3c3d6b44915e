"""Marked texts, names, addresses and headers go through every route; the log must hold none of them.

Once against a real server, all that it writes, at DEBUG; and once against an app whose parts fail with what they read.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import re
import time
from collections.abc import Iterable
from pathlib import Path

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from starlette.testclient import TestClient

from gapnlp.api.app import create_app
from gapnlp.api.logs import JsonLines
from gapnlp.service.jobs import JobService
from gapnlp.settings import Settings

# Invented, so that nothing else can hold it. In upper case too: header names and ids are sometimes folded.
MARK = "zzkrystynazz"
TEXT = f"The parcel of {MARK} came 9 days late, {MARK} called twice and nobody answered. Paczka {MARK}. 包裹{MARK}"
KEY = f"{MARK}-secret"
SECONDS = 120
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", MARK.upper())
HEADERS = {
    "User-Agent": MARK,
    "Referer": f"http://{MARK}.example/",
    "Cookie": f"{MARK}={MARK}; gapnlp_key={MARK}",
    "Idempotency-Key": MARK,
    "Last-Event-ID": MARK,
    "X-Request-ID": MARK,
    "X-API-Key": MARK,
    "Traceparent": MARK,
    "Accept-Language": MARK,
}
QUERY = {name: MARK for name in ("q", "ui", "gap", "dimension", "group", "period", "cursor", "limit", "state", "text")}
EXPORT = f"id,{MARK} column,review,day,shop\n" + "".join(
    f"{MARK}-{n},{MARK},{TEXT.replace(',', ';')} {n},2025-0{n % 9 + 1}-11,{MARK} shop {n % 2}\n" for n in range(20)
)
FILE = f"{MARK}.csv"
# Files that make readers fail, each in its own way.
BAD_FILES = {
    f"{MARK}.xlsx": b"PK\x03\x04" + MARK.encode() * 50,
    f"{MARK}.json": f'[{{"{MARK}": "{TEXT}", '.encode(),
    f"{MARK}.parquet": b"PAR1" + MARK.encode() * 50,
    f"{MARK}.csv.gz": b"\x1f\x8b" + MARK.encode() * 50,
    f"../../{MARK}.exe": MARK.encode(),
    f"{MARK}.tsv": f"{MARK}\t{MARK}\n1\t2\n".encode("utf-16"),
    f"{MARK}-2.csv": f"{MARK}\n{TEXT}\n".encode(),
}
BODIES = [
    {"json": {"text": TEXT}},
    {"json": {"documents": [{"id": MARK, "text": TEXT}, {"id": MARK, "text": f"¿{MARK} dónde está el paquete?"}]}},
    {"json": {MARK: [MARK, {MARK: None}], "text": 7, "language": MARK, "offset_unit": MARK}},
    {"json": [MARK] * 3},
    {"content": f'{{"text": "{MARK}'.encode(), "headers": {"Content-Type": "application/json"}},
    {"content": MARK.encode(), "headers": {"Content-Type": f"text/{MARK}"}},
    {"data": {MARK: MARK, "text": TEXT, "key": MARK, "ui": MARK}},
    {"files": {"file": (FILE, EXPORT)}, "data": {"by": MARK, "text": MARK, MARK: MARK}},
    {"content": f"--x{MARK}".encode(), "headers": {"Content-Type": f"multipart/form-data; boundary={MARK}"}},
]
FAILING = ("submit", "preview", "get", "list", "cancel", "delete", "result", "report", "segments")


def templates() -> list[str]:
    """Every route that the app has, in the schema or not."""
    app = create_app(Settings())
    return sorted({route.path for route in iter_route_contexts(app.routes) if route.path is not None})


def knock(client: httpx.Client, template: str, job: str) -> None:
    """Ask a route for everything, with marks wherever something can be put."""
    marked = re.sub(r"\{[^}]*\}", MARK, template)
    known = re.sub(r"\{[^}]*\}", MARK, re.sub(r"\{job_id[^}]*\}", job, template))
    for method in METHODS:
        client.request(method, marked, params=QUERY, headers=HEADERS)
    for path in {known, f"{marked}/{MARK}"}:
        client.request("GET", path, params=QUERY)
    for body in BODIES:
        client.post(known, params={"q": MARK}, **body)


def webhooks(client: httpx.Client) -> list[httpx.Response]:
    """Send each tool's webhook, signed."""
    ticket = {"ticket_id": MARK, "subject": MARK, "text": TEXT, "language": MARK}
    zendesk = json.dumps(ticket).encode()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    signed = base64.b64encode(hmac.digest(KEY.encode(), stamp.encode() + zendesk, hashlib.sha256)).decode()
    headers = {"X-Zendesk-Webhook-Signature": signed, "X-Zendesk-Webhook-Signature-Timestamp": stamp}
    item = {"type": "conversation", "id": MARK, "source": {"subject": MARK, "body": f"<p>{TEXT}</p>"}}
    intercom = {"topic": "conversation.user.created", "id": MARK, "created_at": int(time.time())}
    body = json.dumps({**intercom, "data": {"item": item}}).encode()
    hub = {"X-Hub-Signature": "sha1=" + hmac.digest(KEY.encode(), body, hashlib.sha1).hex()}
    kind = {"Content-Type": "application/json"}
    return [
        client.post("/webhooks/zendesk", content=zendesk, headers=headers | kind),
        client.post("/webhooks/intercom", content=body, headers=hub | kind),
        client.post("/webhooks/freshdesk", json=ticket, headers={"X-Gapnlp-Token": KEY}),
        client.post("/webhooks/freshdesk", json=ticket, headers={"X-Gapnlp-Token": MARK}),
    ]


def make_report(client: httpx.Client) -> str:
    """Upload the export, wait for its report, and read all that comes of it; gives the job's id."""
    client.post("/previews", files={"file": (FILE, EXPORT)})
    answer = client.post("/jobs", files={"file": (FILE, EXPORT)}, data={"text": "review", "by": "shop", "date": "day"})
    job = answer.json()["id"]
    deadline = time.monotonic() + SECONDS
    while client.get(f"/jobs/{job}").json()["state"] in ("queued", "running"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    client.get(f"/jobs/{job}/events")
    for name in ("result.csv", "result.jsonl", "result.parquet", "report.json", "report.html", "report.xlsx"):
        assert client.get(f"/jobs/{job}/{name}").status_code == 200, name
    found = client.get(f"/reports/{job}/segments", params={"group": f"{MARK} shop 1"})
    assert MARK in found.text
    return job


def settings(**more: object) -> dict[str, object]:
    secrets = {"shop": KEY}
    return {"zendesk_secrets": secrets, "intercom_secrets": secrets, "freshdesk_tokens": secrets, **more}


def check(lines: Iterable[str], routes: Iterable[str]) -> None:
    """Every route was told of, and no mark got out."""
    told = [json.loads(line) for line in lines if line.startswith("{")]
    missing = set(routes) - {line.get("route") for line in told}
    assert missing == set()
    assert [line for line in lines if MARK in line.lower()] == []


def test_a_real_server_writes_no_texts(serve, tmp_path):
    environment = {name: json.dumps(v) if isinstance(v, dict) else v for name, v in settings().items()}
    server = serve(tmp_path / "data", log_level="DEBUG", **environment)
    server.wait_until_ready()
    routes = templates()
    with httpx.Client(base_url=server.url, timeout=SECONDS) as client:
        job = make_report(client)
        for name, content in BAD_FILES.items():
            for path in ("/jobs", "/previews", "/page/uploads"):
                client.post(path, files={"file": (name, content)}, data={"text": MARK})
        assert [answer.status_code for answer in webhooks(client)] == [200, 200, 200, 401]
        for template in routes:
            knock(client, template, job)
        client.get(f"/{MARK}/{MARK}", params=QUERY)
        client.delete(f"/jobs/{job}")
    server.stop()
    server.wait()
    lines = server.written().splitlines()
    check(lines, [*routes, "unknown"])
    assert [line for line in lines if not line.startswith(("{", "serving at http://127.0.0.1:"))] == []


class Written(logging.Handler):
    """Keeps lines as the service would write them."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.setFormatter(JsonLines())

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


class FailingScorer:
    """Fails with the text that it was given, once it is warm."""

    def score(self, items):
        if any(MARK in item.text for item in items):
            raise ValueError(f"cannot read {items[0].text}")
        return []


@pytest.fixture
def written():
    handler, root = Written(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.setLevel(level)
    root.removeHandler(handler)


def test_failures_write_no_texts(monkeypatch, tmp_path, written):
    def fail(name: str):
        def failing(self, *given, **named):
            raise RuntimeError(f"{name} failed at {TEXT} {given} {named}")

        return failing

    for name in FAILING:
        monkeypatch.setattr(JobService, name, fail(name))
    app = create_app(Settings(**settings(data_dir=tmp_path / "data")), make_scorer=FailingScorer)
    routes = templates()
    local = {"base_url": "http://127.0.0.1", "client": ("127.0.0.1", 50000)}
    with TestClient(app, raise_server_exceptions=False, **local) as client:
        deadline = time.monotonic() + SECONDS
        while client.get("/readyz").status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        webhooks(client)
        assert client.post("/classify", json={"text": TEXT}).json()["results"][0]["status"] == "error"
        assert client.post("/jobs", files={"file": (FILE, EXPORT)}).status_code == 500
        for template in routes:
            knock(client, template, "0" * 32)
    check(written.lines, routes)
    errors = [json.loads(line)["message"] for line in written.lines if '"ERROR"' in line]
    assert [m for m in errors if m.startswith("unexpected RuntimeError at ")]
    assert [m for m in errors if "made the scorer fail with ValueError" in m]


def test_marks_are_where_they_should_be():
    """The files and bodies above carry marks: an emptied constant would make everything above pass."""
    assert all(MARK.encode() in content or MARK in content.decode("utf-16") for content in BAD_FILES.values())
    assert all(MARK in str(body) for body in BODIES)
    assert Path(FILE).stem == MARK and EXPORT.count(MARK) > 100
    for leak in ({"route": "/jobs", "message": f"read {MARK.title()}"}, {"route": "/other", "message": "request"}):
        with pytest.raises(AssertionError):
            check([json.dumps(leak)], ["/jobs"])
