"""An app with jobs and keys in memory and a small scorer; and the real server, in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from gapnlp.api.app import create_app
from gapnlp.scoring.loading import load
from gapnlp.scoring.scorer import Scorer
from gapnlp.service.keys import KeyService
from gapnlp.settings import Settings, read_settings
from tests.api.fakes import FakeCorrections, FakeJobs, FakeKeys

SERVE = "import typer; from gapnlp.cli.serve import serve; typer.run(serve)"
STARTS_WITHIN = 120


@pytest.fixture(scope="session")
def small_scorer(tiny_models: Path, shared_cues: None) -> Scorer:
    """A scorer of the small models. Pools use it one after the other: tests run one at a time."""
    return load(tiny_models, quality="fast")


@dataclass(frozen=True)
class Api:
    """An app in this process, with what is behind it."""

    app: FastAPI
    client: TestClient
    jobs: FakeJobs
    keys: FakeKeys
    settings: Settings
    corrections: FakeCorrections


@pytest.fixture
def open_api(tmp_path: Path, tiny_models: Path, small_scorer: Scorer) -> Iterator[Callable[..., Api]]:
    """Make apps; `settings` overrides single settings, `scorer` the small one."""
    with ExitStack() as stack:

        def make(scorer: Scorer | None = None, **settings: object) -> Api:
            chosen = read_settings(data_dir=tmp_path / "data", models=tiny_models, quality="fast", **settings)
            jobs, keys, corrections = FakeJobs(tmp_path), FakeKeys(), FakeCorrections()
            given = {"jobs": jobs, "keys": keys, "corrections": corrections}
            app = create_app(chosen, **given, make_scorer=lambda: scorer or small_scorer)
            client = TestClient(app, base_url="http://127.0.0.1:8000", client=("127.0.0.1", 50_000))
            return Api(app, stack.enter_context(client), jobs, keys, chosen, corrections)

        yield make


@pytest.fixture
def api(open_api: Callable[..., Api]) -> Api:
    """An app without keys, so that this machine may do everything."""
    return open_api()


@dataclass
class Server:
    """The real server."""

    process: subprocess.Popen[bytes]
    address: str
    data: Path
    log: Path

    def client(self, secret: str | None = None) -> httpx.Client:
        """Make a client, with a key."""
        headers = {"X-API-Key": secret} if secret else {}
        return httpx.Client(base_url=self.address, headers=headers, timeout=60)

    def stop(self) -> str:
        """Stop it as an operator does; gives what it logged."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        return self.log.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def start_server(tiny_models: Path) -> Iterator[Callable[..., Server]]:
    """Start servers in a data folder; settings become environment variables."""
    running: list[subprocess.Popen[bytes]] = []

    def start(data: Path, *arguments: str, **settings: str) -> Server:
        told = {"data_dir": str(data), "models": str(tiny_models), "quality": "fast", "rate_limit": "1000000"}
        env = os.environ | {f"GAPNLP_{k.upper()}": v for k, v in (told | settings).items()}
        command = [sys.executable, "-c", SERVE, "--port", "0", *arguments]
        # A file, not a pipe: a pipe that nobody empties would hold up the server.
        log = data.with_name(f"{data.name}-{len(running)}.log")
        with log.open("wb") as stream:
            process = subprocess.Popen(command, env=env, stderr=stream)
        running.append(process)
        return Server(process, _wait_ready(process, log), data, log)

    yield start
    for process in running:
        if process.poll() is None:
            process.kill()
        process.wait()


def _wait_ready(process: subprocess.Popen[bytes], log: Path) -> str:
    """Wait until a server can work; gives its address."""
    deadline = time.monotonic() + STARTS_WITHIN
    while True:
        told = log.read_text(encoding="utf-8")
        found = re.search(r"^serving at (http://[^;]+);", told, re.MULTILINE)
        if found and httpx.get(found[1] + "/readyz").status_code == 200:
            return found[1]
        assert process.poll() is None, told
        assert time.monotonic() < deadline, told
        time.sleep(0.1)


def make_keys(data: Path, *wanted: tuple[str, ...]) -> list[str]:
    """Make keys in a data folder's database: (project, scope, ...) each; gives their secrets."""
    service = KeyService(read_settings(data_dir=data))
    try:
        return [service.create(project, f"key {n}", scopes)[1] for n, (project, *scopes) in enumerate(wanted)]
    finally:
        service.close()


@dataclass(frozen=True)
class Tenanted:
    """The real server with one key that may do everything."""

    server: Server
    secret: str

    @property
    def client(self) -> httpx.Client:
        """Make a client with the key."""
        return self.server.client(self.secret)


@pytest.fixture(scope="session")
def served(start_server: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory) -> Tenanted:
    """The real server, shared by tests that leave it as it was."""
    data = tmp_path_factory.mktemp("served") / "data"
    [secret] = make_keys(data, ("shop", "classify", "jobs", "admin"))
    server = start_server(
        data,
        upload_bytes="60000000",
        zendesk_secrets='{"shop": "zendesk-secret"}',
        intercom_secrets='{"shop": "intercom-secret"}',
        freshdesk_tokens='{"shop": "freshdesk-token"}',
        storage_prefixes=f"file://{data.parent}/storage/",
    )
    return Tenanted(server, secret)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the golden file of OpenAPI be written anew."""
    parser.addoption("--write-golden", action="store_true", help="write golden files anew")
