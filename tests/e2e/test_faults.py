"""Jobs survive whatever is killed: each ends succeeded, with exactly the rows of an undisturbed run.

The short form runs with every test. The full one, `make faults`, takes FAULT_ROUNDS (20) rounds of FAULT_ROWS (20,000)
rows on each database and prints what was killed when.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gapnlp.records.service import ENDED, JobOptions
from gapnlp.service.jobs import JobService
from gapnlp.settings import read_settings
from tests.e2e.service_processes import LOST, Place, children, make_upload, send

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks processes up in /proc")

SHORT_ROUNDS, SHORT_ROWS, SHORT_CHUNK = 2, 400, 20
FULL_ROUNDS = int(os.environ.get("FAULT_ROUNDS", "20"))
FULL_ROWS = int(os.environ.get("FAULT_ROWS", "20000"))
FULL_CHUNK = 500
SEED = int(os.environ.get("FAULT_SEED", "4"))
DATABASES = ("sqlite", "postgresql")


@dataclass
class Reference:
    """An undisturbed run: its results and how long it took."""

    results: dict[str, bytes]
    seconds: float


@dataclass(frozen=True)
class Moment:
    """When to strike: so many seconds after the upload is sent, or once so many rows are stored."""

    seconds: float = 0.0
    rows: int = 0

    @classmethod
    def choose(cls, rng: random.Random, reference: Reference) -> Moment:
        """Any moment of the whole, or one of its longest part, with the same chance."""
        if rng.random() < 0.5:
            return cls(seconds=rng.uniform(0, 0.9 * reference.seconds))
        return cls(rows=rng.randint(1, len(reference.results["results.jsonl"].splitlines()) - 1))


class Round:
    """One job, and one process killed at a random moment of it."""

    def __init__(self, place: Place, rng: random.Random, moment: Moment) -> None:
        self.place, self.rng, self.moment = place, rng, moment
        self.begun = time.monotonic()
        self.story: dict[str, object] = {}
        self.fault: BaseException | None = None
        self.thread = threading.Thread(target=self._kill, daemon=True)

    @property
    def struck_in_time(self) -> bool:
        """Whether there was something left to spoil."""
        return self.story.get("at") not in ENDED

    def _kill(self) -> None:
        try:
            self._wait()
            strike, restart = self.rng.choice(self._targets())
            self.story |= {"second": round(time.monotonic() - self.begun, 1), **self._progress()}
            strike()
            time.sleep(self.rng.uniform(0, 1))
            restart()
        except BaseException as error:
            self.fault = error

    def _wait(self) -> None:
        time.sleep(self.moment.seconds)
        while self.moment.rows:
            seen = self._progress()
            if seen.get("rows", 0) >= self.moment.rows or seen["at"] in ENDED:
                return
            time.sleep(0.02)

    def _targets(self) -> list[tuple[Callable[[], None], Callable[[], None]]]:
        """What can be struck, each with what comes back afterwards."""
        targets = []
        for name, process in self.place.running.items():
            comes_back = name == "server" or self.rng.random() < 0.5
            restart = (lambda n=name: self.place.start(n)) if comes_back else (lambda: None)
            told = name if comes_back else f"{name}, for good"
            targets.append((lambda n=name, t=told: self._strike(t, lambda: self.place.kill(n)), restart))
            for child in children(process.pid):
                kill = lambda c=child: send(c, signal.SIGKILL)  # noqa: E731
                targets.append((lambda k=kill, n=name: self._strike(f"child of {n}", k), lambda: None))
        if self.place.postgres:
            drop = lambda: self.place.postgres.drop_connections(self.place.database)  # noqa: E731
            targets.append((lambda: self._strike("all connections", drop), lambda: None))
        return targets

    def _strike(self, told: str, kill: Callable[[], object]) -> None:
        self.story["killed"] = told
        kill()

    def _progress(self) -> dict[str, Any]:
        try:
            _, page = self.place.request("GET", "/jobs?limit=1")
            job = page["items"][0] if page["items"] else {"state": "not yet posted"}
        except LOST:
            return {"at": "server away", "rows": 0}
        return {"at": job.get("stage") or job["state"], "rows": job.get("rows_done") or 0}


def play(place: Place, upload: bytes, reference: Reference, rng: random.Random, *, key: str) -> Round:
    """Run one round."""
    for name in ("server", "worker") if place.postgres else ("server",):
        if name not in place.running:
            place.start(name)
    place.wait_ready()
    begun = time.monotonic()
    disturbance = Round(place, rng, Moment.choose(rng, reference))
    disturbance.thread.start()
    try:
        job_id = place.submit(upload, key)
        place.wait_for(job_id, "succeeded", seconds=10 * reference.seconds + 240)
    finally:
        disturbance.thread.join(timeout=60)
    assert disturbance.fault is None, disturbance.fault
    check_results(place, job_id, reference.results)
    place.wait_ready()
    assert [j["id"] for j in place.request("GET", "/jobs")[1]["items"]] == [job_id], "a job was made twice"
    assert place.request("DELETE", f"/jobs/{job_id}")[0] == 204
    assert not (place.data / "jobs" / job_id).exists()
    disturbance.story["took"] = round(time.monotonic() - begun, 1)
    return disturbance


def run_undisturbed(place: Place, upload: bytes) -> Reference:
    place.start("server")
    place.wait_ready()
    begun = time.monotonic()
    job_id = place.submit(upload, "undisturbed")
    place.wait_for(job_id, "succeeded", seconds=1800)
    seconds = time.monotonic() - begun
    results = place.results(job_id)
    assert place.request("DELETE", f"/jobs/{job_id}")[0] == 204
    return Reference(results, seconds)


def check_results(place: Place, job_id: str, expected: dict[str, bytes]) -> None:
    """Nothing lost, nothing doubled, every byte the same."""
    results = place.results(job_id)
    rows = [json.loads(line)["row"] for line in results["results.jsonl"].splitlines()]
    wanted = [json.loads(line)["row"] for line in expected["results.jsonl"].splitlines()]
    assert rows == wanted == list(range(2, len(wanted) + 2))
    assert results == expected


def play_rounds(place: Place, *, rounds: int, rows: int) -> list[dict[str, object]]:
    """Play until so many rounds were struck while their job ran; those that were not must end well all the same."""
    upload, rng = make_upload(rows), random.Random(SEED)
    try:
        reference = run_undisturbed(place, upload)
        assert len(reference.results["results.jsonl"].splitlines()) == rows
        played: list[Round] = []
        while sum(r.struck_in_time for r in played) < rounds:
            assert len(played) < 3 * rounds + 5, [r.story for r in played]
            played.append(play(place, upload, reference, rng, key=f"round-{len(played)}"))
        return [r.story for r in played]
    finally:
        place.close()


@pytest.fixture
def make_place(tmp_path, request, tiny_models) -> Callable[..., Place]:
    def make(database: str, **options: object) -> Place:
        postgres = request.getfixturevalue("postgres") if database == "postgresql" else None
        return Place(tmp_path / database, tiny_models, postgres, **options)

    return make


@pytest.mark.parametrize("database", DATABASES)
def test_killed_processes_lose_nothing_and_double_nothing(make_place, database):
    stories = play_rounds(make_place(database, chunk_rows=SHORT_CHUNK), rounds=SHORT_ROUNDS, rows=SHORT_ROWS)
    assert len(stories) >= SHORT_ROUNDS
    assert all(story["killed"] for story in stories)


@pytest.mark.heavy
@pytest.mark.parametrize("database", DATABASES)
def test_killed_processes_in_full(make_place, database, capsys):
    stories = play_rounds(
        make_place(database, chunk_rows=FULL_CHUNK, scoring_processes=2), rounds=FULL_ROUNDS, rows=FULL_ROWS
    )
    with capsys.disabled():
        in_time = sum(story["at"] not in ENDED for story in stories)
        sys.stdout.write(f"\n{database}: {len(stories)} rounds of {FULL_ROWS:,} rows, all succeeded, none differs; ")
        sys.stdout.write(f"{in_time} struck while the job ran\n")
        for story in stories:
            sys.stdout.write(f"  {story}\n")


# What happens to workers alone: submitted from here, without a server.


class Pair:
    """Two workers on one PostgreSQL database."""

    def __init__(self, place: Place) -> None:
        self.place = place
        settings = read_settings(
            data_dir=place.data,
            database_url=place.postgres.url(place.database),
            models=place.models,
        )
        self.service = JobService(settings)
        self.service.start(serve_queue=False)

    def revive(self) -> None:
        for name in ("a", "b"):
            if name not in self.place.running:
                self.place.start(name)
        deadline = time.monotonic() + 120
        while not all(self.place.log(n).count("working;") == self.place.starts[n] for n in self.place.running):
            assert time.monotonic() < deadline, [self.place.log(n)[-2000:] for n in ("a", "b")]
            time.sleep(0.1)

    def submit(self, upload: bytes) -> str:
        path = self.place.folder / "arrived"
        path.write_bytes(upload)
        options = JobOptions(by="store", period="month", quality="fast")
        return self.service.submit("local", path, file="reviews.csv", options=options).id

    def wait(self, job_id: str, wanted: Callable[[object], bool], *, seconds: float = 180) -> object:
        deadline = time.monotonic() + seconds
        while not wanted(job := self.service.get("local", job_id)):
            assert time.monotonic() < deadline, (job, [self.place.log(n)[-3000:] for n in ("a", "b")])
            time.sleep(0.02)
        return job

    def runner(self, job_id: str) -> str:
        """Which worker took the job up last: the one whose log speaks of it."""
        (name,) = [n for n in ("a", "b") if job_id in self.place.log(n)]
        return name

    def close(self) -> None:
        self.service.stop()
        self.place.close()


@pytest.fixture(scope="module")
def pair(tmp_path_factory, postgres, tiny_models) -> Iterator[Pair]:
    place = Place(Path(tmp_path_factory.mktemp("pair")), tiny_models, postgres, chunk_rows=10)
    made = Pair(place)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def expected(pair) -> dict[str, bytes]:
    pair.revive()
    job_id = pair.submit(make_upload(SHORT_ROWS))
    assert pair.wait(job_id, lambda job: job.ended).state == "succeeded"
    return pair.place.results(job_id)


def under_way(job: object) -> bool:
    """Some rows are stored and some are left."""
    return job.rows_done >= 10 or job.ended


def test_a_worker_that_never_comes_back_is_replaced(pair, expected):
    pair.revive()
    job_id = pair.submit(make_upload(SHORT_ROWS))
    pair.wait(job_id, under_way)
    pair.place.kill(pair.runner(job_id))
    job = pair.wait(job_id, lambda job: job.ended)
    assert job.state == "succeeded", job.error
    assert job.resumed > job.started
    check_results(pair.place, job_id, expected)


def test_a_worker_that_hangs_is_replaced_and_spoils_nothing_when_it_wakes_up(pair, expected):
    pair.revive()
    job_id = pair.submit(make_upload(SHORT_ROWS))
    pair.wait(job_id, under_way)
    hung = pair.place.running[pair.runner(job_id)]
    send(hung.pid, signal.SIGSTOP)
    try:
        job = pair.wait(job_id, lambda job: job.ended)
    finally:
        send(hung.pid, signal.SIGCONT)
    assert job.state == "succeeded", job.error
    assert job.resumed > job.started
    check_results(pair.place, job_id, expected)
    time.sleep(2)  # time for the one that woke up to find out
    check_results(pair.place, job_id, expected)
    assert pair.service.get("local", job_id) == job
    assert hung.poll() is None
    second = pair.submit(make_upload(SHORT_ROWS))  # and it is of use again, as its fellow is
    assert pair.wait(second, lambda job: job.ended).state == "succeeded"


def test_a_database_that_goes_away_and_comes_back_loses_nothing(pair, expected, postgres):
    pair.revive()
    job_id = pair.submit(make_upload(SHORT_ROWS))
    pair.wait(job_id, under_way)
    postgres.stop()
    time.sleep(2)
    postgres.start()
    job = pair.wait(job_id, lambda job: job.ended)
    assert job.state == "succeeded", job.error
    check_results(pair.place, job_id, expected)
    assert all(process.poll() is None for process in pair.place.running.values())


def test_a_worker_that_is_asked_to_end_leaves_its_job_to_others(pair, expected):
    pair.revive()
    job_id = pair.submit(make_upload(SHORT_ROWS))
    pair.wait(job_id, under_way)
    asked = pair.place.running.pop(pair.runner(job_id))
    asked.terminate()
    assert asked.wait(timeout=60) == 0
    job = pair.wait(job_id, lambda job: job.ended)
    assert job.state == "succeeded", job.error
    check_results(pair.place, job_id, expected)
