"""Rows per second and peak memory of `gapnlp score` and `report` beside a peer, in one run.

    python -m benchmarks.throughput --input reviews.csv --text text --rows 1000000

The input is repeated to so many rows, each with an id of its own. The peer is what a data team would write in an hour:
`pandas.read_csv` and a scikit-learn pipeline (TF-IDF of character n-grams, one logistic regression a label) with as
many labels. It reads whole items in one language: no segments, language detection, causes, or account of failures.
Figures are ratios of one run on one machine; nothing here is asserted.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import count, cycle, islice
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Run:
    """One command's figures: peak_mb is the sum of resident memory over its processes."""

    name: str
    rows: int
    seconds: float
    rows_per_second: float
    peak_mb: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", type=Path, default=Path("data/samples/lumibay_feedback.csv"), help="CSV to repeat")
    parser.add_argument("--text", default="text", help="its text column")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--skip", action="append", default=[], choices=("score", "report", "peer"))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        big = Path(folder) / "big.csv"
        repeat_rows(options.input, big, options.rows)
        gapnlp = [sys.executable, "-c", "from gapnlp.cli.main import main; main()"]
        commands = {
            "score": [*gapnlp, "score", str(big), "--text", options.text, "--out", f"{folder}/scored.csv"],
            "report": [*gapnlp, "report", str(big), "--text", options.text, "--out", f"{folder}/report"],
            "peer": [sys.executable, "-m", "benchmarks.peer_pipeline", str(big), options.text, f"{folder}/peer.csv"],
        }
        runs = [measure(n, c, options.rows) for n, c in commands.items() if n not in options.skip]
    show(runs, as_json=options.json)


def repeat_rows(source: Path, target: Path, rows: int) -> None:
    """Repeat a CSV's rows, with a first column of unique ids."""
    with source.open(encoding="utf-8-sig", newline="") as file:
        header, *content = list(csv.reader(file))
    kept = [i for i, name in enumerate(header) if name.lower() not in ("id", "tweet_id")]
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", *(header[i] for i in kept)])
        for number, row in zip(count(), islice(cycle(content), rows), strict=False):
            writer.writerow([f"r{number}", *(row[i] if i < len(row) else "" for i in kept)])


def measure(name: str, command: Sequence[str], rows: int) -> Run:
    """Run a command and watch the memory of all its processes."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    watcher = _MemoryWatch(process.pid)
    watcher.start()
    _, errors = process.communicate()
    seconds = time.perf_counter() - started
    watcher.stopped.set()
    if process.returncode:
        sys.exit(f"{name} failed: {errors.decode(errors='replace')[-2000:]}")
    return Run(name, rows, round(seconds, 1), round(rows / seconds, 1), round(watcher.peak / 1e6, 1))


class _MemoryWatch(threading.Thread):
    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self.stopped = threading.Event()
        self._process = psutil.Process(pid)

    def run(self) -> None:
        while not self.stopped.wait(0.1):
            self.peak = max(self.peak, self._resident())

    def _resident(self) -> int:
        total = 0
        try:
            for process in (self._process, *self._process.children(recursive=True)):
                total += process.memory_info().rss
        except psutil.Error:
            return 0
        return total


def show(runs: Sequence[Run], *, as_json: bool) -> None:
    """Print each run and its ratio to the peer."""
    peer = next((r for r in runs if r.name == "peer"), None)
    rows = [
        asdict(r) | {"ratio_to_peer": round(r.rows_per_second / peer.rows_per_second, 2) if peer else None}
        for r in runs
    ]
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    print(f"{'run':8} {'rows':>9} {'seconds':>8} {'rows/s':>8} {'peak MB':>8} {'x peer':>7}")
    for row in rows:
        print(
            "{name:8} {rows:9,} {seconds:8} {rows_per_second:8,.0f} {peak_mb:8,.0f} {ratio_to_peer!s:>7}".format(**row)
        )


if __name__ == "__main__":
    main()
