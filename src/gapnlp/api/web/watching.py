"""A job on its way: progress with time left, cancelling, deleting."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response, StreamingResponse

from gapnlp.api.web.home import job_address
from gapnlp.api.web.rendering import PAGE_HEADERS, go, show
from gapnlp.api.web.site import Site
from gapnlp.api.web.telling import tell_job
from gapnlp.api.web.visits import Visit
from gapnlp.errors import NotFound
from gapnlp.records.service import Job

# Seconds between two looks at a job, and after which a silent stream says that it is still there.
_LOOK_SECONDS, _KEEP_ALIVE = 0.5, 15.0


def show_job(visit: Visit, site: Site) -> Response:
    """Show a job's progress; a finished one leads to its report."""
    job = site.jobs.get(visit.need(), _job_id(visit))
    if job.state == "succeeded":
        return go(job_address(job))
    return show(visit, "progress.html.j2", {"job": job, "told": tell_job(job, visit.words)})


def job_state(visit: Visit, site: Site) -> Response:
    """Tell the page's script how far a job is, in the visitor's words."""
    job = site.jobs.get(visit.need(), _job_id(visit))
    return JSONResponse(_state(visit, job), headers=dict(PAGE_HEADERS))


async def job_events(visit: Visit, site: Site) -> Response:
    """Tell the same as it changes, as server-sent events; the stream ends with the job, or with the server."""
    project, job_id = visit.need(), _job_id(visit)
    site.streams.check_room()
    job = await run_in_threadpool(site.jobs.get, project, job_id)
    events = _events(visit, site, job)
    headers = {**PAGE_HEADERS, "X-Accel-Buffering": "no"}
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


async def _events(visit: Visit, site: Site, job: Job) -> AsyncIterator[bytes]:
    told, silent = None, 0.0
    site.streams.now += 1
    try:
        while True:
            state = _state(visit, job)
            silent += _LOOK_SECONDS
            if state != told:
                told, silent = state, 0.0
                yield f"data: {json.dumps(state, ensure_ascii=False)}\n\n".encode()
            elif silent >= _KEEP_ALIVE:
                silent = 0.0
                yield b": still here\n\n"
            if job.ended or await _stopped(site.streams.stopping):
                return
            job = await run_in_threadpool(site.jobs.get, job.project, job.id)
    except NotFound:
        return  # deleted meanwhile: the page finds out when it asks again
    finally:
        site.streams.now -= 1


async def _stopped(stopping: asyncio.Event) -> bool:
    """Wait a moment; True when the server stops meanwhile."""
    try:
        await asyncio.wait_for(stopping.wait(), _LOOK_SECONDS)
    except TimeoutError:
        return False
    return True


def cancel_job(visit: Visit, site: Site) -> Response:
    """Stop a job."""
    job = site.jobs.cancel(visit.need(), _job_id(visit))
    return go(f"/page/jobs/{job.id}")


def delete_job(visit: Visit, site: Site) -> Response:
    """Delete a job with all its texts."""
    site.jobs.delete(visit.need(), _job_id(visit))
    return go("/?deleted")


def _state(visit: Visit, job: Job) -> dict[str, object]:
    return {**asdict(tell_job(job, visit.words)), "go": job_address(job)}


def _job_id(visit: Visit) -> str:
    return str(visit.request.path_params["job_id"])
