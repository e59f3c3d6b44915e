"""Speed and memory of `gapnlp score` and `report`, and of the classifiers alone, each beside a peer, in one run.

    python -m benchmarks.throughput --input reviews.csv --text text --rows 1000000 --gold path/to/gold --json

Commands: the input is repeated to so many rows, each with an id of its own. Their peer is what a data team would write
in an hour: `pandas.read_csv` and a scikit-learn pipeline (TF-IDF of character n-grams, one logistic regression a label)
with as many labels. It reads whole items in one language: no segments, language detection, causes, or account of
failures.

Classifiers: segments per second on the gold development split at each quality, beside the Hugging Face pipeline with a
fine-tuned MiniLM's architecture in torch at its best batch size, all on the same two cores
(`ratio_to_transformers_pipeline`). Figures are ratios of one run on one machine; nothing here is asserted.
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
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import count, cycle, islice
from pathlib import Path

import psutil

from benchmarks.classifier_speed import Documents, Speed, measure_all, ratios
from gapnlp.errors import GapnlpError, InputError
from gapnlp.ingest.gold import read_gold
from gapnlp.records.labels import LANGUAGES
from gapnlp.text.segments import split_segments

# Where the project's own commands look for gold too (Makefile).
_GOLD = Path("../shared/gold")


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
    options = _parser().parse_args(arguments)
    speeds: list[Speed] = []
    if "classifiers" not in options.skip:
        try:
            for language in options.languages.split(","):
                documents = read_documents(options.gold, language, options.input, text=options.text)
                speeds += measure_all(documents[: options.limit], language, models=options.models)
        except GapnlpError as error:
            sys.exit(f"benchmarks.throughput: {error}")
    runs = _run_commands(options)
    source = str(options.gold or (_GOLD if _GOLD.is_dir() else options.input))
    show(runs, speeds, source=source, as_json=options.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.throughput",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--input", type=Path, default=Path("data/samples/lumibay_feedback.csv"), help="CSV to repeat")
    parser.add_argument("--text", default="text", help="its text column")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument(
        "--gold", type=Path, help=f"folder with dev.jsonl (default: {_GOLD}, and without it the input's segments)"
    )
    parser.add_argument("--languages", default="en", help="of the classifiers; the pipeline's encoder is English")
    parser.add_argument("--models", type=Path, help="models folder (default: the shipped bundles)")
    parser.add_argument("--limit", type=int, help="only so many items for the classifiers, for a trial")
    parser.add_argument("--skip", action="append", default=[], choices=("score", "report", "peer", "classifiers"))
    parser.add_argument("--json", action="store_true")
    return parser


def _run_commands(options: argparse.Namespace) -> list[Run]:
    with tempfile.TemporaryDirectory() as folder:
        big = Path(folder) / "big.csv"
        repeat_rows(options.input, big, options.rows)
        gapnlp = [sys.executable, "-c", "from gapnlp.cli.main import main; main()"]
        commands = {
            "score": [*gapnlp, "score", str(big), "--text", options.text, "--out", f"{folder}/scored.csv"],
            "report": [*gapnlp, "report", str(big), "--text", options.text, "--out", f"{folder}/report"],
            "peer": [sys.executable, "-m", "benchmarks.peer_pipeline", str(big), options.text, f"{folder}/peer.csv"],
        }
        return [measure(n, c, options.rows) for n, c in commands.items() if n not in options.skip]


def read_documents(gold: Path | None, language: str, table: Path, *, text: str) -> Documents:
    """Give items as lists of segments: gold's development split, or a table's rows where no gold folder is there.

    Raises InputError on an unknown language, or when there is no item.
    """
    if language not in LANGUAGES:
        raise InputError(f"language {language!r} is unknown; choose from {', '.join(LANGUAGES)}")
    folder = gold or (_GOLD if _GOLD.is_dir() else None)
    if folder is not None:
        items = [i for i in read_gold(folder / "dev.jsonl") if i.language == language]
        documents = [[s.text for s in item.segments] for item in items]
    else:
        with table.open(encoding="utf-8-sig", newline="") as file:
            texts = [row[text] for row in csv.DictReader(file)]
        documents = [found for t in texts if (found := [s.text for s in split_segments(t, language)])]
    if not documents:
        raise InputError(f"{folder or table}: holds no item in {language!r}; pass --gold or --input another")
    return documents


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


def show(runs: Sequence[Run], speeds: Sequence[Speed], *, source: str, as_json: bool) -> None:
    """Print each run and its ratio to the peer."""
    peer = next((r for r in runs if r.name == "peer"), None)
    commands = [
        asdict(r) | {"ratio_to_peer": round(r.rows_per_second / peer.rows_per_second, 2) if peer else None}
        for r in runs
    ]
    by_language = {x: ratios([s for s in speeds if s.language == x]) for x in dict.fromkeys(s.language for s in speeds)}
    classifiers = [asdict(s) | {"ratio_to_transformers_pipeline": by_language[s.language].get(s.name)} for s in speeds]
    if as_json:
        about = {"segments_of": source if speeds else None, "ratio_to_transformers_pipeline": by_language}
        print(json.dumps({**about, "classifiers": classifiers, "commands": commands}, indent=1))
        return
    _print_table(commands, "{name:8} {rows:>9} {seconds:>8} {rows_per_second:>10} {peak_mb:>8} {ratio_to_peer!s:>13}")
    _print_table(
        classifiers,
        "{name:12} {language:8} {detail:36} {segments:>8} {segments_per_second:>19} {start_up_seconds:>16} "
        "{peak_mb:>8} {ratio_to_transformers_pipeline!s:>30}",
    )


def _print_table(rows: Sequence[Mapping[str, object]], form: str) -> None:
    if rows:
        print(form.format(**{name: name for name in rows[0]}))
    for row in rows:
        print(form.format(**row))


if __name__ == "__main__":
    main()
