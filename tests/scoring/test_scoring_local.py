"""Chunks on one or several processes: the same results in the same order."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from multiprocessing import active_children
from pathlib import Path

import pytest

from gapnlp.errors import ModelError, StoreError
from gapnlp.records.feedback import Failure, Feedback, Source
from gapnlp.scoring.local import ScorerSettings, score_chunks

TEXTS = (
    "The parcel came late and the box was torn.",
    "The clerk at the desk knew nothing about my order.",
    "Das Paket kam leider viel zu spät an.",
    "They replied within minutes. Thank you!",
)

pytestmark = pytest.mark.usefixtures("shared_cues")


def chunks(count: int = 6) -> list[tuple[int, list[Feedback | Failure]]]:
    made = []
    for number in range(3, 3 + count):
        rows: list[Feedback | Failure] = [
            Feedback(f"{number}-{i}", text, Source("a.csv", i)) for i, text in enumerate(TEXTS[number % 2 :])
        ]
        made.append((number, [*rows, Failure(Source("a.csv", 99), "failed", f"row {number}")]))
    return made


def test_one_process_gives_chunks_in_order(tiny_models):
    found = list(score_chunks(chunks(), ScorerSettings(tiny_models)))
    assert [number for number, _ in found] == [3, 4, 5, 6, 7, 8]
    assert [len(results) for _, results in found] == [4, 5, 4, 5, 4, 5]


def test_two_processes_give_the_same_as_one(tiny_models):
    settings = ScorerSettings(tiny_models)
    assert list(score_chunks(chunks(), settings, workers=2)) == list(score_chunks(chunks(), settings, workers=1))


def test_chunks_are_taken_as_they_are_needed(tiny_models):
    taken = []

    def lazily():
        for chunk in chunks(40):
            taken.append(chunk[0])
            yield chunk

    scored = score_chunks(lazily(), ScorerSettings(tiny_models))
    next(scored)
    scored.close()
    assert taken == [3]


@pytest.mark.heavy
def test_a_refused_bundle_is_said_as_such_from_a_worker(changed_models):
    path = changed_models / "linear-en" / "card.json"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(ModelError, match=r"card\.json: was changed"):
        list(score_chunks(chunks(2), ScorerSettings(changed_models), workers=2))


def children(parent: int) -> list[int]:
    """Processes whose parent is, or was, this one, as Linux lists them."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


SLOW_PARENT = """
import itertools, sys
from multiprocessing import active_children
from pathlib import Path
from gapnlp.records.feedback import Feedback, Source
from gapnlp.scoring.local import ScorerSettings, score_chunks

if __name__ == "__main__":
    rows = [Feedback("1", "The parcel came late.", Source("a.csv", 2))]
    for _ in score_chunks(((n, rows) for n in itertools.count()), ScorerSettings(Path(sys.argv[1])), workers=2):
        print("scored", flush=True)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks processes up in /proc")
def test_workers_end_when_their_parent_was_killed(tiny_models, tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(SLOW_PARENT)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2] / "src")}
    process = subprocess.Popen(
        [sys.executable, str(script), str(tiny_models)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"scored\n"
        workers = children(process.pid)
        assert len(workers) >= 2
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    deadline = time.monotonic() + 4
    while (left := [w for w in workers if is_running(w)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_pool_that_breaks_between_two_chunks_is_told_as_such(tiny_models):
    def after_a_kill():
        given = iter(chunks(40))
        for _ in range(4):  # as many as two processes hold; the first result follows
            yield next(given)
        for process in active_children():
            process.kill()
            process.join(20)
        time.sleep(1)  # the pool finds out on its own
        yield from given

    scored = score_chunks(after_a_kill(), ScorerSettings(tiny_models), workers=2)
    with pytest.raises(StoreError, match="a scoring process was ended from outside"):
        list(scored)
