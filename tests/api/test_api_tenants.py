"""Two projects with five keys each: nobody reaches what is another's, over every address that there is.

Each address has a row in PROBES that says what a stranger gets; a new address without a row fails the test.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from gapnlp.api.access import PUBLIC, PUBLIC_BELOW, SESSION_COOKIE
from gapnlp.records.service import SCOPES

PROJECTS = ("shop", "hotel")
KEYS = {project: [f"{project}-{n}" for n in range(5)] for project in PROJECTS}
STATES = ("queued", "running", "succeeded", "failed", "cancelled")
EXPORT = b"id,review\n1,The parcel came 5 days late.\n"


@dataclass(frozen=True)
class World:
    """The app with jobs of both projects in every state."""

    api: object
    jobs: dict[str, list]

    def ask(self, method: str, path: str, project: str, key: int = 0, **more):
        """Ask with a key of a project."""
        headers = {"X-API-Key": KEYS[project][key], **more.pop("headers", {})}
        return self.api.client.request(method, path, headers=headers, **more)


@pytest.fixture
def world(open_api) -> World:
    api = open_api(
        zendesk_secrets={"shop": "s", "hotel": "h"},
        intercom_secrets={"shop": "s"},
        freshdesk_tokens={"shop": "shop-token", "hotel": "hotel-token"},
    )
    for project in PROJECTS:
        for n, secret in enumerate(KEYS[project]):
            # The last one may do everything, which ends at its project all the same.
            api.keys.add(secret, project, *(SCOPES if n == 4 else ("classify", "jobs")))
    while not api.app.state.pool.ready:
        pass
    jobs = {p: [api.jobs.add(p, state, rows_done=n) for n, state in enumerate(STATES)] for p in PROJECTS}
    return World(api, jobs)


def not_found(method: str, path: str) -> Callable[[World], None]:
    """Probe an address of one job: another project's answers exactly as one that never was."""

    def probe(world: World) -> None:
        for job in world.jobs["shop"]:
            for key in range(5):
                answered = world.ask(method, path.format(job_id=job.id), "hotel", key)
                never = world.ask(method, path.format(job_id="f" * 32), "hotel", key)
                assert answered.status_code == never.status_code == 404
                assert answered.json() == never.json()
                assert job.id not in answered.text
        assert all(job.id in world.api.jobs.kept for job in world.jobs["shop"])
        assert [world.api.jobs.kept[j.id].state for j in world.jobs["shop"]] == list(STATES)
        own = world.jobs["shop"][2 if method == "GET" else 0]
        assert world.ask(method, path.format(job_id=own.id), "shop").status_code < 300

    return probe


def listing(path: str) -> Callable[[World], None]:
    """Probe a list: it holds one's own alone, whatever is asked and wherever a cursor came from."""

    def probe(world: World) -> None:
        for key in range(5):
            for project, other in (PROJECTS, PROJECTS[::-1]):
                told = world.ask("GET", path, project, key, params={"limit": 200})
                ids = {item["id"] for item in told.json()["items"]}
                assert ids
                assert ids <= {j.id for j in world.jobs[project]}
                assert not any(j.id in told.text for j in world.jobs[other])
        cursor = world.ask("GET", path, "shop", params={"limit": 1}).json()["next"]
        if cursor is not None:
            stolen = world.ask("GET", path, "hotel", params={"limit": 200, "cursor": cursor})
            assert not any(j.id in stolen.text for j in world.jobs["shop"])

    return probe


def submitting(world: World) -> None:
    """A job belongs to the key that made it; another project's Idempotency-Key means nothing."""
    ids = set()
    for project in PROJECTS:
        answered = world.ask(
            "POST", "/jobs", project, files={"file": ("r.csv", EXPORT)}, headers={"Idempotency-Key": "same"}
        )
        assert answered.status_code == 202
        ids.add(answered.json()["id"])
        assert world.api.jobs.kept[answered.json()["id"]].project == project
    assert len(ids) == 2


def previewing(world: World) -> None:
    """A preview makes nothing that anybody could see."""
    before = dict(world.api.jobs.kept)
    assert world.ask("POST", "/previews", "hotel", files={"file": ("r.csv", EXPORT)}).status_code == 200
    assert world.api.jobs.kept == before


def classifying(world: World) -> None:
    """Answers that are remembered are one's own."""
    headers = {"Idempotency-Key": "same"}
    for project, text in zip(PROJECTS, ("The parcel came 5 days late.", "Room 3 is clean and bright."), strict=True):
        answered = world.ask("POST", "/classify", project, json={"text": text}, headers=headers)
        assert "Idempotent-Replayed" not in answered.headers
        assert answered.json()["results"][0]["segments"][0]["text"] == text


def metrics(world: World) -> None:
    """Metrics name no project, key or file, and need a key that may administer."""
    world.ask("GET", "/jobs", "hotel")
    assert world.ask("GET", "/metrics", "hotel", 0).status_code == 403
    told = world.ask("GET", "/metrics", "hotel", 4)
    assert told.status_code == 200
    assert not any(name in told.text for name in ("shop", "hotel", "reviews.csv"))


