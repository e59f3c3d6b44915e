from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest

from benchmarks.service_load import (
    InProcess,
    Server,
    Texts,
    main,
    measure_load,
    measure_memory,
    percentile,
    read_texts,
)

SAMPLES = Path(__file__).resolve().parents[2] / "data" / "samples" / "lumibay_feedback.csv"
BASE = InProcess(texts=10, texts_per_second=10.0, plain_texts_per_second=20.0)


class Options:
    """What the memory phase reads of the command line."""

    clients, requests, warm_up = 4, 400, 100


class Answers(BaseHTTPRequestHandler):
    """Stands in for the server; how it answers is up to the test."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.texts.append(body["text"])
        status, content = self.server.answer(len(self.server.texts))
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args) -> None:
        pass


GOOD = json.dumps({"results": [{"status": "ok"}]}).encode()
REFUSED = json.dumps({"results": [{"status": "error", "error": {"code": "empty"}}]}).encode()


@pytest.fixture
def server():
    stand_in = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    stand_in.texts, stand_in.answer = [], lambda number: (200, GOOD)
    threading.Thread(target=stand_in.serve_forever, daemon=True).start()
    yield stand_in
    stand_in.shutdown()
    stand_in.server_close()


def measured(server) -> Server:
    return Server(psutil.Process(), server.server_port)


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [([5.0], 50, 5.0), ([1, 2, 3, 4], 50, 2), (range(1, 101), 95, 95), (range(1, 101), 99, 99), ([1, 2], 99, 2)],
)
def test_percentiles_by_nearest_rank(values, percent, expected):
    assert percentile(list(values), percent) == expected


def test_every_text_is_another_one_and_all_languages_come():
    samples = read_texts(SAMPLES)
    texts = Texts(samples)
    seen = [next(texts) for _ in range(2 * len(samples))]
    assert len(set(seen)) == 2 * len(samples)
    assert any("ż" in t for t in seen) and any("，" in t for t in seen)


def test_load_is_counted_and_compared(server):
    found = measure_load(measured(server), Texts(["a"]), BASE, clients=3, seconds=0.5)
    assert found.errors == {}
    assert found.requests > 3
    assert 0 < found.p50 <= found.p95 <= found.p99 <= found.most
    assert found.ratio_to_in_process == pytest.approx(found.requests_per_second / 10, rel=0.05)
    assert len(set(server.texts)) == len(server.texts)


@pytest.mark.parametrize(
    ("answer", "error"),
    [((503, b"{}"), "status 503"), ((200, REFUSED), "item empty")],
)
def test_failures_are_counted_by_kind(server, answer, error):
    server.answer = lambda number: answer if number % 2 else (200, GOOD)
    found = measure_load(measured(server), Texts(["a"]), BASE, clients=2, seconds=0.3)
    assert set(found.errors) == {error}
    assert 0 < found.errors[error] < found.requests


def test_a_server_that_is_gone_is_an_error_and_no_end(server):
    server.shutdown()
    server.server_close()
    found = measure_memory(measured(server), Texts(["a"]), Options())
    assert found.requests >= 400
    assert found.errors == {"ConnectionRefusedError": found.requests}


def test_memory_that_grows_is_seen(server):
    kept: list[bytes] = []

    def leak(number: int) -> tuple[int, bytes]:
        kept.append(b"x" * 250_000)
        return 200, GOOD

    server.answer = leak
    found = measure_memory(measured(server), Texts(["a"]), Options())
    # 300 requests after the warm-up; a tenth at each end is averaged.
    assert 40 < found.growth < 110
    assert 1500 < found.per_10_000_requests < 3500
    assert found.peak >= found.at_the_end > found.after_warm_up


@pytest.mark.heavy
def test_the_real_server(capsys):
    main(["--seconds", "2", "--requests", "100", "--warm-up", "20", "--quality", "fast", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["load"]["errors"] == found["memory"]["errors"] == {}
    assert found["load"]["requests_per_second"] > 0
    assert found["memory"]["requests"] >= 100
