"""Promotions under load, over the real server: no request fails, and every answer names a version that was there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import httpx
import pytest

from gapnlp.classifier.bundle import choose_bundle, read_manifest
from gapnlp.classifier.states import MANIFEST
from gapnlp.retraining import registry
from gapnlp.retraining.registry import candidates, history, open_registry, promote, rollback
from tests.api.conftest import Server
from tests.retraining.registry_samples import candidate_of

CLIENTS = 10
SWITCHES = 20
TEXT = "The parcel came 3 days late. They replied within 5 minutes."
# Seconds within which a promotion is to be seen, on a machine that has other work.
SOON = 15


@dataclass
class Client:
    """Asks and asks, and notes status, versions and seconds of each answer."""

    address: str
    stopping: threading.Event
    answers: list[tuple[float, int, str]] = field(default_factory=list)

    def run(self) -> None:
        with httpx.Client(base_url=self.address, timeout=60) as client:
            for number in count():
                if self.stopping.is_set():
                    return
                started = time.monotonic()
                answered = client.post("/classify", json={"text": f"{TEXT} {number}", "evidence": number % 2 == 0})
                version = answered.json()["results"][0]["model_version"] if answered.status_code == 200 else ""
                self.answers.append((time.monotonic() - started, answered.status_code, version))


@pytest.fixture
def models(tmp_path: Path, tiny_models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(registry, "default_models_folder", lambda: tiny_models)
    folder = tmp_path / "own"
    open_registry(folder)
    for release in ("2.0.0", "3.0.0"):
        candidate_of(folder, release)
    return folder


@pytest.fixture
def server(start_server: Callable[..., Server], models: Path, tmp_path: Path) -> Iterator[Server]:
    started = start_server(tmp_path / "data", models=str(models))
    yield started
    started.stop()


def english(models: Path) -> str:
    return choose_bundle(read_manifest(models), "en").version


def served(client: httpx.Client) -> str:
    return client.post("/classify", json={"text": TEXT}).json()["results"][0]["model_version"]


def wait_for(client: httpx.Client, version: str) -> None:
    deadline = time.monotonic() + SOON
    while served(client) != version:
        assert time.monotonic() < deadline, f"{version} does not serve"
        time.sleep(0.1)


def metric(client: httpx.Client, name: str) -> float:
    (line,) = [x for x in client.get("/metrics").text.splitlines() if x.startswith(f"{name} ")]
    return float(line.rpartition(" ")[2])


def switch(models: Path, number: int) -> None:
    """Promote one candidate, promote the other, go back twice, and so on."""
    if number % 4 < 2:
        promote(models, candidates(models)[number % 4].info.version)
    else:
        rollback(models)


def test_promotions_under_load(server, models):
    stopping = threading.Event()
    clients = [Client(server.address, stopping) for _ in range(CLIENTS)]
    threads = [threading.Thread(target=client.run) for client in clients]
    for thread in threads:
        thread.start()
    for number in range(SWITCHES):
        switch(models, number)
        time.sleep(0.4)
    last = candidates(models)[1].info.version
    promote(models, last)
    with server.client() as watcher:
        wait_for(watcher, last)
    stopping.set()
    for thread in threads:
        thread.join(60)
    answers = [answer for client in clients for answer in client.answers]
    assert all(len(client.answers) > 20 for client in clients)
    assert {status for _, status, _ in answers} == {200}
    real = {version for state in history(models) for version in state.bundles}
    seen = {version for _, _, version in answers}
    assert seen <= real
    assert len(seen) >= 2 and last in seen
    assert max(seconds for seconds, _, _ in answers) < SOON


def test_models_and_metrics_tell_which_models_serve(server, models):
    with server.client() as client:
        assert served(client) == english(models)
        promote(models, "linear-en")
        wait_for(client, english(models))
        told = client.get("/models").json()
        assert {m["version"] for m in told["items"]} == {b.version for b in read_manifest(models)}
        assert told["outdated"] is False
        assert f'gapnlp_model{{language="en",version="{english(models)}"}} 1.0' in client.get("/metrics").text
        assert metric(client, "gapnlp_model_reloads_total") == 1
        assert metric(client, "gapnlp_models_outdated") == 0


def test_a_broken_state_is_told_and_the_old_one_goes_on(server, models):
    before = english(models)
    good = (models / MANIFEST).read_bytes()
    candidate = candidates(models)[0].info
    (candidate.folder / "weights.safetensors").write_bytes(b"spoilt")
    told = good.decode().replace('folder = "linear-en"\n', "")
    (models / MANIFEST).write_text(
        told.replace('name = "linear-en"', f'name = "linear-en"\nfolder = "{candidate.folder.name}"')
    )
    with server.client() as client:
        deadline = time.monotonic() + SOON
        while not client.get("/models").json()["outdated"]:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert served(client) == before
        assert before in {m["version"] for m in client.get("/models").json()["items"]}
        assert metric(client, "gapnlp_models_outdated") == 1
        assert client.get("/readyz").status_code == 200
        (models / MANIFEST).write_bytes(good)
        while client.get("/models").json()["outdated"]:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert served(client) == before
    assert "cannot be used, so the models before it go on" in server.stop()
