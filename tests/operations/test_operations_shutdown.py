"""What SIGTERM does to a real server: answers that are under way are given, jobs go on at the next start."""

from __future__ import annotations

import json
import re
import signal
import socket
import threading
import time
from urllib.parse import urlsplit

import httpx
import pytest

ROWS = 1200
# Some seconds of work.
TEXTS = 40
SECONDS = 120
CLIENT = httpx.Client(timeout=SECONDS)
SENTENCES = (
    "The parcel came # days late and nobody answered the phone about order #.",
    "They replied within # minutes. Thank you!",
    "Paczka przyszła # dni po terminie.",
    "包裹晚了#天才送到。",
)


def export(rows: int) -> bytes:
    lines = [f"r{n},{SENTENCES[n % 4].replace('#', str(n))},2025-0{1 + n % 9}-11" for n in range(rows)]
    return "\n".join(["review_id,review,date", *lines, ""]).encode()


def form(content: bytes) -> tuple[bytes, str]:
    """A multipart body with one file, and its content type."""
    head = b'--cut\r\nContent-Disposition: form-data; name="file"; filename="reviews.csv"\r\n\r\n'
    return head + content + b"\r\n--cut--\r\n", "multipart/form-data; boundary=cut"


class Upload:
    """A request over a bare socket, sent in two halves."""

    def __init__(self, url: str, content: bytes) -> None:
        address = urlsplit(url)
        body, kind = form(content)
        self._rest = body[len(body) // 2 :]
        self._socket = socket.create_connection((address.hostname, address.port), timeout=SECONDS)
        headers = {"Host": address.netloc, "Content-Type": kind, "Content-Length": str(len(body))}
        head = "".join(f"{line}\r\n" for line in ("POST /jobs HTTP/1.1", *map(": ".join, headers.items()), ""))
        self._socket.sendall(head.encode() + body[: len(body) // 2])

    def finish(self) -> tuple[int, dict]:
        """Send the second half; gives status and body of the answer, and sees the connection closed after it."""
        self._socket.sendall(self._rest)
        head, _, body = self.rest().partition(b"\r\n\r\n")
        return int(head.split()[1]), json.loads(body)

    def rest(self) -> bytes:
        """Read until the server closes the connection."""
        answer = b""
        while block := self._socket.recv(65536):
            answer += block
        return answer


def wait_for_state(url: str, job: str, *states: str) -> dict:
    deadline = time.monotonic() + SECONDS
    while (found := CLIENT.get(f"{url}/jobs/{job}").json())["state"] not in states:
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    return found


def in_flight(url: str) -> float:
    """Requests that are being answered, the asking one too."""
    found = re.search(r"^gapnlp_http_requests_in_flight (\S+)$", CLIENT.get(f"{url}/metrics").text, re.MULTILINE)
    return float(found.group(1))


def scored_ids(url: str, job: str) -> list[str]:
    answer = CLIENT.get(f"{url}/jobs/{job}/result.jsonl")
    assert answer.status_code == 200
    return [json.loads(line)["id"] for line in answer.text.splitlines()]


def test_requests_under_way_are_answered_and_new_ones_refused(serve, tmp_path):
    server = serve(tmp_path / "data", shutdown_seconds=60)
    server.wait_until_ready()
    texts = [{"id": str(n), "text": f"{SENTENCES[n % 4]} " * 5} for n in range(TEXTS)]
    answers: list[httpx.Response] = []
    asking = threading.Thread(
        target=lambda: answers.append(CLIENT.post(f"{server.url}/classify", json={"documents": texts}, timeout=SECONDS))
    )
    upload = Upload(server.url, export(50))
    asking.start()
    while in_flight(server.url) < 3:
        assert asking.is_alive(), "answered before it could be disturbed"
    server.stop()
    time.sleep(0.5)
    with pytest.raises(httpx.ConnectError):
        CLIENT.get(f"{server.url}/healthz")
    assert server.process.poll() is None
    status, job = upload.finish()
    asking.join()
    server.wait()
    assert (status, job["state"]) == (202, "queued")
    assert answers[0].status_code == 200
    assert [r["id"] for r in answers[0].json()["results"]] == [str(n) for n in range(TEXTS)]

    again = serve(tmp_path / "data")
    found = wait_for_state(again.url, job["id"], "succeeded", "failed")
    assert found["state"] == "succeeded", found
    assert found["counts"]["read"] == 50
    again.stop()
    again.wait()
    lines = [json.loads(line) for line in again.written().splitlines() if line.startswith("{")]
    assert [line for line in lines if line["level"] in ("WARNING", "ERROR", "CRITICAL")] == []


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.heavy)])
def test_a_running_job_and_who_follows_it_are_let_go_and_the_job_goes_on_with_every_row_once(serve, tmp_path, number):
    server = serve(tmp_path / "data", shutdown_seconds=SECONDS)
    job = CLIENT.post(f"{server.url}/jobs", files={"file": ("reviews.csv", export(ROWS))}).json()["id"]
    with CLIENT.stream("GET", f"{server.url}/jobs/{job}/events") as events:
        told, parts = "", events.iter_text()
        while not (done := re.findall(r'"rows_done":([1-9]\d*)', told)):
            told += next(parts)
        server.stop(number)
        told += "".join(parts)
    server.wait(SECONDS / 2)
    assert "event: end" not in told  # the stream was ended, not the job

    again = serve(tmp_path / "data")
    taken_up = CLIENT.get(f"{again.url}/jobs/{job}").json()
    assert taken_up["state"] in ("queued", "running")
    assert taken_up["rows_done"] >= int(done[0])
    found = wait_for_state(again.url, job, "succeeded", "failed")
    assert found["state"] == "succeeded", found
    assert found["counts"]["read"] == ROWS
    assert scored_ids(again.url, job) == [f"r{n}" for n in range(ROWS)]


@pytest.mark.heavy
def test_what_takes_longer_than_allowed_is_broken_off(serve, tmp_path):
    server = serve(tmp_path / "data", shutdown_seconds=1)
    upload = Upload(server.url, export(50))
    while in_flight(server.url) < 2:
        assert server.process.poll() is None
    server.stop()
    server.wait()  # although the second half never came
    assert upload.rest()[:12] in (b"", b"HTTP/1.1 500")
