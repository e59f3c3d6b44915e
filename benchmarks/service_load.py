"""Latency, throughput and memory of `gapnlp serve` under load, beside the classifier called in process.

    python -m benchmarks.service_load --seconds 60 --requests 100000

Three phases of one run on one machine: the classifier called in one thread of this process, one text after the other;
the real server, started with a database of its own, under 16 clients that send one text a request; and so many requests
more while its memory is watched. Every request asks for what /classify gives by default, and every text is a different
one (a sample with a number added), so that nothing answers from memory. The clients run on the same cores as the
server. Ends with 1 when any request failed.
"""

from __future__ import annotations

import argparse
import csv
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psutil

from gapnlp.records.analysis import Analysis
from gapnlp.records.feedback import Feedback, Source
from gapnlp.scoring.loading import load

_SAMPLES = Path("data/samples/lumibay_feedback.csv")
_START_SECONDS = 180
_TIMEOUT_SECONDS = 60
# Texts that are scored before a measurement: every bundle is read, every cache that fills once is full.
_WARM_UP_TEXTS = 60
_MEMORY_SAMPLES = 200


@dataclass(frozen=True, slots=True)
class InProcess:
    """The classifier in one thread of this process, one text at a time; `plain` is without evidence."""

    texts: int
    texts_per_second: float
    plain_texts_per_second: float


@dataclass(frozen=True, slots=True)
class Load:
    """The server under load. Latencies in milliseconds; ratio: throughput by that of InProcess."""

    clients: int
    requests: int
    seconds: float
    requests_per_second: float
    ratio_to_in_process: float
    p50: float
    p95: float
    p99: float
    most: float
    errors: dict[str, int]


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of the server's processes in MB. growth: of the last tenth over the first after the warm-up."""

    requests: int
    warm_up: int
    after_warm_up: float
    at_the_end: float
    growth: float
    peak: float
    per_10_000_requests: float
    errors: dict[str, int]


@dataclass(slots=True)
class Tally:
    """What the clients saw, of all of them."""

    milliseconds: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def requests(self) -> int:
        """Requests so far, failed ones too."""
        return len(self.milliseconds)

    def add(self, milliseconds: float, error: str | None) -> None:
        """Note one request."""
        with self.lock:
            self.milliseconds.append(milliseconds)
            if error is not None:
                self.errors[error] += 1


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=Path, default=_SAMPLES, help="CSV with a column `text`")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=60.0, help="of load")
    parser.add_argument("--requests", type=int, default=100_000, help="of the memory phase; 0 leaves it out")
    parser.add_argument("--warm-up", type=int, default=5_000, help="of these, before memory is compared")
    parser.add_argument("--quality", default="balanced", choices=("fast", "balanced", "accurate"))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    texts = Texts(read_texts(options.samples))
    in_process = measure_in_process(texts, options.quality, seconds=min(20.0, options.seconds))
    with serving(options.quality) as server:
        under_load = measure_load(server, texts, in_process, clients=options.clients, seconds=options.seconds)
        memory = None
        if options.requests:
            memory = measure_memory(server, texts, options)
    show(in_process, under_load, memory, options)
    if under_load.errors or (memory is not None and memory.errors):
        sys.exit(1)


class Texts:
    """An endless supply of texts, each a different one; shared by threads."""

    def __init__(self, samples: Sequence[str]) -> None:
        self._samples, self._numbers = samples, count()

    def __next__(self) -> str:
        """Give the next text."""
        number = next(self._numbers)  # one step of the interpreter, so no two threads get the same
        return f"{self._samples[number % len(self._samples)]} [{number}]"


def read_texts(path: Path) -> list[str]:
    """Read the samples; they are in three languages, in turn."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [row["text"] for row in csv.DictReader(file) if row["text"].strip()]


def measure_in_process(texts: Texts, quality: str, *, seconds: float) -> InProcess:
    """Call the classifier as the server does: score a text, then find its evidence."""
    scorer = load(quality=quality)

    def classify() -> None:
        for analysis in scorer.score([Feedback("0", next(texts), Source("texts", 0))]):
            if isinstance(analysis, Analysis):
                scorer.explain(analysis)

    def score() -> None:
        scorer.score([Feedback("0", next(texts), Source("texts", 0))])

    for _ in range(_WARM_UP_TEXTS):
        classify()
    done, pace = repeat(classify, seconds)
    _, plain = repeat(score, seconds)
    return InProcess(done, round(pace, 1), round(plain, 1))


def repeat(work: Callable[[], None], seconds: float) -> tuple[int, float]:
    """Do something for so many seconds: (how often, how often a second)."""
    started, done = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        work()
        done += 1
    return done, done / (time.perf_counter() - started)


@dataclass(frozen=True, slots=True)
class Server:
    """The server that is measured."""

    process: psutil.Process
    port: int

    def megabytes(self) -> float:
        """Sum the resident memory of its processes."""
        found = 0
        for process in (self.process, *self.process.children(recursive=True)):
            try:
                found += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        return found / 1e6

    def ready(self) -> bool:
        """Whether it can classify."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()


