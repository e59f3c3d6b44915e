"""`/jobs`: uploads in, progress out, cancelled or deleted on demand."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from gapnlp.api.deps import KEYED, IdempotencyKey, JobOwner, Server, ServerDep
from gapnlp.api.events import Streams, event_id
from gapnlp.api.forms import UPLOAD_BODY
from gapnlp.api.openapi import EVENT_STREAM, JOB_LINKS, LOCATION, problems
from gapnlp.api.paging import paged
from gapnlp.api.schemas_jobs import JobAnswer, JobId, JobPage, JobQuery, RecognitionAnswer
from gapnlp.api.telling import tell_job, tell_recognition
from gapnlp.api.uploads import receive_upload, told
from gapnlp.records.feedback import Recognition
from gapnlp.records.service import Job

router = APIRouter(tags=["jobs"], dependencies=KEYED)

_UPLOAD: dict[str, Any] = {"requestBody": UPLOAD_BODY}
LastEvent = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID", max_length=200, description="the event that came last", examples=["running-scoring-1500"]
    ),
]
_REFUSED = (400, 401, 403, 409, 413, 415, 422, 429, 503)
_UNUSABLE = {422: "unusable-upload"}


@router.post(
    "/jobs",
    status_code=202,
    summary="Make a report of an upload",
    response_model=JobAnswer,
    openapi_extra=_UPLOAD,
    responses={202: {"headers": LOCATION, "links": JOB_LINKS}, **problems(*_REFUSED, kinds=_UNUSABLE)},
)
async def submit(
    request: Request, response: Response, server: ServerDep, caller: JobOwner, key: IdempotencyKey = None
) -> JobAnswer:
    """Take a review export, check it against the limits, and start a durable job that makes a report of it.

    The answer names the job; ask at its Location how it is doing. A request that is sent again with the same
    Idempotency-Key gives the same job.
    """
    async with receive_upload(request, server, caller.project) as upload:

        def start() -> Job:
            with told(upload.path, upload.file):
                return server.jobs.submit(
                    caller.project, upload.path, file=upload.file, options=upload.options, idempotency_key=key
                )

        job = await run_in_threadpool(start)
    response.headers["Location"] = f"/jobs/{job.id}"
    response.headers["Retry-After"] = "1"
    return tell_job(job)


@router.post(
    "/previews",
    summary="Say how an upload would be read",
    response_model=RecognitionAnswer,
    openapi_extra=_UPLOAD,
    responses=problems(400, 401, 403, 413, 415, 422, 429, 503, kinds=_UNUSABLE),
)
async def preview(request: Request, server: ServerDep, caller: JobOwner) -> RecognitionAnswer:
    """Check an upload and say which columns are recognised, without making a job; the upload is deleted at once."""
    async with receive_upload(request, server, caller.project) as upload:

        def look() -> Recognition:
            with told(upload.path, upload.file):
                return server.jobs.preview(caller.project, upload.path, file=upload.file, options=upload.options)

        recognition = await run_in_threadpool(look)
    return tell_recognition(recognition)


@router.get("/jobs", summary="List jobs", response_model=JobPage, responses=problems(401, 403, 404, 422, 429, 503))
def list_jobs(server: ServerDep, caller: JobOwner, query: Annotated[JobQuery, Query()]) -> JobPage:
    """List the project's jobs, newest first, page by page."""
    with paged():
        page = server.jobs.list(caller.project, cursor=query.cursor, limit=query.limit, states=query.state)
    return JobPage(items=[tell_job(job) for job in page.items], next=page.next)


@router.get(
    "/jobs/{job_id}",
    summary="Say how a job is doing",
    response_model=JobAnswer,
    responses=problems(401, 403, 404, 422, 429, 503),
)
def get_job(response: Response, server: ServerDep, caller: JobOwner, job_id: JobId) -> JobAnswer:
    """Give state, rows done, rate and time left; links to the results once it has succeeded."""
    job = server.jobs.get(caller.project, job_id)
    if not job.ended:
        response.headers["Retry-After"] = "1"
    return tell_job(job)


@router.delete(
    "/jobs/{job_id}",
    status_code=204,
    summary="Delete a job",
    responses=problems(401, 403, 404, 409, 422, 429, 503),
)
def delete_job(server: ServerDep, caller: JobOwner, job_id: JobId) -> None:
    """Cancel the job if it runs, and delete it with every text of it: upload, results, report."""
    server.jobs.delete(caller.project, job_id)


@router.post(
    "/jobs/{job_id}/cancel",
    summary="Cancel a job",
    response_model=JobAnswer,
    responses=problems(401, 403, 404, 409, 422, 429, 503),
)
def cancel_job(server: ServerDep, caller: JobOwner, job_id: JobId) -> JobAnswer:
    """Stop a job that is queued or running. It stays listed, as cancelled."""
    return tell_job(server.jobs.cancel(caller.project, job_id))


@router.get(
    "/jobs/{job_id}/events",
    summary="Follow a job",
    response_class=StreamingResponse,
    responses={
        200: {"description": "progress as it comes", "content": {"text/event-stream": EVENT_STREAM}},
        204: {"description": "the job has ended, and the caller had its last event already"},
        **problems(401, 403, 404, 422, 429, 503),
    },
)
async def follow_job(
    request: Request,
    server: ServerDep,
    caller: JobOwner,
    job_id: JobId,
    last: LastEvent = None,
) -> Response:
    """Send events: `progress` while it runs, `end` with the last state, `deleted` when it is deleted.

    The data is the job as at /jobs/{job_id}. A caller that was cut off sends the id it had last.
    """
    job = await run_in_threadpool(_read, server, caller.project, job_id)
    if job.ended and last == event_id(job):
        return Response(status_code=204)
    streams: Streams = request.app.state.streams
    streams.check_room()
    stream = streams.follow(job, lambda: _read(server, caller.project, job_id), last)
    return StreamingResponse(stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


def _read(server: Server, project: str, job_id: str) -> Job:
    return server.jobs.get(project, job_id)
