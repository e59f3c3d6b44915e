"""A job in words: how far it is, how fast, how long it still takes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gapnlp.records.service import Job
from gapnlp.reporting.words import Words

_MINUTE, _HOUR = 60, 3600
# Below this many seconds left, minutes would say too little.
_SECONDS_BELOW = 90
_MINUTES_BELOW = 90 * 60
_MOST_SHOWN = 0.99


@dataclass(frozen=True, slots=True)
class Told:
    """A job's progress, ready to be shown; the page's script puts the same words in place.

    share: rows done in [0, 1], None when the total is unknown. percent, rows, rate, left: in words.
    """

    state: str
    badge: str
    headline: str
    share: float | None
    percent: str
    rows: str
    rate: str
    left: str
    ended: bool


def tell_job(job: Job, words: Words) -> Told:
    """Put a job's progress into words."""
    share = _share(job)
    return Told(
        state=job.state,
        badge=words.say(f"web.state.{job.state}"),
        headline=words.say(f"web.progress.{_phase(job)}"),
        share=share,
        percent="" if share is None else words.formats.percent_pattern.format(number=math.floor(share * 100)),
        rows=_rows(job, words),
        rate=_rate(job, words),
        left=_left(job, words),
        ended=job.ended,
    )


def write_duration(seconds: float, words: Words) -> str:
    """Write a time to wait roughly: seconds up to a minute and a half, then minutes, then hours."""
    if seconds < _SECONDS_BELOW:
        return words.count("web.time.seconds", max(1, math.ceil(seconds)))
    if seconds < _MINUTES_BELOW:
        return words.count("web.time.minutes", round(seconds / _MINUTE))
    return words.count("web.time.hours", round(seconds / _HOUR))


def _phase(job: Job) -> str:
    """Key of the sentence that says what is going on."""
    return job.stage or "scoring" if job.state == "running" else job.state


def _share(job: Job) -> float | None:
    """Divide rows done by all; the total is an estimate, so a job never shows as complete before it is."""
    if job.state == "succeeded":
        return 1.0
    if not job.rows_total:
        return None
    return min(job.rows_done / job.rows_total, _MOST_SHOWN)


def _rows(job: Job, words: Words) -> str:
    done = words.formats.whole(job.rows_done)
    if job.rows_total is None or job.ended:
        return done
    return words.say("web.progress.rows_of", done=done, total=words.formats.whole(max(job.rows_total, job.rows_done)))


def _rate(job: Job, words: Words) -> str:
    if job.rate is None:
        return words.say("web.progress.unknown")
    rate = words.formats.number(job.rate, 0 if job.rate >= 10 else 1)
    return words.say("web.progress.per_second", rate=rate)


def _left(job: Job, words: Words) -> str:
    if job.ended or job.stage == "writing":
        return "–"
    seconds = job.seconds_left
    return words.say("web.progress.unknown") if seconds is None else write_duration(seconds, words)
