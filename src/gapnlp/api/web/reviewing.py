"""The review queue: one sentence at a time with the model's labels, corrected by keys or by clicks, saved at once."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.responses import Response

from gapnlp.api.web.rendering import go, show
from gapnlp.api.web.site import Site
from gapnlp.api.web.visits import Visit
from gapnlp.errors import InputError
from gapnlp.records.corrections import LOCAL_CORRECTOR, GivenLabels
from gapnlp.records.labels import DIMENSIONS, EXPECTATIONS, GAPS, POLARITIES, SENTIMENTS
from gapnlp.records.service import StoredSegment
from gapnlp.service.corrections import new_correction, of_segment

# Keys of the page's script, in the order of the labels.
DIMENSION_KEYS, GAP_KEYS, SENTIMENT_KEYS = "12345", "qwert", "asdf"
# No polarity: the dimension is not judged.
_NO_POLARITY = "none"


@dataclass(frozen=True, slots=True)
class Turn:
    """Where the visitor is. at: position in the queue, from 0; length when there is nothing left."""

    at: int
    length: int
    segment: StoredSegment | None


def show_review(visit: Visit, site: Site) -> Response:
    """Show the sentence at a position of the queue; without one, the first that nobody has corrected yet."""
    project, job_id = visit.need(), str(visit.request.path_params["job_id"])
    job = site.jobs.get(project, job_id)
    turn = _turn(visit, site, project, job_id)
    query = visit.request.query_params
    values = {
        "job": job,
        "turn": turn,
        "stored": turn.segment,
        "kept": query.get("kept", "")[:32],
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
    who = visit.caller.name if visit.caller else LOCAL_CORRECTOR
    made = new_correction(project, who, _given(visit), text=segment.text, ticket=segment.item)
    kept, _ = site.corrections.add(of_segment(made, job_id, segment))
    return go(_address(job_id, at=_number(visit.field("at")) + 1, kept=kept.id))


def undo_review(visit: Visit, site: Site) -> Response:
    """Take the last correction back and show its sentence again."""
    project, job_id = visit.need(), str(visit.request.path_params["job_id"])
    site.jobs.get(project, job_id)
    site.corrections.take_back(project, visit.field("correction"))
    return go(_address(job_id, at=max(0, _number(visit.field("at")) - 1)))


def _turn(visit: Visit, site: Site, project: str, job_id: str) -> Turn:
    queue = site.jobs.review_queue(project, job_id)
    given = visit.request.query_params.get("at")
    if given is None:
        corrected = site.corrections.corrected(project, job_id)
        at = next((i for i, place in enumerate(queue) if place not in corrected), len(queue))
    else:
        at = min(_number(given), len(queue))
    segment = site.jobs.segment(project, job_id, queue[at]) if at < len(queue) else None
    return Turn(at, len(queue), segment)


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
