"""Promotions that are killed at random moments leave the state before or the state after, and never a third one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gapnlp.classifier.bundle import read_manifest, read_verified
from gapnlp.errors import ModelError
from gapnlp.retraining import registry
from gapnlp.retraining.registry import candidates, history, open_registry, promote, rollback
from tests.retraining.registry_samples import candidate_of

ROOT = Path(__file__).resolve().parents[2]
KILLS = 30
# Loads everything once, then forks children that work on the folder, and kills each at a random moment.
PROGRAM = """
import os, random, signal, sys, time
from pathlib import Path
from gapnlp.retraining import registry
from tests.retraining.registry_samples import candidate_of

models, shipped, kills, work = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
registry.default_models_folder = lambda: shipped
dice = random.Random(7)

def switch():
    while True:
        registry.promote(models, "linear-en")
        registry.rollback(models)

def open_and_add():
    number = 0
    while True:
        registry.open_registry(models)
        number += 1
        candidate_of(models, f"2.{os.getpid()}.{number}")
        if number % 3 == 0:
            (models / "manifest.toml").unlink()  # begin again: folders without a manifest are there by now

def work_for_ever():
    try:
        {"switch": switch, "open": open_and_add}[work]()
    finally:
        os._exit(1)  # it does not end by itself

def enough(done):
    switched = work != "switch" or len(registry.history(models)) > 20  # on a busy machine that takes more kills
    return done >= kills and (switched or time.monotonic() > started + 60)

started, done = time.monotonic(), 0
while not enough(done):
    done += 1
    child = os.fork()
    if child == 0:
        work_for_ever()
    time.sleep(dice.uniform(0.001, 0.4))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        sys.exit("a child ended by itself")
"""


@pytest.fixture
def shipped(tiny_models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(registry, "default_models_folder", lambda: tiny_models)
    return tiny_models


def start(models: Path, shipped: Path, work: str) -> subprocess.Popen[bytes]:
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", PROGRAM, str(models), str(shipped), str(KILLS), work]
    return subprocess.Popen(command, env=environment, cwd=ROOT)


def wait(process: subprocess.Popen[bytes]) -> None:
    try:
        assert process.wait(120) == 0
    finally:
        process.kill()
        process.wait()


def test_kills_leave_the_old_or_the_new_state(tmp_path, shipped):
    models = tmp_path / "own"
    open_registry(models)
    candidate_of(models, "2.0.0")
    old = read_manifest(models)
    new = (promote(models, "linear-en"), *old[1:])
    rollback(models)
    process = start(models, shipped, "switch")
    seen: dict[tuple[str, ...], int] = {}
    while process.poll() is None:
        bundles = read_manifest(models)
        assert bundles in (old, new)
        versions = tuple(b.version for b in bundles)
        seen[versions] = seen.get(versions, 0) + 1
        time.sleep(0.001)
    wait(process)
    assert len(seen) == 2  # the readings met both
    for bundle in {b.version: b for b in (*old, *new)}.values():
        assert read_verified(bundle)
    states = history(models)
    assert len(states) > 20
    assert [s.after for s in states] == [None, *(s.number for s in states[:-1])]
    # Whatever was left behind, the next ones work, and nothing half-made is there afterwards.
    promote(models, "linear-en")
    assert read_manifest(models) == new
    rollback(models)
    assert not [p for p in models.rglob("*") if p.name.startswith(".draft")]


def test_kills_leave_whole_folders_and_candidates(tmp_path, shipped):
    models = tmp_path / "own"
    process = start(models, shipped, "open")
    whole = {b.version for b in read_manifest(shipped)}
    while process.poll() is None:
        try:
            assert {b.version for b in read_manifest(models)} == whole
        except ModelError as error:
            assert "there is no manifest" in str(error)
        time.sleep(0.001)
    wait(process)
    open_registry(models)
    found = candidates(models)
    assert len(found) > 10
    for info in (*read_manifest(models), *(c.info for c in found)):
        assert read_verified(info)
    assert promote(models, "linear-en").version == found[0].info.version
    assert not [p for p in models.rglob("*") if p.name.startswith(".draft")]
