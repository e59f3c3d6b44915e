"""The real server as a process of its own, as `gapnlp serve` starts it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src"
PROGRAM = "import typer; from gapnlp.cli.serve import serve; typer.run(serve)"
START_SECONDS = 120


class ServerProcess:
    """A running `gapnlp serve`, and all that it wrote."""

    def __init__(self, log: Path, settings: dict[str, str]) -> None:
        given = {name: value for name, value in os.environ.items() if not name.startswith("GAPNLP_")}
        given |= {"PYTHONPATH": str(SOURCE), **{f"GAPNLP_{n.upper()}": v for n, v in settings.items()}}
        self._log = log
        with log.open("ab") as written:
            self._start = log.stat().st_size
            command = [sys.executable, "-c", PROGRAM, "--port", "0"]
            self.process = subprocess.Popen(command, env=given, stdout=written, stderr=written)
        self.url = self._wait_for(r"serving at (http://\S+?)[;,\s]").group(1)

    def written(self) -> str:
        """Everything that this process wrote so far, to standard output and error."""
        return self._log.read_bytes()[self._start :].decode(errors="replace")

    def wait_until_ready(self) -> None:
        """Wait for the models."""
        deadline = time.monotonic() + START_SECONDS
        while httpx.get(f"{self.url}/readyz").status_code != 200:
            assert time.monotonic() < deadline, self.written()
            time.sleep(0.1)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Send a signal; `wait` sees it through."""
        self.process.send_signal(number)

    def wait(self, seconds: float = 60) -> int:
        """Wait for the end; gives the exit status."""
        return self.process.wait(timeout=seconds)

    def _wait_for(self, pattern: str) -> re.Match[str]:
        deadline = time.monotonic() + START_SECONDS
        while (found := re.search(pattern, self.written())) is None:
            assert self.process.poll() is None and time.monotonic() < deadline, self.written()
            time.sleep(0.05)
        return found


@pytest.fixture(scope="module")
def serve(tmp_path_factory) -> Iterator[Callable[..., ServerProcess]]:
    """Start servers on a data folder; those that still run at the end are killed."""
    started: list[ServerProcess] = []
    log = tmp_path_factory.mktemp("served") / "log"

    def start(data: Path, **settings: object) -> ServerProcess:
        given = {"data_dir": data, "quality": "fast", **settings}
        started.append(ServerProcess(log, {name: str(value) for name, value in given.items()}))
        return started[-1]

    yield start
    for server in started:
        if server.process.poll() is None:
            server.stop(signal.SIGKILL)
        server.wait()
