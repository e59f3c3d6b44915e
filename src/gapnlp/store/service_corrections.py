"""Corrections in the service's database: every query names the project, but those for keeping house."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, insert, select, tuple_

from gapnlp.errors import NotFound
from gapnlp.records.corrections import Correction, GivenLabels
from gapnlp.records.labels import Labels
from gapnlp.store.service_database import ServiceDatabase, clock
from gapnlp.store.service_tables import SERVICE_CORRECTIONS as CORRECTIONS
from gapnlp.store.service_tables import SERVICE_JOBS as JOBS

_PLAIN = ("id", "project", "who", "created", "job", "segment", "row", "ticket", "text", "language", "model_version")
_PAGE_ROWS = 500


class ServiceCorrections:
    """The corrections of all projects, one project at a time."""

    def __init__(self, database: ServiceDatabase) -> None:
        """Work on a database."""
        self._database = database

    def insert(self, correction: Correction, *, fingerprint: str, idempotency_key: str | None) -> None:
        """Add a correction. Raises Duplicate for a used idempotency key, NotFound when its job is not there."""
        own = {"fingerprint": fingerprint, "idempotency_key": idempotency_key}
        with self._database.writing() as connection:
            if correction.job is not None:
                # Held until the end: a job that is deleted meanwhile takes this correction along.
                wanted = [JOBS.c.id == correction.job, JOBS.c.project == correction.project, JOBS.c.deleted.is_(None)]
                if connection.execute(select(JOBS.c.id).where(*wanted).with_for_update(read=True)).first() is None:
                    raise NotFound("there is no such job in this project; look at the list of jobs")
            connection.execute(insert(CORRECTIONS).values(**_values(correction), **own))

    def of_key(self, project: str, idempotency_key: str) -> tuple[Correction, str] | None:
        """Find the correction of an idempotency key, with its fingerprint."""
        wanted = [CORRECTIONS.c.project == project, CORRECTIONS.c.idempotency_key == idempotency_key]
        with self._database.reading() as connection:
            row = connection.execute(select(CORRECTIONS).where(*wanted)).one_or_none()
        return (_read(row), row.fingerprint) if row else None

    def delete(self, project: str, correction_id: str) -> None:
        """Take a correction back. Raises NotFound, also for another project's."""
        wanted = [CORRECTIONS.c.project == project, CORRECTIONS.c.id == correction_id]
        with self._database.writing() as connection:
            if connection.execute(delete(CORRECTIONS).where(*wanted)).rowcount != 1:
                raise NotFound("there is no such correction in this project")

    def latest(self, project: str) -> Iterator[Sequence[Correction]]:
        """Read a project's corrections, oldest first, some at a time: of each person's on one thing the last."""
        place: tuple[datetime, str] | None = None
        while rows := self._page(project, place):
            yield [_read(row) for row in rows]
            place = rows[-1].created, rows[-1].id

    def segments_of(self, project: str, job_id: str) -> frozenset[int]:
        """Places of a job's segments that somebody has corrected."""
        wanted = [CORRECTIONS.c.project == project, CORRECTIONS.c.job == job_id]
        with self._database.reading() as connection:
            return frozenset(connection.execute(select(CORRECTIONS.c.segment).where(*wanted).distinct()).scalars())

    def last_of(self, project: str, who: str, *, job: str, segment: int) -> Correction | None:
        """Find somebody's correction of a job's segment that counts; None when there is none."""
        c = CORRECTIONS.c
        wanted = [c.project == project, c.job == job, c.segment == segment, c.who == who]
        query = select(CORRECTIONS).where(*wanted).order_by(c.created.desc(), c.id.desc()).limit(1)
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        return _read(row) if row else None

    def erase_job(self, job_id: str) -> None:
        """Delete what was said of a job's segments, with their texts."""
        with self._database.writing() as connection:
            connection.execute(delete(CORRECTIONS).where(CORRECTIONS.c.job == job_id))

    def erase_before(self, age: timedelta) -> int:
        """Delete the corrections, of all projects, that are older; returns how many."""
        with self._database.writing() as connection:
            old = CORRECTIONS.c.created < clock(connection) - age
            return connection.execute(delete(CORRECTIONS).where(old)).rowcount

    def _page(self, project: str, place: tuple[datetime, str] | None) -> Sequence[Row[Any]]:
        c, later = CORRECTIONS.c, CORRECTIONS.alias("later")
        newer = select(later.c.id).where(
            later.c.project == c.project,
            later.c.target == c.target,
            later.c.who == c.who,
            tuple_(later.c.created, later.c.id) > tuple_(c.created, c.id),
        )
        query = select(CORRECTIONS).where(c.project == project, ~newer.exists())
        if place is not None:
            query = query.where(tuple_(c.created, c.id) > place)
        with self._database.reading() as connection:
            return connection.execute(query.order_by(c.created, c.id).limit(_PAGE_ROWS)).all()


def _values(correction: Correction) -> dict[str, Any]:
    labels = correction.model_labels
    target = json.dumps(correction.target).encode()
    return {name: getattr(correction, name) for name in _PLAIN} | {
        "given": asdict(correction.given),
        "model_labels": asdict(labels) if labels else None,
        "target": hashlib.sha256(target).hexdigest(),
    }


def _read(row: Row[Any]) -> Correction:
    values = row._mapping
    given, labels = values["given"], values["model_labels"]
    gaps = None if given["gaps"] is None else tuple(given["gaps"])
    return Correction(
        **{name: values[name] for name in _PLAIN},
        given=GivenLabels(**{**given, "gaps": gaps}),
        model_labels=Labels(**{**labels, "gaps": tuple(labels["gaps"])}) if labels else None,
    )