def the_same_for_all(path: str) -> Callable[[World], None]:
    """Probe an address that says nothing of any project."""

    def probe(world: World) -> None:
        first, second = (world.ask("GET", path, project) for project in PROJECTS)
        assert first.content == second.content
        assert not any(name in first.text for name in ('"shop"', '"hotel"'))

    return probe


def webhook(path: str) -> Callable[[World], None]:
    """Probe a webhook: no access key opens it, and one project's secret is not another's."""

    def probe(world: World) -> None:
        body = json.dumps({"ticket_id": "1", "text": "The parcel came 5 days late."})
        headers = {"Content-Type": "application/json", "X-Gapnlp-Token": "other"}
        assert world.ask("POST", path, "shop", 4, content=body, headers=headers).status_code == 401

    return probe


def freshdesk(world: World) -> None:
    """A duplicate is one within its project."""
    webhook("/webhooks/freshdesk")(world)
    body = json.dumps({"ticket_id": "1", "text": "The parcel came 5 days late."})
    for project in PROJECTS:
        headers = {"Content-Type": "application/json", "X-Gapnlp-Token": f"{project}-token"}
        answered = world.api.client.post("/webhooks/freshdesk", content=body, headers=headers)
        assert (answered.status_code, "Idempotent-Replayed" in answered.headers) == (200, False)


def as_page(world: World, project: str, method: str, path: str):
    """Ask as a browser that is signed in."""
    cookie = {"Cookie": f"{SESSION_COOKIE}={KEYS[project][4]}", "Origin": "http://127.0.0.1:8000"}
    return world.api.client.request(method, path, headers=cookie, follow_redirects=False)


def page_of(method: str, path: str) -> Callable[[World], None]:
    """Probe a page about one job, upload or report: another project's are not there."""

    def probe(world: World) -> None:
        for job in world.jobs["shop"]:
            address = path.format(job_id=job.id, token=job.id, name="report.html")
            answered = as_page(world, "hotel", method, address)
            assert answered.status_code in (403, 404), address
            assert "shop succeeded" not in answered.text
        assert [world.api.jobs.kept[j.id].state for j in world.jobs["shop"]] == list(STATES)

    return probe


def home(world: World) -> None:
    """The first page names one's own uploads alone."""
    for project, other in (PROJECTS, PROJECTS[::-1]):
        told = as_page(world, project, "GET", "/").text
        assert any(j.id in told for j in world.jobs[project])
        assert not any(j.id in told for j in world.jobs[other])


def harmless(method: str, path: str) -> Callable[[World], None]:
    """Probe a page that is about nobody's data: it names no job."""

    def probe(world: World) -> None:
        told = as_page(world, "hotel", method, path).text
        assert not any(j.id in told for jobs in world.jobs.values() for j in jobs)

    return probe


def empty(world: World) -> None:
    """The question whether an address is there is answered with nothing."""
    assert world.api.client.head("/webhooks/intercom").content == b""


CORRECTION = {"text": "The parcel came 5 days late.", "labels": {"gaps": ["delivery"]}}


def correcting(world: World) -> None:
    """A correction belongs to the key that made it; another project's job or Idempotency-Key means nothing."""
    ids = set()
    for project in PROJECTS:
        headers = {"Idempotency-Key": "same"}
        answered = world.ask("POST", "/corrections", project, json=CORRECTION, headers=headers)
        assert answered.status_code == 201
        assert "Idempotent-Replayed" not in answered.headers
        ids.add(answered.json()["id"])
        assert world.api.corrections.kept[answered.json()["id"]].project == project
    assert len(ids) == 2
    for job in world.jobs["shop"]:
        sent = {"job": job.id, "segment": 1, "labels": {"churn": True}}
        answered = world.ask("POST", "/corrections", "hotel", json=sent)
        never = world.ask("POST", "/corrections", "hotel", json={**sent, "job": "f" * 32})
        assert answered.status_code == never.status_code == 404
        assert answered.json() == never.json()
    assert {c.project for c in world.api.corrections.kept.values()} == {*PROJECTS}
    assert len(world.api.corrections.kept) == 2


def exporting(world: World) -> None:
    """The export holds one's own corrections alone."""
    for project in PROJECTS:
        sent = {**CORRECTION, "text": f"{project} came 5 days late."}
        assert world.ask("POST", "/corrections", project, json=sent).status_code == 201
    for project, other in (PROJECTS, PROJECTS[::-1]):
        for key in range(5):
            told = world.ask("GET", "/corrections.jsonl", project, key).text
            assert f"{project} came" in told
            assert f"{other} came" not in told


