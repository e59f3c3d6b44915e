"""The review queue: one sentence at a time with the model's labels, corrected by keys or by clicks, saved at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.responses import Response

from gapnlp.api.web.rendering import go, keep_cookies, show
from gapnlp.api.web.site import Site
from gapnlp.api.web.visits import Visit
from gapnlp.errors import InputError, NotFound
from gapnlp.records.corrections import LOCAL_CORRECTOR, GivenLabels
from gapnlp.records.labels import DIMENSIONS, EXPECTATIONS, GAPS, POLARITIES, SENTIMENTS, Labels
from gapnlp.records.service import StoredSegment
from gapnlp.service.corrections import new_correction, of_segment

# Keys of the page's script, in the order of the labels.
DIMENSION_KEYS, GAP_KEYS, SENTIMENT_KEYS = "12345", "qwert", "asdf"
# No polarity: the customer says nothing of the dimension.
_NO_POLARITY = "none"


@dataclass(frozen=True, slots=True)
class Turn:
    """Where the visitor is in the queue.

    at: position, from 0; length when there is nothing left. after: the next position that nobody has corrected. left:
    statements of the whole queue that nobody has. given: the visitor's own earlier correction of this segment.
    """

    at: int
    length: int
    after: int
    left: int
    segment: StoredSegment | None
    given: GivenLabels | None

    @property
    def labels(self) -> Labels | None:
        """What the form is filled in with: the model's labels, and over them what the visitor has given before."""
        if self.segment is None or self.given is None:
            return self.segment.labels if self.segment else None
        return self.given.over(self.segment.labels)


def show_review(visit: Visit, site: Site) -> Response:
    """Show the sentence at a position of the queue; without one, go to the first that nobody has corrected yet.

    Each sentence has an address of its own, so the way back in the browser leads to the very sentence.
    """
    project, job_id = visit.need(), str(visit.request.path_params["job_id"])
    job = site.jobs.get(project, job_id)
    query = visit.request.query_params
    if "at" not in query:
        return keep_cookies(visit, go(_address(job_id, at=_next(*_places(site, project, job_id), start=0))))
    turn = _turn(visit, site, project, job_id)
    values = {
        "job": job,
        "turn": turn,
        "stored": turn.segment,
        "kept": query.get("kept", "")[:32] if "was" in query else "",
        "was": _number(query.get("was", "0")),
        "sentiments": tuple(zip(SENTIMENT_KEYS, SENTIMENTS, strict=True)),
        "dimensions": tuple(zip(DIMENSION_KEYS, DIMENSIONS, strict=True)),
        "polarities": (_NO_POLARITY, *POLARITIES),
        "gaps": tuple(zip(GAP_KEYS, GAPS, strict=True)),
        "expectations": EXPECTATIONS,
    }
    return show(visit, "review.html.j2", values)


def save_review(visit: Visit, site: Site) -> Response:
    """Keep what the form says, with who and when, and go on to the next sentence."""
    project, job_id = visit.need(), str(visit.request.path_params["job_id"])
    site.jobs.get(project, job_id)  # another project's job is not there, whatever the form says
    segment = site.jobs.segment(project, job_id, _number(visit.field("segment")))
    at = _number(visit.field("at"))
    made = new_correction(project, _who(visit), _given(visit), text=segment.text, ticket=segment.item)
    kept, _ = site.corrections.add(of_segment(made, job_id, segment))
    after = _next(*_places(site, project, job_id), start=at + 1)
    return go(_address(job_id, at=after, kept=kept.id, was=at))


def undo_review(visit: Visit, site: Site) -> Response:
    """Take the last correction back and show its sentence again."""
    project, job_id = visit.need(), str(visit.request.path_params["job_id"])
    site.jobs.get(project, job_id)
    with suppress(NotFound):  # it was taken back already, in another tab
        site.corrections.take_back(project, visit.field("correction"))
    return go(_address(job_id, at=_number(visit.field("at"))))


def _turn(visit: Visit, site: Site, project: str, job_id: str) -> Turn:
    queue, corrected = _places(site, project, job_id)
    at = min(_number(visit.request.query_params["at"]), len(queue))
    after, left = _next(queue, corrected, start=at + 1), sum(place not in corrected for place in queue)
    if at == len(queue):
        return Turn(at, len(queue), after, left, None, None)
    segment = site.jobs.segment(project, job_id, queue[at])
    given = site.corrections.given(project, _who(visit), job_id, segment.place)
    return Turn(at, len(queue), after, left, segment, given)


def _places(site: Site, project: str, job_id: str) -> tuple[Sequence[int], Collection[int]]:
    """Give the queue, and which of its segments somebody has corrected."""
    return site.jobs.review_queue(project, job_id), site.corrections.corrected(project, job_id)


def _next(queue: Sequence[int], corrected: Collection[int], *, start: int) -> int:
    """Find the first position from `start` on that nobody has corrected; the queue's length when there is none."""
    return next((i for i in range(start, len(queue)) if queue[i] not in corrected), len(queue))


def _who(visit: Visit) -> str:
    return visit.caller.name if visit.caller else LOCAL_CORRECTOR


def _given(visit: Visit) -> GivenLabels:
    """Read the whole form: every label of the sentence is judged."""
    polarities = {d: _one_of(visit, d, (_NO_POLARITY, *POLARITIES)) for d in DIMENSIONS}
    return GivenLabels(
        sentiment=_one_of(visit, "sentiment", SENTIMENTS),
        dimensions={d: p for d, p in polarities.items() if p != _NO_POLARITY},
        gaps=tuple(g for g in GAPS if visit.field(f"gap_{g}")),
        expectation=_one_of(visit, "expectation", EXPECTATIONS),
        churn=bool(visit.field("churn")),
    )


def _one_of(visit: Visit, name: str, values: tuple[str, ...]) -> str:
    value = visit.field(name)
    if value not in values:
        raise InputError(f"{name}: choose one of {', '.join(values)}")
    return value


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise InputError("at, segment: numbers are expected; go back and open the review again")
    return int(text)


def _address(job_id: str, **query: object) -> str:
    return f"/page/review/{job_id}?{urlencode(query)}"
