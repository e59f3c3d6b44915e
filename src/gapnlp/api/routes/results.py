"""What a job that succeeded has made: results a row an item, the report, and the segments behind its figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse

from gapnlp.api.deps import KEYED, JobOwner, ServerDep
from gapnlp.api.downloads import MEDIA_TYPES, send_file
from gapnlp.api.openapi import problems
from gapnlp.api.paging import paged
from gapnlp.api.schemas_jobs import (
    JobId,
    PageQuery,
    ReportPage,
    SegmentPage,
    SegmentQuery,
    Ui,
)
from gapnlp.api.telling import tell_report, tell_segment
from gapnlp.records.report import SCHEMA_VERSION
from gapnlp.records.service import REPORT_FORMATS, RESULT_FORMATS, Page, SegmentFilter, StoredSegment
from gapnlp.service.evidence import explain_segments

router = APIRouter(tags=["results"], dependencies=KEYED)

_REFUSED = problems(401, 403, 404, 409, 416, 422, 429, 503)


# The schema of the report itself is docs/report.schema.json.
_SCHEMAS = {"json": {"type": "object", "required": ["schema_version"]}}


def _files(formats: tuple[str, ...], examples: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    """Describe a download in several formats, whole or in part."""
    bytes_of_it = {"type": "string", "format": "binary"}
    content = {
        MEDIA_TYPES[f].partition(";")[0]: {"schema": _SCHEMAS.get(f, bytes_of_it), "example": examples[f]}
        for f in formats
    }
    return {
        200: {"description": "the file", "content": content},
        206: {"description": "the range of it that was asked for", "content": content},
        **_REFUSED,
    }


_RESULTS = {
    "csv": "id,status,sentiment,gaps\nr-17,scored,neg,delivery\n",
    "jsonl": '{"id": "r-17", "status": "scored", "sentiment": "neg", "gaps": "delivery"}\n',
    "parquet": "PAR1...",
}
_REPORTS = {
    "json": {"schema_version": SCHEMA_VERSION},
    "html": "<!doctype html><title>Gap report</title>",
    "xlsx": "PK...",
}


@router.get(
    "/jobs/{job_id}/result.{format}",
    summary="Download the results",
    response_class=FileResponse,
    responses=_files(RESULT_FORMATS, _RESULTS),
)
def download_result(
    request: Request,
    server: ServerDep,
    caller: JobOwner,
    job_id: JobId,
    format: Literal["csv", "jsonl", "parquet"],  # noqa: A002
) -> FileResponse:
    """One row for every row of the upload, in order, with the item's own id."""
    path = server.jobs.result(caller.project, job_id, format)
    return send_file(request, path, name=f"gapnlp-{job_id[:8]}-results.{format}")


@dataclass(frozen=True, slots=True)
class _WhichReport:
    """A report's format and language."""

    format: Literal["json", "html", "xlsx"]
    ui: Annotated[Ui | None, Query(description="language; as the job was made when not given", examples=["pl"])] = None


@router.get(
    "/jobs/{job_id}/report.{format}",
    summary="Download the report",
    response_class=FileResponse,
    responses=_files(REPORT_FORMATS, _REPORTS),
)
def download_report(
    request: Request, server: ServerDep, caller: JobOwner, job_id: JobId, which: Annotated[_WhichReport, Depends()]
) -> FileResponse:
    """Give the gap report: JSON for programs, HTML that opens anywhere offline, XLSX with a sheet a figure."""
    path = server.jobs.report(caller.project, job_id, which.format, which.ui)
    return send_file(request, path, name=f"gapnlp-{job_id[:8]}-report.{which.format}")


@router.get(
    "/reports", summary="List reports", response_model=ReportPage, responses=problems(401, 403, 404, 422, 429, 503)
)
def list_reports(server: ServerDep, caller: JobOwner, query: Annotated[PageQuery, Query()]) -> ReportPage:
    """List the project's finished reports, newest first, page by page."""
    with paged():
        page = server.jobs.list(caller.project, cursor=query.cursor, limit=query.limit, states=["succeeded"])
    return ReportPage(items=[tell_report(job) for job in page.items], next=page.next)


@router.get(
    "/reports/{job_id}/segments",
    summary="List the segments behind a report",
    response_model=SegmentPage,
    responses=problems(401, 403, 404, 409, 422, 429, 503),
)
async def list_segments(
    server: ServerDep, caller: JobOwner, job_id: JobId, query: Annotated[SegmentQuery, Query()]
) -> SegmentPage:
    """Give the customers' own sentences behind the figures, by gap, dimension, group and period, page by page.

    Evidence is found anew for each page; with `evidence=false` the page comes sooner.
    """
    wanted = SegmentFilter(
        gap=query.gap,
        dimension=query.dimension,
        polarity=query.polarity,
        group=query.group,
        period=query.period,
        sentiment=query.sentiment,
    )

    def read() -> Page[StoredSegment]:
        with paged():
            return server.jobs.segments(caller.project, job_id, wanted, cursor=query.cursor, limit=query.limit)

    page = await run_in_threadpool(read)
    stored = page.items
    if query.evidence and stored:
        stored = await server.pool.call(lambda scorer: explain_segments(scorer, page.items))
    items = [tell_segment(s, query.offset_unit) for s in stored]
    return SegmentPage(offset_unit=query.offset_unit, items=items, next=page.next)
