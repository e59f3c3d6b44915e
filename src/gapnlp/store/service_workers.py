"""Processes that run jobs: their signs of life, and who takes over from one that is gone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update

from gapnlp.store.service_database import ServiceDatabase, clock
from gapnlp.store.service_tables import SERVICE_WORKERS as WORKERS


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """One process. silent: how long ago it gave its last sign of life. rescuer: who is taking its jobs over."""

    id: str
    host: str
    pid: int
    silent: timedelta
    rescuer: str | None


class ServiceWorkers:
    """All processes that run jobs, or did so until they were killed."""

    def __init__(self, database: ServiceDatabase) -> None:
        """Work on a database."""
        self._database = database

    def beat(self, worker: str, *, host: str, pid: int) -> None:
        """Give a sign of life; a process that was given up while it could not do so is entered again."""
        with self._database.writing() as connection:
            now = clock(connection)
            alive = {"seen": now, "rescuer": None}
            if connection.execute(update(WORKERS).where(WORKERS.c.id == worker).values(**alive)).rowcount == 0:
                new = {"id": worker, "host": host, "pid": pid, "started": now}
                connection.execute(insert(WORKERS).values(**new, **alive))

    def others(self, worker: str) -> tuple[WorkerRow, ...]:
        """All processes but this one."""
        with self._database.reading() as connection:
            now = clock(connection)
            rows = connection.execute(select(WORKERS).where(WORKERS.c.id != worker).order_by(WORKERS.c.started)).all()
        return tuple(WorkerRow(r.id, r.host, r.pid, _since(now, r.seen), r.rescuer) for r in rows)

    def begin_rescue(self, lost: WorkerRow, rescuer: str) -> bool:
        """Put oneself down as the one who takes over; of several who try, one is told yes."""
        with self._database.writing() as connection:
            same = [WORKERS.c.id == lost.id, WORKERS.c.rescuer.is_not_distinct_from(lost.rescuer)]
            values = {"rescuer": rescuer, "seen": clock(connection)}
            return connection.execute(update(WORKERS).where(*same).values(**values)).rowcount == 1

    def remove(self, worker: str) -> None:
        """Strike a process off the list."""
        with self._database.writing() as connection:
            connection.execute(delete(WORKERS).where(WORKERS.c.id == worker))


def _since(now: datetime, then: datetime) -> timedelta:
    return max(timedelta(0), now - then)
