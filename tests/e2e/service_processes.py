"""Servers, workers and jobs of tests that kill things: real processes, over HTTP, on a real database."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.postgres_server import PostgresServer, free_port

SOURCE = Path(__file__).resolve().parents[2] / "src"
# The commands themselves, with chunks of another size: a kill then falls between many chunks, also of a small job.
# Small jobs go without charts, which would take most of their time.
PROGRAM = """
import sys
import typer
import gapnlp.jobs, gapnlp.service.results, gapnlp.service.runs
from gapnlp.cli.serve import serve
from gapnlp.cli.worker import worker

if __name__ == "__main__":
    gapnlp.jobs.CHUNK_ROWS = gapnlp.service.runs.CHUNK_ROWS = int(sys.argv[1])
    if int(sys.argv[1]) < 500:
        renderers = gapnlp.service.results.RENDERERS
        gapnlp.service.results.RENDERERS = {**renderers, "html": lambda report, ui: b"<p>" + bytes(5_000)}
    app = typer.Typer()
    for command in (serve, worker):
        app.command()(command)
    app(sys.argv[2:])
"""
SENTENCES = (
    "The parcel came # days late.",
    "They replied within # minutes.",
    "The clerk at desk # knew nothing.",
    "Room # is clean and bright.",
    "Paczka przyszła # dni po terminie.",
)
# What a client that lost its connection sees.
LOST = (urllib.error.URLError, ConnectionError, TimeoutError)


@dataclass
class Place:
    """A data folder and a database, and the processes that work on them."""

    folder: Path
    models: Path
    postgres: PostgresServer | None = None
    chunk_rows: int = 500
    scoring_processes: int = 1
    takeover_seconds: float = 3.0
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    starts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.database = self.postgres.new_database() if self.postgres else None
        self.port = free_port()
        self.program = self.folder / "program.py"
        self.program.write_text(PROGRAM)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def environment(self) -> dict[str, str]:
        given = {
            "DATA_DIR": self.data, "MODELS": self.models, "QUALITY": "fast", "WORKERS": self.scoring_processes,
            "PORT": self.port, "HEARTBEAT_SECONDS": 0.3, "TAKEOVER_SECONDS": self.takeover_seconds,
            "RATE_LIMIT": 1_000_000, "SHUTDOWN_SECONDS": 20,
        }  # fmt: skip
        if self.postgres and self.database:
            given["DATABASE_URL"] = self.postgres.url(self.database)
        return {**os.environ, "PYTHONPATH": str(SOURCE)} | {f"GAPNLP_{k}": str(v) for k, v in given.items()}

    def start(self, name: str) -> subprocess.Popen[bytes]:
        """Start "server", or a worker of any other name; what it logs is in a file of its name."""
        command = "serve" if name == "server" else "worker"
        self.starts[name] += 1
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                [sys.executable, str(self.program), str(self.chunk_rows), command],
                env=self.environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        return self.running[name]

    def log(self, name: str) -> str:
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def kill(self, name: str) -> None:
        self.running.pop(name).kill()

    def close(self) -> None:
        """End everything, the hard way; what hangs is woken up for it."""
        for process in self.running.values():
            for pid in (*children(process.pid), process.pid):
                send(pid, signal.SIGKILL)
            process.wait(timeout=30)

    def request(self, method: str, path: str, **given: Any) -> tuple[int, Any]:
        """Ask the server; gives the status and the JSON of the answer. Raises one of LOST."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method, **given)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def wait_ready(self, *, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while True:
            try:
                if self.request("GET", "/readyz")[0] == 200:
                    return
            except LOST:
                pass
            assert time.monotonic() < deadline, self.log("server")[-3000:]
            time.sleep(0.1)

    def submit(self, upload: bytes, key: str, *, seconds: float = 120) -> str:
        """Post a job until it is taken, as a careful client does: the key makes sure that there is one."""
        body, kind = multipart(upload, {"by": "store", "period": "month", "quality": "fast"})
        headers = {"Content-Type": kind, "Idempotency-Key": key}
        deadline = time.monotonic() + seconds
        while True:
            try:
                status, answer = self.request("POST", "/jobs", data=body, headers=headers)
                if status == 202:
                    return str(answer["id"])
                assert status >= 500, answer
            except LOST:
                pass
            assert time.monotonic() < deadline, self.log("server")[-3000:]
            time.sleep(0.1)

    def job(self, job_id: str) -> dict[str, Any] | None:
        """What the server says of a job; None when it does not answer."""
        try:
            status, answer = self.request("GET", f"/jobs/{job_id}")
        except LOST:
            return None
        return answer if status == 200 else None

    def wait_for(self, job_id: str, state: str, *, seconds: float = 300) -> dict[str, Any]:
        """Wait until a job has a state, or a stage. Fails when it ends in another one."""
        deadline = time.monotonic() + seconds
        while True:
            job = self.job(job_id)
            if job and state in (job["state"], job.get("stage")):
                return job
            ended = job and job["state"] in ("succeeded", "failed", "cancelled")
            assert not ended and time.monotonic() < deadline, (job, {n: self.log(n)[-2000:] for n in self.running})
            time.sleep(0.05)

    def results(self, job_id: str) -> dict[str, bytes]:
        """Bytes of all results that must not depend on what was killed."""
        out = self.data / "jobs" / job_id / "out"
        return {name: (out / name).read_bytes() for name in ("results.csv", "results.jsonl", "report.json")}


def make_upload(rows: int) -> bytes:
    """A table with an id, a text, a date and a store in every row."""
    lines = [
        f"r{n},{SENTENCES[n % len(SENTENCES)].replace('#', str(n % 60))},2025-{1 + n % 12:02d}-11,{'AB'[n % 2]}"
        for n in range(rows)
    ]
    return "\n".join(["review_id,review,date,store", *lines, ""]).encode()


def multipart(upload: bytes, fields: dict[str, str]) -> tuple[bytes, str]:
    border = "border-of-parts"
    parts = [f'--{border}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()]
    head = f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="reviews.csv"\r\n\r\n'
    return "".join([*parts, head]).encode() + upload + f"\r\n--{border}--\r\n".encode(), (
        f"multipart/form-data; boundary={border}"
    )


def children(parent: int) -> list[int]:
    """Processes that a process has started and that live."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, of = stat.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(of) == parent and state != "Z":
            found.append(int(stat.parent.name))
    return found


def send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
