"""What killed processes and passing time leave behind: deletions half done, jobs that nobody queued, old jobs."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from gapnlp.errors import NotFound
from gapnlp.service.engine import Engine
from gapnlp.service.folders import DataFolder
from gapnlp.store.service_corrections import ServiceCorrections
from gapnlp.store.service_jobs import ServiceJobs

_LOG = logging.getLogger(__name__)
# A process may be killed between storing a job and queueing it. Ones this young are still on their way.
_ON_THE_WAY = timedelta(seconds=10)
_STRAY_SECONDS = 3_600.0
_PASSING_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Housekeeping:
    """The chores, over all projects. Each can be done at any time and by several processes at once."""

    data: DataFolder
    jobs: ServiceJobs
    engine: Engine
    corrections: ServiceCorrections

    def keep(self, keep_days: float | None) -> None:
        """Do everything. Raises StoreError."""
        for job_id in self.jobs.hidden():
            self.erase(job_id)
        self.requeue()
        if keep_days is not None:
            self.purge(keep_days)
        for stray in self.data.strays(older=_STRAY_SECONDS):
            if not self.jobs.exists(stray):
                self.data.job(stray).remove()
        self.data.drop_passing(older=_PASSING_SECONDS)

    def requeue(self) -> None:
        """Queue the jobs that have not ended and that the engine does not mean to run."""
        waiting = self.jobs.unfinished(older=_ON_THE_WAY)
        states = self.engine.states(waiting)
        for job_id in waiting:
            if states.get(job_id):
                continue
            if job_id in states:
                self.engine.forget(job_id)
            self.engine.enqueue(job_id)
            _LOG.info("job %s was not in the queue and is now", job_id)

    def purge(self, keep_days: float) -> int:
        """Delete the jobs that ended, and the corrections made, more than so many days ago; returns how many jobs."""
        self.corrections.erase_before(timedelta(days=keep_days))
        old = self.jobs.ended_before(timedelta(days=keep_days))
        for project, job_id in old:
            with suppress(NotFound):
                self.delete(project, job_id)
        return len(old)

    def delete(self, project: str, job_id: str) -> None:
        """Delete a job and all its texts. Raises NotFound; StoreError, after which `keep` ends what was begun."""
        self.jobs.hide(project, job_id)
        self.erase(job_id)

    def erase(self, job_id: str) -> None:
        """End the deletion of a hidden job."""
        self.engine.forget(job_id)
        self.data.job(job_id).remove()
        self.corrections.erase_job(job_id)
        self.jobs.erase(job_id)
