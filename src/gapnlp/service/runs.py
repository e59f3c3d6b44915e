"""One run of one job in this process: checking, scoring, writing, each begun again wherever an earlier run stopped."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from gapnlp.errors import GapnlpError, StoreError
from gapnlp.ingest.columns import ColumnOptions
from gapnlp.ingest.limits import UploadLimits, check_packing, check_rows, check_table
from gapnlp.jobs import CHUNK_ROWS, Inputs, job_key, run_job
from gapnlp.records.service import COUNTS, ENDED, Job, JobOptions
from gapnlp.scoring.local import ScorerSettings
from gapnlp.service.folders import DataFolder, JobFolder
from gapnlp.service.interruption import Interrupted
from gapnlp.service.pinning import models_of
from gapnlp.service.results import Writing, read_report, write_results
from gapnlp.settings import Settings
from gapnlp.store.claimed_work import ClaimedJobRepository, ClaimLost
from gapnlp.store.job_rows import failure_values, plain_text
from gapnlp.store.service_database import Duplicate
from gapnlp.store.service_runs import ServiceRuns

_LOG = logging.getLogger(__name__)
_NOTE_SECONDS = 1.0
# A database that is gone is asked for again after so many seconds, growing to the second number.
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 5.0
# So often in a row scoring may break without a single further row, and a job end its process.
_MOST_BREAKS = 3
_MOST_STALLS = 20
_LONGEST_ERROR = 1_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RunServices:
    """What every run in this process works with. stopping: set when the process is about to end."""

    settings: Settings
    data: DataFolder
    runs: ServiceRuns
    stopping: threading.Event


def begin_run(services: RunServices, job_id: str) -> JobRun | None:
    """Claim a job and give what runs it; None when there is nothing to run.

    A job that ended its process again and again without getting any further is ended as failed.
    """
    if services.stopping.is_set():
        raise Interrupted
    token = uuid4().hex
    claimed = _insist(services, partial(services.runs.claim, job_id, token))
    if claimed is None:
        with suppress(OSError):
            services.data.job(job_id).drop_inputs()
        return None
    job, stalls = claimed
    _LOG.info("job taken up", extra={"job": job.id, "rows": job.rows_done})
    run = JobRun(services, job, token, services.data.job(job_id))
    if stalls > _MOST_STALLS:
        run.fail("the job ended its process again and again; it may need more memory than there is: submit fewer rows")
        return None
    return run


@dataclass(slots=True)
class JobRun:
    """A claimed job. Each step returns whether the next one is to follow; Interrupted ends the run without a trace."""

    services: RunServices
    job: Job
    token: str
    folder: JobFolder
    _rows: int = 0
    _coming: int | None = None
    _noted: float = field(default=float("-inf"))

    def check(self) -> bool:
        """Count the rows and check every limit."""
        return self._step("checking", self._check)

    def score(self) -> bool:
        """Score what no earlier run has scored."""
        return self._step("scoring", self._score)

    def write(self) -> bool:
        """Write report and results, and note that the job has succeeded."""
        return self._step("writing", self._write)

    def fail(self, reason: str) -> None:
        """Note that the job has failed, and why in plain words."""
        shown = plain_text(self._readable(reason), longest=_LONGEST_ERROR)
        self._end("failed", error=shown)

    def _step(self, stage: str, body: Callable[[], None]) -> bool:
        self._note(stage=stage)
        try:
            body()
        except Interrupted:
            raise
        except ClaimLost:
            raise Interrupted from None
        except GapnlpError as error:
            self.fail(str(error))
        except OSError as error:
            self._still_mine()
            reason = error.strerror or type(error).__name__
            self.fail(f"the server could not read or write its files ({reason}); try again later")
        # Whatever it is (a panic in a reader's Rust code is no Exception), it must not be tried for ever. Its words may
        # hold customers' text.
        except BaseException as error:  # noqa: B036
            self._still_mine()
            told = {"job": self.job.id, "stage": stage}
            _LOG.error("job failed by an unexpected %s at %s", type(error).__name__, _place(error), extra=told)
            self.fail(f"an unexpected fault ({type(error).__name__}) while {stage}; please report it")
        else:
            return True
        return False

    def _check(self) -> None:
        self._models()
        upload, limits = self.folder.upload, upload_limits(self.services.settings)
        check_packing(upload, limits)
        rows = check_rows(upload, check_table(upload, limits), limits, keep_on=self._keep_on)
        self._note(rows_total=rows)

    def _score(self) -> None:
        self._repeat(self._score_rows)
        self._note(rows_done=self._coming or 0)

    def _score_rows(self, workers: int | None) -> None:
        inputs = self._inputs(workers)
        with closing(ClaimedJobRepository(self.folder.work, self.token)) as work:
            self._score_into(work, inputs)

    def _score_into(self, work: ClaimedJobRepository, inputs: Inputs) -> None:
        self._coming = None
        run_job(inputs, work, _key(inputs), counts=None, on_progress=self._progress)

    def _write(self) -> None:
        self._repeat(self._write_out)
        intake = read_report(self.folder).intake
        counts = {name: getattr(intake, name) for name in COUNTS}
        done = {"rows_done": intake.read, "rows_total": intake.read}
        self._end("succeeded", counts=counts, failures=failure_values(intake.failures), **done)

    def _write_out(self, workers: int | None) -> None:
        inputs = self._inputs(workers)
        with closing(ClaimedJobRepository(self.folder.work, self.token)) as work:
            # Another version of gapnlp or its models, started in between, does not take over the chunks it finds.
            if work.resume(_key(inputs)).rows < max(self.job.rows_done, self._coming or 0):
                self._score_into(work, inputs)
            writing = Writing(self.job, inputs.scorer, partial(work.payloads, _key(inputs)), self._keep_on)
            write_results(writing, self.folder, self.token)

    def _repeat(self, body: Callable[[int | None], None]) -> None:
        """Do something again after its files were locked or a scoring process was ended, and at last in one process.

        body: is told the number of scoring processes.
        """
        workers, breaks, before = self.services.settings.workers, 0, -1
        while True:
            try:
                return body(workers)
            except ClaimLost:
                raise
            except StoreError as error:
                breaks, before = (breaks + 1 if self._rows <= before else 1), self._rows
                told = {"job": self.job.id, "rows": self._rows}
                _LOG.warning("job broke off, time %d in a row", breaks, extra=told)
                if breaks > _MOST_BREAKS:
                    raise StoreError(f"the job broke off at row {self._rows:,} again and again: {error}") from None
            workers = 1 if breaks == _MOST_BREAKS else workers
            if self.services.stopping.wait(_FIRST_WAIT * breaks):
                raise Interrupted

    def _inputs(self, workers: int | None) -> Inputs:
        upload, options = self.folder.upload, self.job.options
        read = tuple(replace(r, file=upload.name) for r in self.job.recognitions)
        scorer = ScorerSettings(self._models(), redact=options.redact, quality=options.quality)
        return Inputs((upload,), column_options(options), read, scorer, workers)

    def _models(self) -> Path | None:
        """Name the models: the same in every run of the job, however often the folder's are replaced meanwhile."""
        return models_of(self.folder, self.services.settings.models)

    def _progress(self, read: int) -> None:
        """Note the rows that are stored: those of the call before, since this call's chunk is stored after it.

        The first call tells what earlier runs have stored.
        """
        self._rows = read if self._coming is None else max(self._rows, self._coming)
        self._coming = read
        self._keep_on(rows_done=self._rows)

    def _keep_on(self, **values: Any) -> None:
        """Go on, unless the process is ending or the job is not this run's any more; at most one note a second."""
        if self.services.stopping.is_set():
            raise Interrupted
        if time.monotonic() - self._noted >= _NOTE_SECONDS:
            self._note(**values)
            self._noted = time.monotonic()

    def _note(self, **values: Any) -> None:
        if not _insist(self.services, partial(self.services.runs.note, self.job.id, self.token, **values)):
            self._leave()

    def _still_mine(self) -> None:
        """Raise Interrupted when the fault may be another run's doing: it took over, or the job was deleted."""
        self._note()

    def _end(self, state: str, **values: Any) -> None:
        if not _insist(self.services, partial(self.services.runs.end, self.job.id, self.token, state, **values)):
            self._leave()
        self.folder.drop_inputs()
        seconds = (datetime.now(UTC) - self.job.created).total_seconds()
        rows = values.get("rows_done", self._rows)
        _LOG.info("job ended", extra={"job": self.job.id, "state": state, "rows": rows, "seconds": round(seconds, 3)})

    def _leave(self) -> None:
        """Stop, since the job is not this run's any more. If it has ended, leave no text that this run wrote late."""
        state = _insist(self.services, partial(self.services.runs.state, self.job.id))
        with suppress(OSError, StoreError):
            if state is None:
                self.folder.remove()
            elif state in ENDED:
                self.folder.drop_inputs()
        raise Interrupted

    def _readable(self, reason: str) -> str:
        """Name the file as the user does, and no folder of the server."""
        with suppress(StoreError):
            reason = reason.replace(self.folder.upload.name, self.job.file)
        return reason.replace(f"{self.folder.path}/", "").replace(str(self.folder.path), "")


