"""Two projects with ten keys on the real server and database: what one has uploaded reaches the other nowhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import httpx
import pytest

from gapnlp.api.access import SESSION_COOKIE
from gapnlp.records.service import SCOPES
from tests.api.conftest import Server, make_keys
from tests.api.test_api_tenants import PROBES

PROJECTS = ("shop", "hotel")
ADDRESSES = sorted(PROBES)


@dataclass(frozen=True)
class Tenant:
    """A project: its keys, its job that has succeeded, a correction, and the words that only its texts hold."""

    secrets: list[str]
    job: str
    correction: str
    marks: tuple[str, ...]


@dataclass(frozen=True)
class Town:
    """The server and its tenants."""

    server: Server
    tenants: dict[str, Tenant]
    clients: dict[str, list[httpx.Client]]


def export(mark: str) -> bytes:
    """An upload whose every cell can be told from another's."""
    rows = "".join(f"{mark}-{n},The parcel to {mark} came {n} days late.,2026-01-0{n},{mark}ton\n" for n in range(1, 9))
    return f"id,review,date,store\n{rows}".encode()


def make_job(client: httpx.Client, mark: str) -> str:
    """Make a report and wait for it."""
    files = {"file": (f"{mark}.csv", export(mark))}
    job = client.post("/jobs", files=files, data={"by": "store", "period": "month"}).json()
    deadline = time.monotonic() + 90
    while job["state"] != "succeeded":
        assert job["state"] in ("queued", "running"), job
        assert time.monotonic() < deadline, job
        time.sleep(0.2)
        job = client.get(f"/jobs/{job['id']}").json()
    return job["id"]


def make_correction(client: httpx.Client, mark: str) -> str:
    """Correct the labels of a text."""
    sent = {"text": f"Nobody at {mark} answered.", "language": "en", "labels": {"sentiment": "neg"}}
    answered = client.post("/corrections", json=sent)
    assert answered.status_code == 201, answered.text
    return str(answered.json()["id"])


@pytest.fixture(scope="module")
def town(start_server, tmp_path_factory) -> Iterator[Town]:
    data = tmp_path_factory.mktemp("town") / "data"
    wanted = [(p, *(SCOPES if n == 4 else ("classify", "jobs"))) for p in PROJECTS for n in range(5)]
    secrets = make_keys(data, *wanted)
    server = start_server(data, freshdesk_tokens='{"shop": "s", "hotel": "h"}')
    tenants = {}
    for project, mark, own in zip(PROJECTS, ("Quitzow", "Zbigniewa"), (secrets[:5], secrets[5:]), strict=True):
        with server.client(own[0]) as client:
            job, correction = make_job(client, mark), make_correction(client, mark)
            tenants[project] = Tenant(own, job, correction, (mark, mark.lower()))
    with ExitStack() as stack:
        clients = {
            p: [stack.enter_context(client) for secret in tenants[p].secrets for client in two_ways(server, secret)]
            for p in PROJECTS
        }
        yield Town(server, tenants, clients)


def two_ways(server: Server, secret: str) -> tuple[httpx.Client, httpx.Client]:
    """Show a key as programs do, and as the page does."""
    sent = ({"X-API-Key": secret}, {"Cookie": f"{SESSION_COOKIE}={secret}"})
    first, second = (httpx.Client(base_url=server.address, headers=headers, timeout=60) for headers in sent)
    return first, second


def ask(client: httpx.Client, method: str, path: str, theirs: Tenant) -> httpx.Response:
    """Ask for an address, of a job or a correction where it is about one."""
    names = {"result.{format}": "result.csv", "report.{format}": "report.json", "{name}": "result.csv"}
    for template, name in names.items():
        path = path.replace(template, name)
    headers = {"Origin": str(client.base_url).rstrip("/")}
    files = {"file": ("r.csv", b"id,review\n1,It came late.\n")} if path in ("/jobs", "/previews") else None
    return client.request(
        method,
        path.format(job_id=theirs.job, token=theirs.job, correction_id=theirs.correction),
        headers=headers,
        files=files if method == "POST" else None,
    )


@pytest.mark.parametrize(("method", "path"), ADDRESSES, ids=map(" ".join, ADDRESSES))
def test_nothing_of_another_project_is_ever_told(town, method, path):
    for project, other in (PROJECTS, PROJECTS[::-1]):
        theirs = town.tenants[other]
        for client in town.clients[project]:
            answered = ask(client, method, path, theirs)
            assert not any(mark in answered.text for mark in theirs.marks), (project, path)
            assert answered.status_code < 500
            if ("{job_id}" in path or "{correction_id}" in path) and not path.startswith("/page"):
                assert answered.status_code == 404, (project, path)


def test_after_all_that_everything_is_still_there(town):
    for project in PROJECTS:
        tenant = town.tenants[project]
        for secret in tenant.secrets:
            with town.server.client(secret) as client:
                job = client.get(f"/jobs/{tenant.job}").json()
                assert (job["state"], job["counts"]["scored"]) == ("succeeded", 8)
                results = client.get(f"/jobs/{tenant.job}/result.csv").text
                assert results.count(tenant.marks[0]) > 8
                segments = client.get(f"/reports/{tenant.job}/segments", params={"gap": "delivery"}).text
                assert tenant.marks[0] in segments
        with town.server.client(tenant.secrets[0]) as client:
            assert tenant.marks[0] in client.get("/corrections.jsonl").text
