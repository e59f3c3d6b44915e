"""A real PostgreSQL 15 for tests: Debian's, installed where that is possible, started on a free loopback port.

A pytest plugin, named in tests/conftest.py. The server lives in a folder of its own and ends with the session.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

DEBIAN = Path("/usr/lib/postgresql/15/bin")
PASSWORD = "only-for-tests"
SECONDS_TO_START = 60
_numbers = count(1)


class PostgresServer:
    """One server; `stop` and `start` are what a test of lost connections needs."""

    def __init__(self, programs: Path) -> None:
        self.programs = programs
        # The server refuses to run as root, and pytest's own folders are closed to anybody else.
        self.user = "postgres" if os.geteuid() == 0 else None
        self.folder = Path(tempfile.mkdtemp(prefix="gapnlp-postgres-"))
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        if self.user:
            for path in (self.folder, secret):
                shutil.chown(path, self.user, self.user)
        self._run(
            "initdb", "-D", str(self.folder / "data"), "-U", "gapnlp", "-A", "scram-sha-256", f"--pwfile={secret}",
            "--no-sync", "-E", "UTF8", "--locale=C.UTF-8",
        )  # fmt: skip

    def start(self) -> None:
        options = {
            "listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": self.folder,
            "fsync": "off", "max_connections": 200, "shared_buffers": "32MB",
        }  # fmt: skip
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen(
            [self.programs / "postgres", "-D", self.folder / "data", *arguments],
            stdout=log, stderr=log, cwd=self.folder, user=self.user, group=self.user,
        )  # fmt: skip
        log.close()
        self._wait()

    def stop(self) -> None:
        """Stop at once, as a crash would; what was committed is there after `start`."""
        if self.process is not None:
            self.process.send_signal(3)  # SIGQUIT: immediate shutdown
            self.process.wait(timeout=30)
            self.process = None

    def url(self, database: str) -> str:
        return f"postgresql://gapnlp:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str, *, database: str = "postgres") -> list[tuple]:
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def new_database(self) -> str:
        """Make an empty database and give its name."""
        name = f"test_{os.getpid()}_{next(_numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return name

    def drop_connections(self, database: str) -> int:
        """End every connection to a database, as a failing network would; tells how many there were."""
        rows = self.execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}' "
            "AND pid <> pg_backend_pid()"
        )
        return len(rows)

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _wait(self) -> None:
        import psycopg

        deadline = time.monotonic() + SECONDS_TO_START
        while True:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                assert self.process is not None
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError((self.folder / "log").read_text(errors="replace")[-2000:]) from None
                time.sleep(0.1)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self.programs / program, *arguments],
            check=True, capture_output=True, cwd=self.folder, user=self.user, group=self.user,
        )  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def find_programs() -> Path | None:
    """The folder of PostgreSQL's programs: Debian's, or another one whose initdb can be found."""
    if (DEBIAN / "initdb").exists():
        return DEBIAN
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def install() -> None:
    """Install Debian's PostgreSQL, without the server that it would start by itself."""
    subprocess.run(["apt-get", "update", "-qq"], check=False, capture_output=True)
    subprocess.run(
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "postgresql"],
        check=False, capture_output=True, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
    )  # fmt: skip


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The session's PostgreSQL server. Without one, and without the right to install it, the test is skipped."""
    pytest.importorskip("psycopg")
    if find_programs() is None and os.geteuid() == 0 and shutil.which("apt-get"):
        install()
    programs = find_programs()
    if programs is None:
        missing = "PostgreSQL is not installed: apt-get install postgresql"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    server = PostgresServer(programs)
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str | None:
    """What GAPNLP_DATABASE_URL says: nothing (SQLite in the data folder), then an empty PostgreSQL database."""
    if request.param == "sqlite":
        return None
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.url(server.new_database())