def upload_limits(settings: Settings) -> UploadLimits:
    """Give the limits that the settings name."""
    return UploadLimits(
        upload_bytes=settings.upload_bytes,
        decompressed_bytes=settings.decompressed_bytes,
        zip_ratio=settings.zip_ratio,
        rows=settings.upload_rows,
        columns=settings.columns,
        cell_characters=settings.cell_characters,
    )


def column_options(options: JobOptions) -> ColumnOptions:
    """Take the columns out of a job's options."""
    names = ("text", "title", "date", "rating", "id", "by", "language")
    chosen: Mapping[str, Any] = asdict(options)
    return ColumnOptions(**{name: chosen[name] for name in names})


def _key(inputs: Inputs) -> str:
    return job_key(inputs, {"kind": "service", "chunk": CHUNK_ROWS})


def _insist(services: RunServices, action: Callable[[], T]) -> T:
    """Do something with the database, however long it is away: work that is done must not be lost with a connection.

    Raises Interrupted when the process is ending meanwhile.
    """
    wait = _FIRST_WAIT
    while True:
        try:
            return action()
        except Duplicate:
            raise
        except StoreError:
            _LOG.warning("the database is away; trying again in %.1f s", wait)
        if services.stopping.wait(wait):
            raise Interrupted
        wait = min(2 * wait, _LONGEST_WAIT)


def _place(error: BaseException) -> str:
    """Name file and line of an error, without its words."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "an unknown place"
