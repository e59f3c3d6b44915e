"""The durable engine: DBOS Transact keeps the queue of jobs, hands each to one process, and remembers finished steps.

What the engine stores of a job is its id and which of its steps are done; never a text.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer, EnqueueOptions

from gapnlp.errors import StoreError
from gapnlp.service.runs import JobRun
from gapnlp.store.service_database import IDLE_TRANSACTION_SECONDS

APPLICATION = "gapnlp"
QUEUE = "gapnlp-jobs"
WORKFLOW = "gapnlp-job"
# Of the workflow below, not of gapnlp: a new version of gapnlp goes on with the jobs of the old one.
WORKFLOW_VERSION = "1"
_POLL_SECONDS = 0.5
_POOL = 5
# The engine's word for a workflow that a process took from the queue; its words for all that have not ended.
_TAKEN = "PENDING"
_ALIVE = (_TAKEN, "ENQUEUED", "DELAYED")

# Claims a job and gives its run; None when there is nothing to do.
Begin = Callable[[str], JobRun | None]


class Engine:
    """The queue, seen from any process; `serve` makes this process take jobs from it."""

    def __init__(self, url: str, worker: str) -> None:
        """Take the engine's database; worker: names this process to the engine."""
        self._url, self._worker = url, worker
        self._client: DBOSClient | None = None
        self._serving = False
        self._running = 0
        self._changed = threading.Condition()

    def open(self, *, slots: int) -> None:
        """Make or update the engine's tables and connect; slots: jobs that a process runs at the same time."""
        _quieten()
        with _plain_errors():
            DBOS.migrate(self._url)
            self._client = DBOSClient(
                system_database_url=self._url,
                system_database_pool_size=_POOL,
                serializer=DBOSPortableJSONSerializer(),
                application_name=APPLICATION,
                sys_db_idle_transaction_timeout_sec=IDLE_TRANSACTION_SECONDS,
                retry_connection_errors=False,
            )
            self._client.register_queue(QUEUE, worker_concurrency=slots, polling_interval_sec=_POLL_SECONDS)

    def serve(self, begin: Begin) -> None:
        """Take jobs from the queue until `close`. One engine a process can do so."""
        config = DBOSConfig(
            name=APPLICATION,
            system_database_url=self._url,
            sys_db_pool_size=_POOL,
            sys_db_idle_transaction_timeout_sec=IDLE_TRANSACTION_SECONDS,
            application_version=WORKFLOW_VERSION,
            executor_id=self._worker,
            serializer=DBOSPortableJSONSerializer(),
            log_level="WARNING",
            run_migrations=False,
        )
        with _plain_errors():
            DBOS(config=config)
            DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)(self._workflow(begin))
            DBOS.launch()
        self._serving = True

    def close(self, *, patience: float) -> None:
        """Let go of queue and database, once runs that were told to stop have done so; patience: in seconds."""
        if self._serving:
            with self._changed:
                self._changed.wait_for(lambda: not self._running, timeout=patience)
            DBOS.destroy(destroy_registry=True)
            self._serving = False
        if self._client is not None:
            self._client.destroy()
            self._client = None

    def check(self) -> None:
        """Raise StoreError when the engine's database does not answer."""
        with self._calling() as client:
            client.check_connection()

    def enqueue(self, job_id: str) -> None:
        """Put a job into the queue; one that is there already stays as it is. Raises StoreError."""
        options = EnqueueOptions(
            queue_name=QUEUE,
            workflow_name=WORKFLOW,
            workflow_id=job_id,
            workflow_id_reuse_policy="return-existing",
            app_version=WORKFLOW_VERSION,
        )
        with self._calling() as client:
            client.enqueue(options, job_id)

    def cancel(self, job_id: str) -> None:
        """Take a job out of the queue, if it is there. Raises StoreError."""
        with self._calling() as client:
            client.cancel_workflow(job_id)

    def forget(self, job_id: str) -> None:
        """Delete what the engine stored of a job. Raises StoreError."""
        with self._calling() as client:
            client.cancel_workflow(job_id)
            client.delete_workflow(job_id)

    def rescue(self, worker: str) -> int:
        """Put the jobs that a lost process was running back into the queue; returns how many. Raises StoreError."""
        with self._calling() as client:
            lost = client.list_workflows(status=_TAKEN, executor_id=worker, load_input=False, load_output=False)
            for workflow in lost:
                client.resume_workflow(workflow.workflow_id, queue_name=QUEUE)
        return len(lost)

    def states(self, job_ids: Sequence[str]) -> dict[str, bool]:
        """Tell of each job that the engine knows whether it still means to run it. Raises StoreError."""
        if not job_ids:
            return {}
        with self._calling() as client:
            found = client.list_workflows(workflow_ids=list(job_ids), load_input=False, load_output=False)
        return {workflow.workflow_id: workflow.status in _ALIVE for workflow in found}

    def _workflow(self, begin: Begin) -> Callable[[str], None]:
        def run_steps(job_id: str) -> None:
            with self._counted():
                run = begin(job_id)
                if run is None:
                    return
                for name, step in (("check", run.check), ("score", run.score), ("write", run.write)):
                    if not DBOS.run_step({"name": name}, step):
                        return

        return run_steps

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._changed:
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    @contextmanager
    def _calling(self) -> Iterator[DBOSClient]:
        if self._client is None:
            raise StoreError("the service is not started")
        with _plain_errors():
            yield self._client


def _quieten() -> None:
    """Leave the engine's log lines to the service's own logging, and the many that say that all is well out."""
    log = logging.getLogger("dbos")
    log.setLevel(logging.WARNING)
    if not log.handlers:
        log.addHandler(logging.NullHandler())


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Turn whatever the engine raises, its database's errors included, into a StoreError."""
    try:
        yield
    except StoreError:
        raise
    except Exception as error:
        name = type(error).__name__
        raise StoreError(f"the job engine's database cannot be used ({name}); is it running and reachable?") from error
