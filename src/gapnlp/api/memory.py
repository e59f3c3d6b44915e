"""Answers that are kept for a while, so that the same request sent twice is worked on once.

Kept in memory, by count, bytes and age: enough for a caller that tries again, forgotten at a restart. Answers depend on
the text and the bundle alone, so one that was forgotten comes out the same.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from gapnlp.api.problems import ApiProblem


@dataclass(frozen=True, slots=True)
class MemoryLimits:
    """seconds: how long an answer is kept. entries, size: how many, and bytes of all answers."""

    seconds: float = 600.0
    entries: int = 10_000
    size: int = 32_000_000


@dataclass(slots=True)
class _Entry:
    digest: bytes
    at: float
    done: asyncio.Future[bytes]


@dataclass(slots=True)
class AnswerMemory:
    """Remembers answers by who asked and under which key; for one event loop."""

    limits: MemoryLimits = field(default_factory=MemoryLimits)
    clock: Callable[[], float] = time.monotonic
    _entries: OrderedDict[tuple[str, str], _Entry] = field(default_factory=OrderedDict)
    _size: int = 0

    async def once(
        self, key: tuple[str, str], digest: bytes, work: Callable[[], Awaitable[bytes]]
    ) -> tuple[bytes, bool]:
        """Do the work for a key once: (answer, whether it was there already).

        key: who asks, and the key they sent. digest: of the request. Those who ask while it is worked on wait for the
        same answer. Work that fails is not remembered.
        Raises ApiProblem "conflict" when the key was used with another request, and what the work raises.
        """
        self._forget()
        if (entry := self._entries.get(key)) is not None:
            if entry.digest != digest:
                raise ApiProblem("conflict", "this Idempotency-Key was used with another request; use a new one")
            return await asyncio.shield(entry.done), True
        entry = _Entry(digest, self.clock(), asyncio.get_running_loop().create_future())
        self._entries[key] = entry
        try:
            answer = await work()
        except BaseException as error:
            self._entries.pop(key, None)
            _pass_on(entry.done, error)
            raise
        entry.done.set_result(answer)
        self._size += len(answer)
        return answer, False

    def _forget(self) -> None:
        """Drop what is too old, or too much; what is being worked on stays."""
        before = self.clock() - self.limits.seconds
        for key, entry in list(self._entries.items()):
            too_much = len(self._entries) > self.limits.entries or self._size > self.limits.size
            if entry.at >= before and not too_much:
                return
            if entry.done.done():
                del self._entries[key]
                self._size -= len(entry.done.result())


def _pass_on(done: asyncio.Future[bytes], error: BaseException) -> None:
    """Let those who wait for the same answer know; they may try again."""
    known = isinstance(error, ApiProblem)
    again = ApiProblem("not-ready", "the first of these requests failed; send it again", headers={"Retry-After": "1"})
    done.set_exception(error if known else again)
    done.exception()  # read, so that nobody is warned when nobody waited
