"""`/corrections`: what labels should be, from support tools and from the page, for the next training."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import Annotated, Any

from fastapi import APIRouter, Body, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from gapnlp.api.access import Caller
from gapnlp.api.deps import KEYED, Classifier, IdempotencyKey, JobOwner, Server, ServerDep
from gapnlp.api.guard import JsonRoute
from gapnlp.api.openapi import REPLAYED, problems
from gapnlp.api.problems import ApiProblem
from gapnlp.api.schemas_corrections import CorrectionAnswer, CorrectionId, CorrectionSent, SegmentCorrection
from gapnlp.records.corrections import Correction
from gapnlp.service.corrections import new_correction, of_segment

router = APIRouter(tags=["corrections"], route_class=JsonRoute, dependencies=KEYED)

_LINE = '{"id": "0b7c", "ticket": "4711", "text": "It took 9 days.", "given": {"gap:delivery": true}}\n'
_LINES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "one JSON object a line",
        "content": {"application/x-ndjson": {"schema": {"type": "string"}, "example": _LINE}},
    }
}


@router.post(
    "/corrections",
    status_code=201,
    summary="Say what labels should be",
    response_model=CorrectionAnswer,
    responses={201: {"headers": REPLAYED}, **problems(400, 401, 403, 404, 409, 413, 415, 422, 429, 503)},
)
async def correct(
    response: Response,
    server: ServerDep,
    caller: Classifier,
    sent: Annotated[CorrectionSent, Body()],
    key: IdempotencyKey = None,
) -> CorrectionAnswer:
    """Keep the labels that somebody gave to a job's segment, or to a text that is sent along, for the next training.

    Labels that are left out were not judged. Of several corrections of the same text by the same key the last one
    counts. A request that is sent again with the same Idempotency-Key is kept once.
    """

    def keep() -> tuple[Correction, bool]:
        return server.corrections.add(_correction(server, caller, sent), key)

    kept, replayed = await run_in_threadpool(keep)
    if replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return tell_kept(kept)


@router.get(
    "/corrections.jsonl",
    summary="Download the corrections",
    response_class=StreamingResponse,
    responses={**_LINES, **problems(401, 403, 429, 503)},
)
def download_corrections(server: ServerDep, caller: JobOwner) -> StreamingResponse:
    """Give all corrections of the project as labelled texts, oldest first, as `gapnlp train` reads them.

    With the texts of customers, and who corrected what and when, so it needs the scope jobs.
    """
    name = {"Content-Disposition": 'attachment; filename="gapnlp-corrections.jsonl"'}
    lines = server.corrections.lines(caller.project)
    # Read before the answer begins, so that a database that is away becomes a problem and not half a file.
    first = next(lines, "")
    return StreamingResponse(chain([first], lines), media_type="application/x-ndjson", headers=name)


@router.delete(
    "/corrections/{correction_id}",
    status_code=204,
    summary="Take a correction back",
    responses=problems(401, 403, 404, 422, 429, 503),
)
def take_back(server: ServerDep, caller: JobOwner, correction_id: CorrectionId) -> None:
    """Delete a correction with its text. An earlier one of the same text by the same key counts again."""
    server.corrections.take_back(caller.project, correction_id)


def tell_kept(correction: Correction) -> CorrectionAnswer:
    """Say what was kept."""
    return CorrectionAnswer(
        id=correction.id,
        who=correction.who,
        created=correction.created,
        labels=correction.given.judged(),
        model_version=correction.model_version,
    )


def _correction(server: Server, caller: Caller, sent: CorrectionSent) -> Correction:
    given = sent.labels.given()
    if isinstance(sent, SegmentCorrection):
        segment = server.jobs.segment(caller.project, sent.job, sent.segment)
        made = new_correction(caller.project, caller.name, given, text=segment.text, ticket=segment.item)
        return of_segment(made, sent.job, segment)
    most = server.settings.classify_characters
    if len(sent.text) > most:
        fault = ("body.text", f"String should have at most {most} characters")
        raise ApiProblem("invalid-request", "the text is too long; cut it into several", errors=[fault])
    made = new_correction(caller.project, caller.name, given, text=sent.text, ticket=sent.ticket)
    if sent.model is not None:
        made = replace(made, model_labels=sent.model.labels(), model_version=sent.model.version)
    return replace(made, language=sent.language)
