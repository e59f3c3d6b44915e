"""Jobs as their owners see them: every query names the project, so that nobody meets another's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select, update

from gapnlp.errors import NotFound
from gapnlp.records.service import ENDED, STATES, Job, Page
from gapnlp.store.cursors import bad_cursor, read_cursor, write_cursor
from gapnlp.store.job_rows import job_values, order_mark, read_job, read_order_mark
from gapnlp.store.service_database import ServiceDatabase, clock
from gapnlp.store.service_tables import SERVICE_JOBS as JOBS


class ServiceJobs:
    """The jobs of all projects, one project at a time; the last methods are for keeping house over all of them."""

    def __init__(self, database: ServiceDatabase) -> None:
        """Work on a database."""
        self._database = database

    def insert(self, job: Job, *, fingerprint: str, idempotency_key: str | None) -> None:
        """Add a job. Raises Duplicate when the project used the idempotency key before."""
        own = {"fingerprint": fingerprint, "idempotency_key": idempotency_key, "claimed_rows": 0, "stalls": 0}
        with self._database.writing() as connection:
            connection.execute(insert(JOBS).values(**job_values(job), **own))

    def of_key(self, project: str, idempotency_key: str) -> tuple[Job, str] | None:
        """Find the job of an idempotency key, with its fingerprint."""
        query = select(JOBS).where(*_seen_by(project), JOBS.c.idempotency_key == idempotency_key)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        return (read_job(row), row.fingerprint) if row else None

    def get(self, project: str, job_id: str) -> Job:
        """Find a job. Raises NotFound, also for another project's."""
        query = select(JOBS).where(*_seen_by(project), JOBS.c.id == job_id)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise _not_found()
        return read_job(row)

    def page(self, project: str, *, cursor: str | None, limit: int, states: Sequence[str] | None) -> Page[Job]:
        """List jobs, newest first. Raises InputError for a cursor that was not handed out."""
        wanted = [*_seen_by(project), *([JOBS.c.state.in_(states)] if states is not None else [])]
        if cursor is not None:
            wanted.append(_after(cursor))
        query = select(JOBS).where(*wanted).order_by(JOBS.c.created.desc(), JOBS.c.id.desc()).limit(limit + 1)
        with self._database.reading() as connection:
            jobs = [read_job(row) for row in connection.execute(query)]
        more = len(jobs) > limit
        last = jobs[limit - 1] if more else None
        return Page(tuple(jobs[:limit]), write_cursor(order_mark(last.created, last.id)) if last else None)

    def cancel(self, project: str, job_id: str) -> bool:
        """Cancel a job that has not ended; its run notices between chunks. Tells whether there was one."""
        with self._database.writing() as connection:
            ended = {"state": "cancelled", "stage": None, "claim": None, "finished": clock(connection)}
            wanted = [*_seen_by(project), JOBS.c.id == job_id, JOBS.c.state.not_in(ENDED)]
            return connection.execute(update(JOBS).where(*wanted).values(**ended)).rowcount == 1

    def hide(self, project: str, job_id: str) -> None:
        """Begin to delete a job: nobody sees it any more, and a run of it stops. Raises NotFound."""
        with self._database.writing() as connection:
            wanted = [*_seen_by(project), JOBS.c.id == job_id]
            gone = {"deleted": clock(connection), "claim": None, "idempotency_key": None}
            if connection.execute(update(JOBS).where(*wanted).values(**gone)).rowcount != 1:
                raise _not_found()

    def erase(self, job_id: str) -> None:
        """End the deletion of a job that was hidden and whose files are gone."""
        with self._database.writing() as connection:
            connection.execute(delete(JOBS).where(JOBS.c.id == job_id, JOBS.c.deleted.is_not(None)))

    def hidden(self) -> tuple[str, ...]:
        """Ids of jobs whose deletion was begun."""
        return self._ids(JOBS.c.deleted.is_not(None))

    def unfinished(self, *, older: timedelta) -> tuple[str, ...]:
        """Ids of jobs, of all projects, that were made so long ago and have not ended."""
        with self._database.reading() as connection:
            moment = clock(connection) - older
        return self._ids(and_(JOBS.c.deleted.is_(None), JOBS.c.state.not_in(ENDED), JOBS.c.created <= moment))

    def ended_before(self, age: timedelta) -> tuple[tuple[str, str], ...]:
        """Project and id of jobs that ended so long ago."""
        with self._database.reading() as connection:
            old = and_(JOBS.c.deleted.is_(None), JOBS.c.state.in_(ENDED), JOBS.c.finished < clock(connection) - age)
            rows = connection.execute(select(JOBS.c.project, JOBS.c.id).where(old)).all()
        return tuple((row.project, row.id) for row in rows)

    def counts(self) -> dict[str, int]:
        """Count the jobs of all projects by state; a state without any counts 0."""
        query = select(JOBS.c.state, func.count()).where(JOBS.c.deleted.is_(None)).group_by(JOBS.c.state)
        with self._database.reading() as connection:
            found = {state: count for state, count in connection.execute(query)}
        return {state: found.get(state, 0) for state in STATES}

    def exists(self, job_id: str) -> bool:
        """Whether there is a job of this id in any project, hidden ones included."""
        return bool(self._ids(JOBS.c.id == job_id))

    def _ids(self, wanted: ColumnElement[bool]) -> tuple[str, ...]:
        with self._database.reading() as connection:
            return tuple(connection.execute(select(JOBS.c.id).where(wanted).order_by(JOBS.c.created)).scalars())


def _seen_by(project: str) -> tuple[ColumnElement[bool], ...]:
    return JOBS.c.project == project, JOBS.c.deleted.is_(None)


def _after(cursor: str) -> ColumnElement[bool]:
    try:
        created, job_id = read_order_mark(read_cursor(cursor))
    except ValueError:
        raise bad_cursor() from None
    return or_(JOBS.c.created < created, and_(JOBS.c.created == created, JOBS.c.id < job_id))


def _not_found() -> NotFound:
    return NotFound("there is no such job in this project; look at the list of jobs")
