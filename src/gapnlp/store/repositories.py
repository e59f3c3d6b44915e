"""Jobs in SQL: what is finished is written in one transaction, and is there after any crash."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, delete, event, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from gapnlp.errors import StoreError
from gapnlp.store.tables import CHUNKS, JOBS, METADATA


class StoreLocked(StoreError):
    """Another process has been writing for longer than this one waits."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job came: finished chunks, rows read by them, and the tally's snapshot, if any was kept."""

    done: int = 0
    rows: int = 0
    tally: bytes | None = None


class JobRepository:
    """The jobs of one work file."""

    def __init__(self, path: Path) -> None:
        """Open the work file, or make it.

        Raises StoreError when it cannot be opened or is no work file.
        """
        self._path = path
        self._engine: Engine = create_engine(URL.create("sqlite", database=str(path)))
        event.listen(self._engine, "connect", _tune)
        with self._guarded():
            METADATA.create_all(self._engine)

    def resume(self, key: str) -> Progress:
        """Find the job with this key, or start it; what another key left in the file is dropped."""
        with self._guarded() as connection:
            self._hold(connection)
            connection.execute(delete(CHUNKS).where(CHUNKS.c.job != key))
            connection.execute(delete(JOBS).where(JOBS.c.key != key))
            row = connection.execute(select(JOBS).where(JOBS.c.key == key)).one_or_none()
            if row is None:
                connection.execute(insert(JOBS).values(key=key, done=0, rows=0))
                return Progress()
            return Progress(row.done, row.rows, row.tally)

    def finish(self, key: str, progress: Progress, payloads: Sequence[tuple[int, bytes]]) -> None:
        """Keep chunks as finished, with the tally after them, in one transaction.

        payloads: (chunk number, content) of the chunks since the last call, when contents are kept.
        """
        with self._guarded() as connection:
            self._hold(connection)
            if payloads:
                rows = [{"job": key, "number": number, "payload": payload} for number, payload in payloads]
                connection.execute(insert(CHUNKS), rows)
            values = {"done": progress.done, "rows": progress.rows, "tally": progress.tally}
            connection.execute(update(JOBS).where(JOBS.c.key == key).values(**values))

    def payloads(self, key: str) -> Iterator[bytes]:
        """Contents of the finished chunks, in order, one at a time."""
        query = select(CHUNKS.c.payload).where(CHUNKS.c.job == key).order_by(CHUNKS.c.number)
        with self._guarded() as connection:
            for row in connection.execution_options(yield_per=4).execute(query):
                yield row.payload

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def remove(self) -> None:
        """Close and delete the work file, when its job is done."""
        self.close()
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)

    def _hold(self, connection: Connection) -> None:
        """Make sure, inside a writing transaction, that this process may write; here whoever opens the file may."""

    @contextmanager
    def _guarded(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            reason = getattr(error, "orig", None) or type(error).__name__
            if getattr(reason, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
                raise StoreLocked(f"{self._path}: another process is writing to it") from None
            raise StoreError(f"{self._path}: cannot be read or written ({reason}); delete it to start afresh") from None


def _tune(connection: object, _record: object) -> None:
    """Write-ahead log: a kill at any moment leaves whole transactions only."""
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()
