"""Scoring on this machine: in this process for small inputs, on its cores for large ones. The order never changes."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

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


def _score_on_cores(
    chunks: Iterable[Chunk], settings: ScorerSettings, workers: int
) -> Iterator[tuple[int, list[Result]]]:
    # spawn: a forked process would share locks that threads of the parent hold.
    pool = ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_begin, initargs=(settings, os.getpid())
    )
    waiting: deque[tuple[int, Future[list[Result]]]] = deque()
    try:
        for number, rows in chunks:
            waiting.append((number, pool.submit(_score, rows)))
            if len(waiting) >= 2 * workers:
                yield _next(waiting)
        while waiting:
            yield _next(waiting)
    except BrokenProcessPool:  # told by a result, or by the next chunk handed in
        raise StoreError(
            "a scoring process was ended from outside, most likely for want of memory; finished work is kept: run the "
            "same command again with --workers 1"
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _next(waiting: deque[tuple[int, Future[list[Result]]]]) -> tuple[int, list[Result]]:
    number, future = waiting.popleft()
    return number, future.result()


_worker: Scorer | None = None


def _begin(settings: ScorerSettings, parent: int) -> None:
    """Set up a worker: Ctrl-C is the parent's to handle, and a worker whose parent was killed ends too."""
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _worker = settings.make()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _score(rows: Sequence[Row]) -> list[Result]:
    assert _worker is not None
    return score_rows(_worker, rows)
