"""What a process does beside its jobs: signs of life, taking over from processes that are gone, keeping house."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from gapnlp.errors import StoreError
from gapnlp.service.engine import Engine
from gapnlp.service.folders import DataFolder
from gapnlp.service.lifeline import Lifeline, clear, is_gone
from gapnlp.settings import Settings
from gapnlp.store.service_workers import ServiceWorkers, WorkerRow

_LOG = logging.getLogger(__name__)
_HOUSEKEEPING_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Duties:
    """What is looked after. housekeeping: called at the start and every minute."""

    settings: Settings
    data: DataFolder
    workers: ServiceWorkers
    engine: Engine
    housekeeping: Callable[[], None]


class Caretaker:
    """A thread that looks after all this in one process."""

    def __init__(self, duties: Duties, worker: str) -> None:
        """Prepare; worker: this process's id."""
        self._duties, self._worker = duties, worker
        self._host, self._pid = socket.gethostname(), os.getpid()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._lifeline: Lifeline | None = None
        self._kept = float("-inf")
        self._heard: float | None = None

    def start(self) -> None:
        """Enter this process among the living and begin. Raises StoreError, OSError."""
        self._lifeline = Lifeline(self._duties.data.workers, self._worker)
        self._beat()
        self._thread = threading.Thread(target=self._look_after, name="gapnlp-caretaker", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End. The process stays on the list, its lock let go of: others see at once that its jobs are free."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
        if self._lifeline is not None:
            self._lifeline.let_go()

    def _look_after(self) -> None:
        while not self._stop.is_set():
            try:
                self._beat()
                self._rescue_all()
                if time.monotonic() - self._kept >= _HOUSEKEEPING_SECONDS:
                    self._duties.housekeeping()
                    self._kept = time.monotonic()
            except StoreError as error:
                self._heard = None
                _LOG.warning("the database is away: %s", error)
            except Exception as error:  # whatever it is, the signs of life must go on
                _LOG.error("keeping house failed: %s", type(error).__name__)
            self._stop.wait(self._duties.settings.heartbeat_seconds)

    def _beat(self) -> None:
        self._duties.workers.beat(self._worker, host=self._host, pid=self._pid)
        if self._heard is None:
            self._heard = time.monotonic()

    def _rescue_all(self) -> None:
        others = self._duties.workers.others(self._worker)
        alive = {w.id for w in others if not self._is_lost(w)} | {self._worker}
        for other in others:
            # Someone is at it already: only when that one is gone too, or has been at it for too long.
            if other.id not in alive and (other.rescuer not in alive or other.silent > self._patience):
                self._rescue(other)

    def _rescue(self, lost: WorkerRow) -> None:
        if not self._duties.workers.begin_rescue(lost, self._worker):
            return
        jobs = self._duties.engine.rescue(lost.id)
        self._duties.workers.remove(lost.id)
        clear(self._duties.data.workers, lost.id)
        _LOG.info("process %s on %s is gone; its %d jobs go on", lost.id, lost.host, jobs)

    def _is_lost(self, other: WorkerRow) -> bool:
        """Believe the lock where it says that a process is gone, else its silence.

        After the database was away everybody has been silent: silence counts from when this process could hear again.
        """
        if is_gone(self._duties.data.workers, other.id):
            return True
        listening = time.monotonic() - self._heard if self._heard is not None else 0.0
        return other.silent > self._patience and timedelta(seconds=listening) > self._patience

    @property
    def _patience(self) -> timedelta:
        return timedelta(seconds=self._duties.settings.takeover_seconds)
