"""`gapnlp score` and `gapnlp report` killed with SIGKILL at random moments, as a user or the system would do it."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks processes up in /proc"),
]

SOURCE = Path(__file__).resolve().parents[1] / "src"
ROWS = 2400
KILLS = 4
# Small chunks and frequent snapshots, so that every kill falls into the work and little of it is lost.
PROGRAM = """
import sys
import gapnlp.jobs as jobs
from gapnlp.cli.main import main

if __name__ == "__main__":
    jobs.CHUNK_ROWS, jobs._SNAPSHOT_SECONDS = 20, 0.05
    main()
"""
SENTENCES = (
    "The parcel came # days late and nobody answers the phone about order #.",
    "They replied within # minutes, thank you!",
    "The clerk at desk # was rude. She knew nothing about room #.",
    "Room # is clean and bright, a lovely place to stay for # days.",
)


@pytest.fixture(scope="module")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("killed") / "reviews.csv"
    lines = [
        f"r{n},{SENTENCES[n % 4].replace('#', str(n)).replace(',', ';')},2025-0{1 + n % 9}-11" for n in range(ROWS)
    ]
    path.write_text("\n".join(["review_id,review,date", *lines]) + "\n", encoding="utf-8")
    return path


def start(program: Path, *arguments: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    return subprocess.Popen(
        [sys.executable, str(program), *arguments], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def finish(process: subprocess.Popen[bytes]) -> None:
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors.decode()[-2000:]


def parent_and_state(stat: Path) -> tuple[int, str]:
    try:
        state, parent = stat.read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return 0, "gone"
    return int(parent), state


def children(parent: int) -> list[Path]:
    found = [(stat, *parent_and_state(stat)) for stat in Path("/proc").glob("[0-9]*/stat")]
    return [stat for stat, of, state in found if of == parent and state != "Z"]


def chunks_done(work: Path) -> int:
    """Finished chunks by the work file, 0 while it is not there or not yet filled."""
    if not work.exists():
        return 0
    try:
        with closing(sqlite3.connect(f"file:{work}?mode=ro", uri=True)) as connection:
            row = connection.execute("SELECT done FROM jobs").fetchone()
    except sqlite3.Error:
        return 0
    return row[0] if row else 0


def kill_at(process: subprocess.Popen[bytes], work: Path, *, chunks: int) -> None:
    """Kill this one process once so many chunks are done, and see its workers end by themselves."""
    while chunks_done(work) < chunks:
        assert process.poll() is None, "ended before it could be killed"
        time.sleep(0.01)
    workers = children(process.pid)
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 4
    while (left := [w for w in workers if parent_and_state(w)[1] not in ("gone", "Z")]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []


@pytest.mark.parametrize(
    ("kind", "workers", "result"),
    [("score", "1", "x.csv"), ("score", "2", "x.jsonl"), ("report", "2", "x/report.json")],
)
def test_killed_and_run_again_gives_the_same_bytes(reviews, tiny_models, tmp_path, kind, workers, result):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    name = result.split("/")[0]
    options = [kind, str(reviews), "--models", str(tiny_models), "--workers", workers, "--out"]
    finish(start(program, *options, str(tmp_path / "whole" / name)))

    out = tmp_path / "broken" / name
    work = out / "report.gapnlp-work" if kind == "report" else out.with_name(f"{name}.gapnlp-work")
    rng = random.Random(result)
    for _ in range(KILLS):
        before = chunks_done(work)
        kill_at(start(program, *options, str(out)), work, chunks=before + rng.randint(1, 25))
        assert before < chunks_done(work) < ROWS / 20
        assert not (tmp_path / "broken" / result).exists()
    finish(start(program, *options, str(out)))
    assert (tmp_path / "broken" / result).read_bytes() == (tmp_path / "whole" / result).read_bytes()
    left = [p.name for p in (tmp_path / "broken").rglob("*") if "gapnlp-work" in p.name or ".partial" in p.name]
    assert left == []