@contextmanager
def serving(quality: str) -> Iterator[Server]:
    """Run `gapnlp serve` on a free port of this machine, with a data folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        port, log = free_port(), Path(folder) / "log"
        given = {name: value for name, value in os.environ.items() if not name.startswith("GAPNLP_")}
        given |= {"GAPNLP_DATA_DIR": f"{folder}/data", "GAPNLP_QUALITY": quality, "GAPNLP_LOG_LEVEL": "WARNING"}
        command = [sys.executable, "-c", "from gapnlp.cli.main import main; main()", "serve"]
        with log.open("wb") as errors:
            process = subprocess.Popen([*command, "--port", str(port)], env=given, stdout=errors, stderr=errors)
        try:
            yield wait_until_ready(Server(psutil.Process(process.pid), port), process, log)
        finally:
            process.terminate()
            process.wait()


def free_port() -> int:
    """Find a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(server: Server, process: subprocess.Popen[bytes], log: Path) -> Server:
    """Wait until the server can classify; end when it cannot."""
    deadline = time.monotonic() + _START_SECONDS
    while not server.ready():
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"the server did not get ready:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.2)
    return server


def measure_load(server: Server, texts: Texts, in_process: InProcess, *, clients: int, seconds: float) -> Load:
    """Let clients send one request after the other for so many seconds."""
    send(server, texts, clients=clients, more=lambda tally: tally.requests < _WARM_UP_TEXTS)
    started = time.perf_counter()
    tally = send(server, texts, clients=clients, more=lambda _: time.perf_counter() - started < seconds)
    took = time.perf_counter() - started
    pace = tally.requests / took
    ordered = sorted(tally.milliseconds)
    return Load(
        clients=clients,
        requests=tally.requests,
        seconds=round(took, 1),
        requests_per_second=round(pace, 1),
        ratio_to_in_process=round(pace / in_process.texts_per_second, 2),
        p50=percentile(ordered, 50),
        p95=percentile(ordered, 95),
        p99=percentile(ordered, 99),
        most=round(ordered[-1], 1),
        errors=dict(tally.errors),
    )


def measure_memory(server: Server, texts: Texts, options: argparse.Namespace) -> Memory:
    """Watch the server's memory over many requests."""
    requests: int = options.requests
    warm_up = min(options.warm_up, requests // 2)
    samples: list[tuple[int, float]] = []
    step = max(1, requests // _MEMORY_SAMPLES)

    def more(tally: Tally) -> bool:
        done = tally.requests
        if done // step > len(samples):
            with tally.lock:
                if done // step > len(samples):
                    samples.append((done, server.megabytes()))
                    # A run of half an hour that is killed has still said what it saw.
                    print(f"{done:,} of {requests:,} requests: {samples[-1][1]:.1f} MB", file=sys.stderr, flush=True)
        return done < requests

    tally = send(server, texts, clients=options.clients, more=more)
    settled = [s for s in samples if s[0] >= warm_up]
    megabytes = [m for _, m in settled]
    tenth = max(1, len(settled) // 10)
    first, last = statistics.fmean(megabytes[:tenth]), statistics.fmean(megabytes[-tenth:])
    slope = statistics.linear_regression(*zip(*settled, strict=True)).slope if len(settled) > 1 else 0.0
    return Memory(
        requests=tally.requests,
        warm_up=warm_up,
        after_warm_up=round(first, 1),
        at_the_end=round(last, 1),
        growth=round(last - first, 1),
        peak=round(max(m for _, m in samples), 1),
        per_10_000_requests=round(slope * 10_000, 2),
        errors=dict(tally.errors),
    )


def send(server: Server, texts: Texts, *, clients: int, more: Callable[[Tally], bool]) -> Tally:
    """Run clients, each in a thread with a connection of its own, until `more` says no."""
    tally = Tally()
    threads = [threading.Thread(target=client, args=(server, texts, tally, more)) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return tally


def client(server: Server, texts: Texts, tally: Tally, more: Callable[[Tally], bool]) -> None:
    """Send one request after the other over one connection, which is made again only when it fails."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=_TIMEOUT_SECONDS)
    while more(tally):
        body = json.dumps({"text": next(texts)}).encode()
        started = time.perf_counter()
        error = ask(connection, body)
        tally.add((time.perf_counter() - started) * 1000, error)
    connection.close()


def ask(connection: http.client.HTTPConnection, body: bytes) -> str | None:
    """Classify one text; gives what went wrong, if anything did."""
    try:
        connection.request("POST", "/classify", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        content = response.read()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        return type(error).__name__
    if response.status != 200:
        return f"status {response.status}"
    (result,) = json.loads(content)["results"]
    return f"item {result['error']['code']}" if result.get("error") else None


def percentile(ordered: Sequence[float], percent: int) -> float:
    """Give the smallest value that so many percent do not exceed (nearest rank)."""
    rank = -(-len(ordered) * percent // 100)
    return round(ordered[max(0, rank - 1)], 1)


def show(in_process: InProcess, under_load: Load, memory: Memory | None, options: argparse.Namespace) -> None:
    """Print the figures."""
    found: dict[str, Any] = {"quality": options.quality, "cores": os.cpu_count()}
    found |= {"in_process": asdict(in_process), "load": asdict(under_load)}
    if memory is not None:
        found["memory"] = asdict(memory)
    if options.json:
        print(json.dumps(found, indent=1))
        return
    for phase, figures in found.items():
        print(f"{phase}: {figures}" if not isinstance(figures, dict) else phase)
        for name, value in figures.items() if isinstance(figures, dict) else ():
            print(f"  {name.replace('_', ' '):24} {value}")


if __name__ == "__main__":
    main()
