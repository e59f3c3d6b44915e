"""A job's progress as server-sent events (WHATWG HTML, section 9.2), which a caller can take up where it broke off."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool

from gapnlp.api.problems import ApiProblem
from gapnlp.api.telling import tell_job
from gapnlp.errors import NotFound
from gapnlp.records.service import Job

# A job's state is written at most once a second.
_PAUSE = 1.0
# Proxies close what is silent for longer.
_KEEP_ALIVE = 15.0
_RECONNECT_MS = 2_000


def event_id(job: Job) -> str:
    """Name a job's state of progress; the same on every server, so that any of them can go on from it."""
    return f"{job.state}-{job.stage or ''}-{job.rows_done}"


@dataclass(slots=True)
class Streams:
    """The callers who follow jobs at a time; each of them reads the database once a second.

    stopping: set when the server stops, which ends every stream.
    """

    most: int = 200
    now: int = 0
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def check_room(self) -> None:
        """Raise ApiProblem "busy" when there are as many as there may be."""
        if self.now >= self.most:
            detail = f"{self.most} callers follow jobs already; ask for the job itself instead"
            raise ApiProblem("busy", detail, headers={"Retry-After": "5"})

    async def follow(self, job: Job, read: Callable[[], Job], last: str | None) -> AsyncIterator[bytes]:
        """Tell a job's progress until it has ended, or the server stops.

        read: gives the job anew. last: id of the event that the caller had last (Last-Event-ID); it is not told twice.
        """
        self.now += 1
        try:
            yield f"retry: {_RECONNECT_MS}\n\n".encode()
            async for event in _progress(job, read, last, self.stopping):
                yield event
        finally:
            self.now -= 1


async def _progress(
    job: Job, read: Callable[[], Job], last: str | None, stopping: asyncio.Event
) -> AsyncIterator[bytes]:
    told, silent_since = last, time.monotonic()
    while True:
        if event_id(job) != told:
            told, silent_since = event_id(job), time.monotonic()
            yield _event("end" if job.ended else "progress", told, tell_job(job).model_dump_json())
        elif time.monotonic() - silent_since >= _KEEP_ALIVE:
            silent_since = time.monotonic()
            yield b": still here\n\n"
        if job.ended or await _stopped(stopping):
            return
        try:
            job = await run_in_threadpool(read)
        except NotFound:
            yield _event("deleted", "deleted", "{}")
            return


def _event(kind: str, name: str, data: str) -> bytes:
    return f"event: {kind}\nid: {name}\ndata: {data}\n\n".encode()


async def _stopped(stopping: asyncio.Event) -> bool:
    """Wait a moment; True when the server stops meanwhile."""
    try:
        await asyncio.wait_for(stopping.wait(), _PAUSE)
    except TimeoutError:
        return False
    return True
