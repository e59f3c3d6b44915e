"""Taking over from processes that are gone: told by their lock, else by their silence, and never twice."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import timedelta

import pytest

from gapnlp.service.caretaker import Caretaker, Duties
from gapnlp.service.folders import DataFolder
from gapnlp.service.lifeline import Lifeline, clear, is_gone
from gapnlp.settings import read_settings
from gapnlp.store.service_database import ServiceDatabase, read_url
from gapnlp.store.service_workers import ServiceWorkers

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="locks of the operating system")
HOLDER = """
import sys, time
from pathlib import Path
from gapnlp.service.lifeline import Lifeline
line = Lifeline(Path(sys.argv[1]), sys.argv[2])
print("held", flush=True)
time.sleep(60)
"""


class Queue:
    """Stands in for the engine: remembers whose jobs were put back."""

    def __init__(self) -> None:
        self.rescued: list[str] = []

    def rescue(self, worker: str) -> int:
        self.rescued.append(worker)
        return 1


class Place:
    def __init__(self, folder, database):
        self.data = DataFolder(folder)
        self.data.make()
        self.workers = ServiceWorkers(database)
        self.queue = Queue()
        self.kept: list[float] = []

    def caretaker(self, worker: str, **changes: float) -> Caretaker:
        settings = read_settings(heartbeat_seconds=0.05, **changes)
        duties = Duties(settings, self.data, self.workers, self.queue, lambda: self.kept.append(time.monotonic()))
        return Caretaker(duties, worker)

    def wait_for(self, condition) -> None:
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.fixture
def place(tmp_path):
    database = ServiceDatabase(read_url(None, folder=tmp_path, name="x.sqlite"))
    database.migrate()
    yield Place(tmp_path / "data", database)
    database.close()


@pytest.fixture
def started():
    running = []

    def start(caretaker: Caretaker) -> Caretaker:
        running.append(caretaker)
        caretaker.start()
        return caretaker

    yield start
    for caretaker in running:
        caretaker.stop()


def hold(place: Place, worker: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(place.data.workers), worker], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    return process


def test_a_lock_tells_at_once_that_its_process_was_killed(place):
    process = hold(place, "lost")
    assert is_gone(place.data.workers, "lost") is False
    process.kill()
    process.wait()
    process.stdout.close()
    assert is_gone(place.data.workers, "lost") is True
    clear(place.data.workers, "lost")
    assert is_gone(place.data.workers, "lost") is None
    clear(place.data.workers, "lost")


def test_a_process_whose_lock_is_free_is_taken_over_at_once(place, started):
    place.workers.beat("lost", host="h", pid=1)
    Lifeline(place.data.workers, "lost").let_go()
    started(place.caretaker("me", takeover_seconds=1000))
    place.wait_for(lambda: place.queue.rescued)
    place.wait_for(lambda: not place.workers.others("me"))
    assert place.queue.rescued == ["lost"]
    assert is_gone(place.data.workers, "lost") is None


def test_a_process_that_is_silent_for_long_is_taken_over_though_its_lock_is_held(place, started):
    place.workers.beat("hung", host="h", pid=1)
    lifeline = Lifeline(place.data.workers, "hung")
    begun = time.monotonic()
    started(place.caretaker("me", takeover_seconds=0.6))
    place.wait_for(lambda: place.queue.rescued)
    assert time.monotonic() - begun > 0.6
    assert place.queue.rescued == ["hung"]
    lifeline.let_go()


def test_processes_that_live_are_left_alone(place, started):
    started(place.caretaker("a", takeover_seconds=2))
    started(place.caretaker("b", takeover_seconds=2))
    time.sleep(2.5)
    assert place.queue.rescued == []
    assert [w.id for w in place.workers.others("a")] == ["b"]


def test_of_several_processes_one_takes_over(place, started):
    place.workers.beat("lost", host="h", pid=1)
    Lifeline(place.data.workers, "lost").let_go()
    for name in ("a", "b", "c"):
        started(place.caretaker(name, takeover_seconds=1000))
    place.wait_for(lambda: len(place.workers.others("nobody")) == 3)
    time.sleep(0.3)
    assert place.queue.rescued == ["lost"]


def test_a_rescue_that_was_cut_off_is_done_by_another(place, started):
    for name in ("lost", "rescuer"):
        place.workers.beat(name, host="h", pid=1)
        Lifeline(place.data.workers, name).let_go()
    lost = next(w for w in place.workers.others("rescuer") if w.id == "lost")
    assert place.workers.begin_rescue(lost, "rescuer")
    started(place.caretaker("me", takeover_seconds=1000))
    place.wait_for(lambda: not place.workers.others("me"))
    assert sorted(place.queue.rescued) == ["lost", "rescuer"]


def test_silence_does_not_count_while_the_database_was_away(place):
    """When it comes back everybody has been silent for long, and nobody may be taken for dead because of that."""
    place.workers.beat("other", host="h", pid=1)
    lifeline = Lifeline(place.data.workers, "other")
    caretaker = place.caretaker("me", takeover_seconds=5)
    other = place.workers.others("me")[0]
    silent = type(other)(other.id, other.host, other.pid, timedelta(seconds=3600), None)
    caretaker._heard = None
    assert not caretaker._is_lost(silent)
    caretaker._heard = time.monotonic() - 2
    assert not caretaker._is_lost(silent)
    caretaker._heard = time.monotonic() - 6
    assert caretaker._is_lost(silent)
    lifeline.let_go()


def test_faults_in_housekeeping_do_not_end_the_signs_of_life(place, started, monkeypatch):
    caretaker = place.caretaker("me")
    monkeypatch.setattr("gapnlp.service.caretaker._HOUSEKEEPING_SECONDS", 0.0)

    def fail() -> int:
        place.kept.append(0)
        raise ValueError("a fault")

    object.__setattr__(caretaker._duties, "housekeeping", fail)
    started(caretaker)
    place.wait_for(lambda: len(place.kept) > 3)
    assert place.workers.others("nobody")[0].silent < timedelta(seconds=10)
