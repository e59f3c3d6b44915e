"""The first page: a file to drop, the reports so far, a text to try."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from starlette.responses import Response

from gapnlp.api.web.forms import write_size
from gapnlp.api.web.rendering import go, show
from gapnlp.api.web.signing import sign_in_address
from gapnlp.api.web.site import Site
from gapnlp.api.web.telling import Told, tell_job
from gapnlp.api.web.trying import try_values
from gapnlp.api.web.visits import Visit
from gapnlp.ingest.readers import ENDINGS
from gapnlp.records.service import Job
from gapnlp.reporting.words import Words

JOBS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class JobLine:
    """One job of the list."""

    id: str
    file: str
    told: Told
    size: str
    created: datetime
    day: str
    address: str


def show_home(visit: Visit, site: Site) -> Response:
    """Show the first page; a visitor without a session signs in first."""
    if visit.caller is None:
        return go(sign_in_address("/"))
    return show(visit, "home.html.j2", home_values(visit, site))


def home_values(visit: Visit, site: Site, *, problem: str = "", detail: str = "") -> dict[str, object]:
    """Collect what the first page shows. problem, detail: why an upload was not taken. Reads the database."""
    query = visit.request.query_params
    cursor = query.get("cursor") if visit.request.method == "GET" else None
    size = write_size(site.settings.upload_bytes, visit.words.formats)
    page = site.jobs.list(visit.need(), cursor=cursor, limit=JOBS_SHOWN)
    return {
        "jobs": [job_line(job, visit.words) for job in page.items],
        "next": page.next,
        "later": cursor is not None,
        "deleted": "deleted" in query,
        "problem": problem,
        "detail": detail,
        "endings": ",".join(ENDINGS),
        "size": size,
        "visit_limit": site.settings.upload_bytes,
        "too_large": visit.words.say("web.error.too_large", size=size),
        **try_values(visit, site),
    }


def job_line(job: Job, words: Words) -> JobLine:
    """Show one job in the list: how large it is, where it stands, and where it leads."""
    rows = job.counts.get("read") or job.rows_total
    return JobLine(
        id=job.id,
        file=job.file,
        told=tell_job(job, words),
        size="" if rows is None else words.count("web.home.rows", rows),
        created=job.created,
        day=words.formats.day(job.created.date()),
        address=job_address(job),
    )


def job_address(job: Job) -> str:
    """Where a job is looked at: its report once there is one."""
    return f"/page/reports/{job.id}" if job.state == "succeeded" else f"/page/jobs/{job.id}"
