"""Jobs as those see them that run them: whoever claimed a job last may write to it, everybody else finds out."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, case, func, literal, select, update

from gapnlp.records.service import ENDED, Job
from gapnlp.store.job_rows import read_job
from gapnlp.store.service_database import ServiceDatabase, clock
from gapnlp.store.service_tables import SERVICE_JOBS as JOBS


class ServiceRuns:
    """Claims on jobs, and what a run writes under its claim."""

    def __init__(self, database: ServiceDatabase) -> None:
        """Work on a database."""
        self._database = database

    def claim(self, job_id: str, token: str) -> tuple[Job, int] | None:
        """Take a job over, from whoever had it; with how many claims in a row found it no further.

        Returns None when it has ended, or is deleted: there is nothing to run.
        """
        stalls = case((JOBS.c.rows_done > JOBS.c.claimed_rows, 0), else_=JOBS.c.stalls + 1)
        with self._database.writing() as connection:
            now = clock(connection)
            values = {
                "claim": token,
                "state": "running",
                "updated": now,
                "resumed": now,
                "resumed_rows": JOBS.c.rows_done,
                "claimed_rows": JOBS.c.rows_done,
                "stalls": case((JOBS.c.claim.is_(None), 0), else_=stalls),
                "started": func.coalesce(JOBS.c.started, literal(now, JOBS.c.started.type)),
            }
            wanted = [JOBS.c.id == job_id, JOBS.c.state.not_in(ENDED), JOBS.c.deleted.is_(None)]
            if connection.execute(update(JOBS).where(*wanted).values(**values)).rowcount != 1:
                return None
            row = connection.execute(select(JOBS).where(JOBS.c.id == job_id)).one()
        return read_job(row), row.stalls

    def state(self, job_id: str) -> str | None:
        """Tell the state of a job; None when it is deleted."""
        with self._database.reading() as connection:
            query = select(JOBS.c.state).where(JOBS.c.id == job_id, JOBS.c.deleted.is_(None))
            return connection.execute(query).scalar_one_or_none()

    def note(self, job_id: str, token: str, **values: Any) -> bool:
        """Write columns of a claimed job. Tells whether the claim still holds; if not, nothing is written."""
        with self._database.writing() as connection:
            return _write(connection, job_id, token, {**values, "updated": clock(connection)})

    def end(self, job_id: str, token: str, state: str, **values: Any) -> bool:
        """Write how a claimed job ended. Tells whether the claim still held."""
        with self._database.writing() as connection:
            now = clock(connection)
            ended = {"state": state, "stage": None, "claim": None, "updated": now, "finished": now}
            return _write(connection, job_id, token, {**values, **ended})


def _write(connection: Connection, job_id: str, token: str, values: dict[str, Any]) -> bool:
    held = [JOBS.c.id == job_id, JOBS.c.claim == token, JOBS.c.deleted.is_(None)]
    return connection.execute(update(JOBS).where(*held).values(**values)).rowcount == 1
