from __future__ import annotations

import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.testclient import TestClient

from gapnlp.api.observability import install
from gapnlp.api.tracing import NO_NATIVE_TELEMETRY, make_tracing, traces_url
from gapnlp.errors import InputError, MissingExtra
from gapnlp.settings import Settings

SECRET = "Krystyna"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


class Collector(ThreadingHTTPServer):
    """An OpenTelemetry collector that keeps what it is sent."""

    def __init__(self) -> None:
        self.received: list[tuple[str, bytes]] = []
        super().__init__(("127.0.0.1", 0), _Receive)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def spans(self) -> list:
        requests = [ExportTraceServiceRequest.FromString(body) for _, body in self.received]
        scopes = [s for r in requests for resource in r.resource_spans for s in resource.scope_spans]
        return [span for scope in scopes for span in scope.spans]


class _Receive(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.received.append((self.path, body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args) -> None:
        pass


@pytest.fixture
def collector():
    server = Collector()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def make_app(endpoint: str | None) -> FastAPI:
    app = FastAPI(telemetry=NO_NATIVE_TELEMETRY)

    @app.get("/jobs/{job_id}")
    async def job(job_id: str):
        return {"trace": format(trace.get_current_span().get_span_context().trace_id, "032x")}

    @app.get("/fails")
    async def fails():
        raise RuntimeError(SECRET)

    install(app, Settings(otel_endpoint=endpoint))
    return app


def attributes(span) -> dict[str, object]:
    return {a.key: a.value.string_value or a.value.int_value or a.value.double_value for a in span.attributes}


def test_spans_are_sent_before_the_server_is_gone(collector):
    with TestClient(make_app(collector.url), raise_server_exceptions=False) as client:
        inside = client.get(
            f"/jobs/{SECRET}?q={SECRET}", headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
        ).json()["trace"]
        client.get("/fails")
    assert {path for path, _ in collector.received} == {"/v1/traces"}
    served, failed = collector.spans()
    assert served.name == "GET /jobs/{job_id}"
    assert served.trace_id.hex() == inside == TRACE
    found = attributes(served)
    assert (found["http.request.method"], found["http.route"]) == ("GET", "/jobs/{job_id}")
    assert found["http.response.status_code"] == 200
    assert failed.status.code == 2
    assert attributes(failed)["http.response.status_code"] == 500


def test_spans_hold_no_texts(collector):
    with TestClient(make_app(collector.url), raise_server_exceptions=False) as client:
        client.get(f"/jobs/{SECRET}?q={SECRET}", headers={"user-agent": SECRET, "baggage": f"a={SECRET}"})
        client.get("/fails")
        client.request(SECRET.upper(), "/fails")
    assert len(collector.spans()) == 3
    assert not [body for _, body in collector.received if SECRET.lower().encode() in body.lower()]


def test_the_log_line_names_the_trace(collector, caplog):
    caplog.set_level("INFO", logger="gapnlp")
    with TestClient(make_app(collector.url)) as client:
        client.get("/jobs/1", headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})
    assert [r.trace for r in caplog.records if r.message == "request"] == [TRACE]


def test_nothing_is_made_or_sent_without_an_endpoint(collector, caplog):
    caplog.set_level("INFO", logger="gapnlp")
    assert make_tracing(None) is None
    with TestClient(make_app(None)) as client:
        client.get("/jobs/1", headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})
    assert collector.received == []
    assert not [r for r in caplog.records if hasattr(r, "trace")]


def test_frameworks_own_telemetry_stays_off(collector, monkeypatch):
    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    with TestClient(make_app(None)) as client:
        client.get(f"/jobs/{SECRET}?q={SECRET}")
    assert collector.received == []


def test_a_collector_that_is_gone_holds_nothing_up():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: every connection is refused
        with TestClient(make_app(f"http://127.0.0.1:{taken.getsockname()[1]}")) as client:
            assert client.get("/jobs/1").status_code == 200
            started = time.monotonic()
        assert time.monotonic() - started < 8


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(MissingExtra, match=r"pip install 'gapnlp\[otel\]'"):
        make_tracing("http://127.0.0.1:4318")


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("http://c:4318", "http://c:4318/v1/traces"),
        ("http://c:4318/", "http://c:4318/v1/traces"),
        ("https://c/otel/v1/traces", "https://c/otel/v1/traces"),
    ],
)
def test_the_address_is_completed(given, url):
    assert traces_url(given) == url


@pytest.mark.parametrize("given", ["collector:4318", "grpc://c:4317", "http://", "/v1/traces"])
def test_an_address_that_is_none_is_refused(given):
    with pytest.raises(InputError, match="GAPNLP_OTEL_ENDPOINT"):
        traces_url(given)
