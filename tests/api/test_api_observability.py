from __future__ import annotations

import asyncio
import logging
import re
import threading

import pytest
from fastapi import APIRouter, FastAPI, Request
from prometheus_client.parser import text_string_to_metric_families
from starlette.background import BackgroundTask
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.staticfiles import StaticFiles
from starlette.testclient import TestClient

from gapnlp.api.access import Caller
from gapnlp.api.logs import REQUEST_ID
from gapnlp.api.observability import REQUEST_ID_HEADER, install
from gapnlp.api.tracing import NO_NATIVE_TELEMETRY
from gapnlp.errors import ModelError, StoreError
from gapnlp.settings import Settings

SECRET = "Krystyna"
LOGGER = "gapnlp.api.observability"


class Named:
    """Stands in for the access layer: names the caller."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http" and not scope["path"].startswith("/open"):
            scope["state"]["caller"] = Caller("shop", ("classify",), "k1")
        await self.app(scope, receive, send)


@pytest.fixture
def app(tmp_path) -> FastAPI:
    app, router = FastAPI(telemetry=NO_NATIVE_TELEMETRY), APIRouter(prefix="/jobs")

    @router.get("/{job_id}")
    async def job(job_id: str, request: Request):
        logging.getLogger("gapnlp.test").info("inside")
        return {"id": request.state.request_id}

    @app.get("/open")
    def opened():
        return {"seen": REQUEST_ID.get()}

    @app.get("/fails")
    async def fails():
        raise RuntimeError(SECRET)

    @app.get("/streams")
    async def streams():
        async def parts():
            yield "one"
            raise RuntimeError(SECRET)

        return StreamingResponse(parts())

    @app.get("/later")
    async def later():
        return PlainTextResponse("done", background=BackgroundTask(asyncio.sleep, 0.5))

    @app.get("/healthz")
    async def healthz():
        return {}

    (tmp_path / "a.css").write_text("a{}")
    app.include_router(router)
    app.mount("/static", StaticFiles(directory=tmp_path))
    app.add_middleware(Named)
    install(app, Settings())
    return app


@pytest.fixture
def client(app) -> TestClient:
    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture
def told(caplog):
    """The lines of requests so far, as their extras."""
    caplog.set_level(logging.DEBUG, logger="gapnlp")

    def read() -> list[logging.LogRecord]:
        return [r for r in caplog.records if r.name == LOGGER]

    return read


def test_one_line_a_request_with_the_route_and_not_the_path(client, told):
    client.get(f"/jobs/{SECRET}?q={SECRET}", headers={"user-agent": SECRET})
    (line,) = told()
    assert (line.method, line.route, line.status) == ("GET", "/jobs/{job_id}", 200)
    assert (line.project, line.key, line.levelname) == ("shop", "k1", "INFO")
    assert 0 < line.milliseconds < 5000
    assert SECRET not in str(line.__dict__)


@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("GET", "/nowhere/Krystyna", "unknown", 404),
        ("POST", "/jobs/Krystyna", "/jobs/{job_id}", 405),
        ("GET", "/static/a.css", "/static/{path}", 200),
        ("GET", "/static/Krystyna.css", "/static/{path}", 404),
        ("GET", "/openapi.json", "/openapi.json", 200),
    ],
)
def test_routes_are_told_by_their_template(client, told, method, path, route, status):
    client.request(method, path)
    (line,) = told()
    assert (line.route, line.status) == (route, status)


def test_a_route_is_named_without_the_prefix_of_a_proxy(app, told):
    TestClient(app, root_path="/gap").get("/gap/jobs/7")
    (line,) = told()
    assert (line.route, line.status) == ("/jobs/{job_id}", 200)


def test_methods_come_from_a_closed_list(client, told):
    client.request("KRYSTYNA", "/open")
    (line,) = told()
    assert line.method == "OTHER"


def test_callers_without_a_key_have_no_project(client, told):
    client.get("/open")
    (line,) = told()
    assert not hasattr(line, "project")


@pytest.mark.parametrize("given", [SECRET, "a b", "x" * 200, "0123", "", "12345678\n"])
def test_an_id_that_could_carry_words_is_replaced(client, given):
    answer = client.get("/open", headers={REQUEST_ID_HEADER: given.encode()})
    made = answer.headers[REQUEST_ID_HEADER]
    assert re.fullmatch(r"[0-9a-f]{32}", made)
    assert answer.json()["seen"] == made  # also in the thread that a plain function runs in


def test_a_proxys_id_is_kept(client):
    given = "7b0f64b2-3c5f-4d6e-9a51-0f3f1f2e8c11"
    answer = client.get("/jobs/1", headers={REQUEST_ID_HEADER: given})
    assert answer.headers[REQUEST_ID_HEADER] == answer.json()["id"] == given
    assert REQUEST_ID.get() is None


def test_a_failure_is_told_as_500_and_counted(client, told):
    client.get("/fails")
    (line,) = told()
    assert (line.status, line.levelname) == (500, "WARNING")
    assert counted(client, "gapnlp_http_requests_total", route="/fails", status="500") == 1


def test_an_answer_that_breaks_off_is_told_as_such(client, told):
    client.get("/streams")
    (line,) = told()
    assert (line.status, line.complete) == (200, False)


def test_work_after_the_answer_does_not_count(client, told):
    client.get("/later")
    (line,) = told()
    assert line.milliseconds < 400


def test_monitoring_is_quiet(client, told):
    client.get("/healthz")
    (line,) = told()
    assert line.levelname == "DEBUG"


def counted(client: TestClient, name: str, **labels: str) -> float:
    body, _ = client.app.state.metrics.render()
    families = text_string_to_metric_families(body.decode())
    found = [s for f in families for s in f.samples if s.name == name and labels.items() <= s.labels.items()]
    return sum(s.value for s in found)


def test_requests_are_counted_by_route(client):
    for path in ("/jobs/1", "/jobs/2", "/nowhere/1", "/nowhere/2"):
        client.get(path)
    assert counted(client, "gapnlp_http_requests_total", route="/jobs/{job_id}", status="200") == 2
    assert counted(client, "gapnlp_http_requests_total", route="unknown", status="404") == 2
    assert counted(client, "gapnlp_http_request_seconds_count", route="/jobs/{job_id}") == 2
    assert counted(client, "gapnlp_http_requests_in_flight") == 0


def test_the_models_that_serve_are_named(api, small_scorer):
    while not api.app.state.pool.ready:
        threading.Event().wait(0.005)
    for language in ("en", "pl", "zh"):
        version = small_scorer.classifier(language).version
        assert counted(api.client, "gapnlp_model", language=language, version=version) == 1


def test_no_model_is_named_before_one_is_loaded(open_api):
    late = threading.Event()

    class Late:
        def score(self, items):
            late.wait(20)

    api = open_api(Late())
    assert counted(api.client, "gapnlp_model") == 0
    late.set()


def test_what_cannot_be_told_breaks_no_reading(caplog):
    def gone():
        raise ModelError("there is no manifest")

    app = FastAPI()
    install(app, Settings()).watch_models(gone)
    assert counted(TestClient(app), "gapnlp_model") == 0
    assert "gapnlp_model cannot be told" in caplog.text


@pytest.mark.parametrize("error", [StoreError, ModelError])
def test_what_keeps_the_service_from_starting_is_logged(error, caplog):
    async def lifespan(app):
        raise error("the data folder is full; make room")
        yield

    app = FastAPI(lifespan=lifespan)
    install(app, Settings())
    with pytest.raises(error), TestClient(app):
        pass
    assert "the data folder is full; make room" in caplog.text