def taking_back(world: World) -> None:
    """Another project's correction is as one that never was."""
    kept = world.ask("POST", "/corrections", "shop", json=CORRECTION).json()["id"]
    answered = world.ask("DELETE", f"/corrections/{kept}", "hotel", 4)
    never = world.ask("DELETE", f"/corrections/{'f' * 32}", "hotel", 4)
    assert answered.status_code == never.status_code == 404
    assert answered.json() == never.json()
    assert kept in world.api.corrections.kept
    assert world.ask("DELETE", f"/corrections/{kept}", "shop").status_code == 204


SAME = ("/taxonomy", "/models", "/healthz", "/readyz", "/docs", "/openapi.json")
JOB, REPORT = "/jobs/{job_id}", "/reports/{job_id}"
PROBES: dict[tuple[str, str], Callable[[World], None]] = {
    ("POST", "/classify"): classifying,
    ("POST", "/jobs"): submitting,
    ("POST", "/previews"): previewing,
    ("GET", "/jobs"): listing("/jobs"),
    ("GET", "/reports"): listing("/reports"),
    ("GET", JOB): not_found("GET", JOB),
    ("DELETE", JOB): not_found("DELETE", JOB),
    ("POST", f"{JOB}/cancel"): not_found("POST", f"{JOB}/cancel"),
    ("GET", f"{JOB}/events"): not_found("GET", f"{JOB}/events"),
    ("GET", f"{JOB}/result.{{format}}"): not_found("GET", f"{JOB}/result.csv"),
    ("GET", f"{JOB}/report.{{format}}"): not_found("GET", f"{JOB}/report.json"),
    ("GET", f"{REPORT}/segments"): not_found("GET", f"{REPORT}/segments"),
    ("GET", "/metrics"): metrics,
    ("POST", "/corrections"): correcting,
    ("GET", "/corrections.jsonl"): exporting,
    ("DELETE", "/corrections/{correction_id}"): taking_back,
    ("POST", "/webhooks/zendesk"): webhook("/webhooks/zendesk"),
    ("POST", "/webhooks/intercom"): webhook("/webhooks/intercom"),
    ("HEAD", "/webhooks/intercom"): empty,
    ("POST", "/webhooks/freshdesk"): freshdesk,
    **{("GET", path): the_same_for_all(path) for path in SAME},
    ("GET", "/"): home,
    ("GET", "/static/{name}"): the_same_for_all("/static/page.css"),
    **{("GET", path): harmless("GET", path) for path in ("/page/sign-in", "/page/try")},
    **{
        ("POST", path): harmless("POST", path)
        for path in ("/page/sign-in", "/page/sign-out", "/page/try", "/page/uploads")
    },
    **{
        (method, path): page_of(method, path)
        for method, path in (
            ("GET", "/page/uploads/{token}"),
            ("POST", "/page/uploads/{token}"),
            ("POST", "/page/uploads/{token}/discard"),
            ("GET", "/page/jobs/{job_id}"),
            ("GET", "/page/jobs/{job_id}/state"),
            ("GET", "/page/jobs/{job_id}/events"),
            ("POST", "/page/jobs/{job_id}/cancel"),
            ("POST", "/page/jobs/{job_id}/delete"),
            ("GET", "/page/jobs/{job_id}/files/{name}"),
            ("GET", "/page/reports/{job_id}"),
            ("GET", "/page/review/{job_id}"),
            ("POST", "/page/review/{job_id}"),
            ("POST", "/page/review/{job_id}/undo"),
        )
    },
}

ADDRESSES = sorted(PROBES)


def routes(app: FastAPI) -> set[tuple[str, str]]:
    """Every method and address of an app."""
    found = set()
    for route in iter_route_contexts(app.routes):
        methods = set(route.methods or ())
        # Starlette adds HEAD to its own routes that take GET.
        found |= {(m, route.path) for m in (methods - {"HEAD"} if "GET" in methods else methods)}
    return found


def test_every_address_has_a_probe(api):
    assert routes(api.app) == set(PROBES)


@pytest.mark.parametrize(("method", "path"), ADDRESSES, ids=map(" ".join, ADDRESSES))
def test_nothing_leaks_between_projects(world, method, path):
    PROBES[method, path](world)


@pytest.mark.parametrize(("method", "path"), ADDRESSES, ids=map(" ".join, ADDRESSES))
def test_nothing_is_open_without_a_key_but_what_is_public(world, method, path):
    job = world.jobs["shop"][2]
    address = path.format(job_id=job.id, format="csv", token=job.id, name="report.html", correction_id=job.id)
    answered = world.api.client.request(method, address, follow_redirects=False)
    if path in PUBLIC or path.startswith(PUBLIC_BELOW):
        assert "shop succeeded" not in answered.text
        assert not any(j.id in answered.text for j in world.jobs["shop"])
    else:
        assert answered.status_code == 401
        assert "shop" not in answered.text


@pytest.mark.parametrize(("method", "path"), ADDRESSES, ids=map(" ".join, ADDRESSES))
def test_every_keyed_address_says_so_in_its_description(world, method, path):
    operation = world.api.app.openapi()["paths"].get(path, {}).get(method.lower())
    if operation is None or path in PUBLIC:
        return
    assert operation["security"], path
