"""Scoring on this machine: in this process for small inputs, on its cores for large ones. The order never changes."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from queue import SimpleQueue
from traceback import format_tb

from gapnlp.classifier.states import kept_state
from gapnlp.errors import StoreError
from gapnlp.records.analysis import Analysis
from gapnlp.records.feedback import Failure, Feedback
from gapnlp.scoring.loading import DEFAULT_QUALITY, load
from gapnlp.scoring.scorer import Scorer

Row = Feedback | Failure
Result = Analysis | Failure
# A chunk's number and its rows: what is scored, kept and resumed as one.
Chunk = tuple[int, Sequence[Row]]


@dataclass(frozen=True, slots=True)
class ScorerSettings:
    """What a process needs to make its own scorer: see `loading.load`; models None is the shipped folder."""

    models: Path | None = None
    redact: bool = False
    quality: str = DEFAULT_QUALITY

    def kept(self) -> ScorerSettings:
        """Stay with the state that the models folder is in now, whatever is promoted there meanwhile."""
        return replace(self, models=kept_state(self.models))

    def make(self) -> Scorer:
        """Make the scorer."""
        return load(self.models, redact=self.redact, quality=self.quality)


def available_cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def score_rows(scorer: Scorer, rows: Sequence[Row]) -> list[Result]:
    """Score the items among the rows; failures stay where they stand."""
    scored = iter(scorer.score([r for r in rows if isinstance(r, Feedback)]))
    return [next(scored) if isinstance(r, Feedback) else r for r in rows]


def score_chunks(
    chunks: Iterable[Chunk], settings: ScorerSettings, *, workers: int = 1
) -> Generator[tuple[int, list[Result]], None, None]:
    """Score chunks and give them back in order, each the same whatever the number of workers.

    workers: processes; 1 scores in this one. At most two chunks a worker are in memory at a time.
    """
    if workers <= 1:
        scorer = settings.make()
        for number, rows in chunks:
            yield number, score_rows(scorer, rows)
        return
    yield from _score_on_cores(chunks, settings, workers)


@dataclass(frozen=True, slots=True)
class _Worker:
    """A scoring process, and this process's end of the pipe to it.

    A pipe each, not the queues of a process pool: these have locks in common, and a process that is killed while it
    holds one stops all others for ever.
    """

    process: BaseProcess
    pipe: Connection

    def score(self, rows: Sequence[Row]) -> list[Result]:
        """Have one chunk scored. Raises what scoring raises, StoreError when the process is gone."""
        try:
            self.pipe.send(rows)
            reply = self.pipe.recv()
        except (EOFError, OSError):
            raise StoreError(
                "a scoring process was ended from outside, most likely for want of memory; finished work is kept: run "
                "the same command again with --workers 1"
            ) from None
        if isinstance(reply, Exception):
            raise reply
        results: list[Result] = reply
        return results

    def end(self) -> None:
        """End the process at once; it holds nothing that others need."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


def _score_on_cores(
    chunks: Iterable[Chunk], settings: ScorerSettings, workers: int
) -> Iterator[tuple[int, list[Result]]]:
    staff = [_hire(settings) for _ in range(workers)]
    free: SimpleQueue[_Worker] = SimpleQueue()
    for worker in staff:
        free.put(worker)

    def score(rows: Sequence[Row]) -> list[Result]:
        worker = free.get()
        try:
            return worker.score(rows)
        finally:
            free.put(worker)

    threads = ThreadPoolExecutor(workers, thread_name_prefix="gapnlp-scoring")
    waiting: deque[tuple[int, Future[list[Result]]]] = deque()
    try:
        for number, rows in chunks:
            waiting.append((number, threads.submit(score, rows)))
            if len(waiting) >= 2 * workers:
                yield _next(waiting)
        while waiting:
            yield _next(waiting)
    finally:
        for worker in staff:
            worker.end()
        threads.shutdown(wait=True, cancel_futures=True)


def _next(waiting: deque[tuple[int, Future[list[Result]]]]) -> tuple[int, list[Result]]:
    number, future = waiting.popleft()
    return number, future.result()


def _hire(settings: ScorerSettings) -> _Worker:
    # spawn: a forked process would share locks that threads of the parent hold.
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, settings), daemon=True)
    process.start()
    theirs.close()  # the other process's alone, so that its end is seen here
    return _Worker(process, ours)


def _work(pipe: Connection, settings: ScorerSettings) -> None:
    """Score what comes through the pipe until the other side is gone; Ctrl-C is the parent's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    scorer: Scorer | None = None
    with suppress(EOFError, OSError):
        while True:
            rows = pipe.recv()
            try:
                scorer = scorer or settings.make()
                pipe.send(score_rows(scorer, rows))
            except Exception as error:  # told where the results are awaited
                error.add_note("in a scoring process:\n" + "".join(format_tb(error.__traceback__)))
                pipe.send(error)
