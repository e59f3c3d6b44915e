"""The jobs of the service: taken in, run by the durable engine, handed out; every call names the project."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from uuid import uuid4

from gapnlp.errors import Conflict, InputError, NotFound, StoreError
from gapnlp.records.feedback import Recognition
from gapnlp.records.service import (
    REPORT_FORMATS,
    RESULT_FORMATS,
    STATES,
    Job,
    JobOptions,
    Page,
    SegmentFilter,
    StoredSegment,
)
from gapnlp.service.caretaker import Caretaker, Duties
from gapnlp.service.engine import Engine
from gapnlp.service.folders import DataFolder, JobFolder, shown_name
from gapnlp.service.housekeeping import Housekeeping
from gapnlp.service.intake import check_options, fingerprint, read_first_rows, understand
from gapnlp.service.opening import engine_url, open_database
from gapnlp.service.results import write_report_in
from gapnlp.service.runs import RunServices, begin_run
from gapnlp.settings import Settings
from gapnlp.store.job_rows import plain_text
from gapnlp.store.segments import read_review_queue, read_segment, read_segments
from gapnlp.store.service_corrections import ServiceCorrections
from gapnlp.store.service_database import Duplicate, ServiceDatabase
from gapnlp.store.service_jobs import ServiceJobs
from gapnlp.store.service_runs import ServiceRuns
from gapnlp.store.service_workers import ServiceWorkers
from gapnlp.taxonomy.catalogue import UI_LANGUAGES

_LOG = logging.getLogger(__name__)
_MOST_A_PAGE = 500
_LONGEST_KEY = 255
_LONGEST_ID = 32
# Sentences in a job's review queue.
_REVIEWED = 200


class JobService:
    """Takes uploads, runs them as durable jobs, and hands out what became of them; every call names the project.

    All methods can be called from any thread. One service a process may serve the queue.
    """

    def __init__(self, settings: Settings) -> None:
        """Prepare; nothing is opened before `start`."""
        self._settings = settings
        self._data = DataFolder(settings.data_dir)
        self._stopping = threading.Event()
        self._database: ServiceDatabase | None = None
        self._engine: Engine | None = None
        self._caretaker: Caretaker | None = None

    def start(self, *, serve_queue: bool = True) -> None:
        """Open the database, migrations included, and the engine; take jobs from the queue when `serve_queue`.

        Raises StoreError when the database or the data folder cannot be used, InputError for a wrong database URL.
        """
        worker = uuid4().hex
        try:
            self._database = open_database(self._settings)
            self._engine = Engine(engine_url(self._settings), worker)
            self._engine.open(slots=self._settings.job_slots)
            if serve_queue:
                self._serve(self._database, self._engine, worker)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Let go of everything. A running job stops at its next chunk and goes on where another process takes it up."""
        self._stopping.set()
        if self._engine is not None:
            self._engine.close(patience=self._settings.shutdown_seconds)
        if self._caretaker is not None:
            self._caretaker.stop()
        if self._database is not None:
            self._database.close()
        self._engine = self._caretaker = self._database = None

    def ready(self) -> None:
        """Raise StoreError when the database, the engine or the data folder is not usable."""
        self._open_database.check()
        self._open_engine.check()
        self._data.make()

    def counts(self) -> dict[str, int]:
        """Count the jobs of all projects by state, for those who run the service. Raises StoreError."""
        return self._jobs.counts()

    def submit(
        self, project: str, upload: Path, *, file: str, options: JobOptions, idempotency_key: str | None = None
    ) -> Job:
        """Take an upload as a new job; the same request with the same idempotency key gives the same job.

        upload: is moved or deleted, whatever comes of it. file: its name as given, shown and never used as a path.
        Raises InputError (over a limit, unreadable, no text column), Conflict (key used for another request).
        """
        try:
            check_options(options)
            _check_key(idempotency_key)
            digest = fingerprint(upload, file, options)
            return self._known(project, idempotency_key, digest) or self._new(
                project, upload, file=file, options=options, key=(idempotency_key, digest)
            )
        finally:
            upload.unlink(missing_ok=True)

    def preview(self, project: str, upload: Path, *, file: str, options: JobOptions) -> Recognition:
        """Say how an upload would be read; it stays where it is, and nothing of it is kept. Raises InputError."""
        check_options(options)
        with self._data.borrowed(upload, file) as path:
            return understand(path, file, options, self._settings).recognition

    def first_rows(self, upload: Path, *, file: str, limit: int = 5) -> tuple[tuple[str, ...], ...]:
        """Show an upload's header and first rows as texts, for somebody to name the columns. Raises InputError."""
        with self._data.borrowed(upload, file) as path:
            return read_first_rows(path, file, limit, self._settings)

    def get(self, project: str, job_id: str) -> Job:
        """Give a job. Raises NotFound when the project has none of this id."""
        return self._jobs.get(project, plain_text(job_id, longest=_LONGEST_ID + 1))

    def list(
        self, project: str, *, cursor: str | None = None, limit: int = 50, states: Sequence[str] | None = None
    ) -> Page[Job]:
        """List jobs, newest first. Raises InputError for a cursor that was not handed out, or an unknown state."""
        _check_limit(limit)
        unknown = set(states or ()) - set(STATES)
        if unknown:
            raise InputError(f"states: choose from {', '.join(STATES)}")
        return self._jobs.page(project, cursor=cursor, limit=limit, states=states)

    def cancel(self, project: str, job_id: str) -> Job:
        """Stop a job; it is cancelled at once, and its run ends with the chunk it is at.

        Raises NotFound; Conflict when it has succeeded or failed.
        """
        job = self.get(project, job_id)
        if self._jobs.cancel(project, job.id):
            with suppress(StoreError):  # the run finds out by itself
                self._open_engine.cancel(job.id)
            self._data.job(job.id).drop_inputs()
        after = self.get(project, job_id)
        if after.state != "cancelled":
            raise Conflict(f"the job has {after.state} already; delete it to get rid of it")
        return after

    def delete(self, project: str, job_id: str) -> None:
        """Delete a job with every text of it: upload, finished chunks, results, index. A running one is stopped.

        Raises NotFound.
        """
        self._housekeeping.delete(project, self.get(project, job_id).id)

    def result(self, project: str, job_id: str, format: str) -> Path:  # noqa: A002
        """Give the path of the results, a row an item; format: of RESULT_FORMATS.

        Raises NotFound, Conflict when the job has not succeeded, InputError for another format.
        """
        if format not in RESULT_FORMATS:
            raise InputError(f"format: results come as {', '.join(RESULT_FORMATS)}")
        return _present(self._succeeded(project, job_id).result(format))

    def report(self, project: str, job_id: str, format: str, ui: str | None = None) -> Path:  # noqa: A002
        """Give the path of the report; format: of REPORT_FORMATS. ui: None is the language that the job was made in.

        Another language is made when first asked for, which takes seconds. Raises NotFound, Conflict, InputError.
        """
        if format not in REPORT_FORMATS:
            raise InputError(f"format: reports come as {', '.join(REPORT_FORMATS)}")
        if ui is not None and ui not in UI_LANGUAGES:
            raise InputError(f"ui: choose one of {', '.join(UI_LANGUAGES)}")
        folder = self._succeeded(project, job_id)
        chosen = ui or self.get(project, job_id).options.ui
        return _present(write_report_in(folder, format, chosen))

    def segments(
        self,
        project: str,
        job_id: str,
        filter: SegmentFilter,  # noqa: A002
        *,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[StoredSegment]:
        """List the segments behind the report's figures that a filter lets through, strongest first.

        Raises NotFound, Conflict when the job has not succeeded, InputError for an unknown label or cursor.
        """
        _check_limit(limit)
        index = _present(self._succeeded(project, job_id).index)
        return read_segments(index, filter, cursor=cursor, limit=limit)

    def segment(self, project: str, job_id: str, place: int) -> StoredSegment:
        """Give one segment behind the report's figures by its place.

        Raises NotFound, also for a place that the job does not have; Conflict when it has not succeeded.
        """
        found = read_segment(_present(self._succeeded(project, job_id).index), place)
        if found is None:
            raise NotFound("there is no such segment in this job; take its place from the list of segments")
        return found

    def review_queue(self, project: str, job_id: str) -> tuple[int, ...]:
        """Places of the segments that somebody should look at first: those that the model is least sure of.

        Raises NotFound, Conflict when the job has not succeeded.
        """
        return _review_queue(_present(self._succeeded(project, job_id).index))

    def purge(self, keep_days: float) -> int:
        """Delete the jobs and corrections, of all projects, that ended more than so many days ago; returns how many."""
        return self._housekeeping.purge(keep_days)

    def _serve(self, database: ServiceDatabase, engine: Engine, worker: str) -> None:
        services = RunServices(self._settings, self._data, ServiceRuns(database), self._stopping)
        chores = partial(self._housekeeping.keep, self._settings.keep_days)
        duties = Duties(self._settings, self._data, ServiceWorkers(database), engine, chores)
        self._caretaker = Caretaker(duties, worker)
        self._caretaker.start()  # before the first job: a process that is not on the list is not missed
        engine.serve(partial(begin_run, services))

    def _new(self, project: str, upload: Path, *, file: str, options: JobOptions, key: tuple[str | None, str]) -> Job:
        job_id = uuid4().hex
        folder = self._data.take(job_id, upload, file)
        try:
            found = understand(folder.upload, file, options, self._settings)
        except BaseException:
            folder.remove()
            raise
        job = Job(
            id=job_id,
            project=project,
            state="queued",
            file=plain_text(shown_name(file), longest=255),
            options=options,
            created=datetime.now(UTC),
            rows_total=found.rows,
            recognitions=(found.recognition,),
        )
        return self._store(job, folder, key)

    def _store(self, job: Job, folder: JobFolder, key: tuple[str | None, str]) -> Job:
        """Store a job and queue it.

        A connection that is lost meanwhile may have stored it or not: the upload stays, for the job or for the sweep of
        strays, and the same request again finds the job or makes it.
        """
        try:
            self._jobs.insert(job, fingerprint=key[1], idempotency_key=key[0])
        except Duplicate:  # the same request came twice at the same time
            folder.remove()
            return self._known(job.project, *key) or self.get(job.project, job.id)
        self._queue(job)
        return job

    def _queue(self, job: Job) -> None:
        try:
            self._open_engine.enqueue(job.id)
        except StoreError:
            _LOG.warning("job %s is stored and will be queued later: the engine's database is away", job.id)

    def _known(self, project: str, idempotency_key: str | None, digest: str) -> Job | None:
        known = self._jobs.of_key(project, idempotency_key) if idempotency_key is not None else None
        if known is None:
            return None
        if known[1] != digest:
            raise Conflict("the idempotency key was used for another request; use a new key for each new request")
        return known[0]

    def _succeeded(self, project: str, job_id: str) -> JobFolder:
        job = self.get(project, job_id)
        if job.state != "succeeded":
            raise Conflict(f"the job is {job.state}; there are results once it has succeeded")
        return self._data.job(job.id)

    @property
    def _open_database(self) -> ServiceDatabase:
        if self._database is None:
            raise StoreError("the service is not started")
        return self._database

    @property
    def _open_engine(self) -> Engine:
        if self._engine is None:
            raise StoreError("the service is not started")
        return self._engine

    @property
    def _jobs(self) -> ServiceJobs:
        return ServiceJobs(self._open_database)

    @property
    def _housekeeping(self) -> Housekeeping:
        return Housekeeping(self._data, self._jobs, self._open_engine, ServiceCorrections(self._open_database))


def _check_key(idempotency_key: str | None) -> None:
    if idempotency_key is not None and not (idempotency_key.isprintable() and 0 < len(idempotency_key) <= _LONGEST_KEY):
        raise InputError(f"idempotency key: give up to {_LONGEST_KEY} printable characters")


def _check_limit(limit: int) -> None:
    if not 1 <= limit <= _MOST_A_PAGE:
        raise InputError(f"limit: give a number from 1 to {_MOST_A_PAGE}")


@lru_cache(maxsize=32)
def _review_queue(index: Path) -> tuple[int, ...]:
    # An index never changes once it is there, and its folder's name is the job's own.
    return read_review_queue(index, _REVIEWED)


def _present(path: Path) -> Path:
    """Raise Conflict when a file of a job that has succeeded is gone: the job is being deleted."""
    if not path.is_file():
        raise Conflict("the job's files are gone from the data folder; submit the file again")
    return path
