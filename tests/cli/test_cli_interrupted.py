"""Ctrl-C: exit code 130, one plain message, whole files only, and the same command goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="sends SIGINT to a process group")

SOURCE = Path(__file__).resolve().parents[2] / "src"
ROWS = 700
# Small chunks, so that the work file shows early that the work has begun.
PROGRAM = """
import gapnlp.jobs as jobs
from gapnlp.cli.main import main

if __name__ == "__main__":
    jobs.CHUNK_ROWS = 10
    main()
"""


@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=pytest.mark.heavy)])
def test_ctrl_c_leaves_whole_files_and_the_command_goes_on(tiny_models, tmp_path, workers):
    reviews, out, program = tmp_path / "r.csv", tmp_path / "out" / "x.jsonl", tmp_path / "program.py"
    lines = [f"r{n},The parcel for order {n} came {n} days late and nobody answers." for n in range(ROWS)]
    reviews.write_text("\n".join(["review_id,review", *lines]), encoding="utf-8")
    program.write_text(PROGRAM)
    command = [sys.executable, str(program), "score", str(reviews), "--models", str(tiny_models), "--out", str(out)]

    process = start([*command, "--workers", workers])
    deadline = time.monotonic() + 60
    work = out.with_name("x.jsonl.gapnlp-work-wal")
    while not (work.exists() and work.stat().st_size > 20_000):
        assert process.poll() is None, process.communicate()[1].decode()[-1000:]
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)  # its own group: as a terminal does it, workers too
    shown, errors = process.communicate(timeout=60)

    assert process.returncode == 130
    assert shown == b""
    assert "go on where they were" in errors.decode()
    assert "Traceback" not in errors.decode()
    assert [p.name for p in out.parent.iterdir() if "gapnlp-work" not in p.name] == []
    again = start([*command, "--workers", "1"])
    shown, errors = again.communicate(timeout=120)
    assert again.returncode == 0, errors.decode()[-1000:]
    assert shown.decode() == f"{out}\n"
    assert [json.loads(line)["row"] for line in out.read_text(encoding="utf-8").splitlines()] == list(
        range(2, ROWS + 2)
    )
    assert [p.name for p in out.parent.iterdir()] == ["x.jsonl"]


def start(command: list[str]) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    return subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        # A test run in the background ignores SIGINT, and its children would too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
