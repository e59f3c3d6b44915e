"""How often each key may call: a bucket of tokens that fills up again steadily."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gapnlp.api.problems import ApiProblem


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


@dataclass(slots=True)
class RateLimiter:
    """Counts requests by key. per_minute: tokens a minute, and the most that can be saved up.

    Counts are kept by this process alone: behind several, each allows the whole rate.
    """

    per_minute: int
    clock: Callable[[], float] = time.monotonic
    _buckets: dict[str, _Bucket] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, key: str) -> Mapping[str, str]:
        """Take a token and give the headers that tell what is left.

        Raises ApiProblem "rate-limited", with the seconds after which there is a token again.
        """
        each = 60 / self.per_minute
        with self._lock:
            now = self.clock()
            bucket = self._buckets.setdefault(key, _Bucket(self.per_minute, now))
            bucket.tokens = min(self.per_minute, bucket.tokens + (now - bucket.at) / each)
            bucket.at = now
            allowed = bucket.tokens >= 1
            bucket.tokens -= allowed
            left = bucket.tokens
        headers = {
            "RateLimit-Limit": str(self.per_minute),
            "RateLimit-Remaining": str(int(left)),
            "RateLimit-Reset": str(math.ceil((self.per_minute - left) * each)),
        }
        if allowed:
            return headers
        wait = str(max(1, math.ceil((1 - left) * each)))
        detail = f"{self.per_minute} requests a minute are allowed with one key; go on after {wait} s"
        raise ApiProblem("rate-limited", detail, headers={**headers, "Retry-After": wait})
