"""The page at /: every address of it in one table, and how a request becomes a page, a form's answer or an error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gapnlp.api.problems import ApiProblem
from gapnlp.api.web.downloading import save_file
from gapnlp.api.web.exploring import show_report
from gapnlp.api.web.forms import Form, read_fields, read_upload
from gapnlp.api.web.home import show_home
from gapnlp.api.web.mishaps import answer_mishap
from gapnlp.api.web.rendering import STATIC_FILES, static_file, static_version
from gapnlp.api.web.reviewing import save_review, show_review, undo_review
from gapnlp.api.web.signing import SIGN_IN, show_sign_in, sign_in, sign_out
from gapnlp.api.web.site import Site, site_of
from gapnlp.api.web.trying import show_try, try_text
from gapnlp.api.web.uploading import choose_columns, discard_upload, show_columns, take_upload
from gapnlp.api.web.visits import Forbidden, SignInNeeded, Visit, begin_visit
from gapnlp.api.web.watching import cancel_job, delete_job, job_events, job_state, show_job
from gapnlp.errors import GapnlpError

# A visit and the server -> the answer; plain functions run in a thread, as they read files and the database.
Handler = Callable[[Visit, Site], Any]
_MISHAPS = (GapnlpError, ApiProblem, HTTPException, SignInNeeded, Forbidden)


@dataclass(frozen=True, slots=True)
class Address:
    """One address of the page. takes_file: its form brings an upload."""

    path: str
    method: str
    handler: Handler
    takes_file: bool = False


ADDRESSES = (
    Address("/", "GET", show_home),
    Address(SIGN_IN, "GET", show_sign_in),
    Address(SIGN_IN, "POST", sign_in),
    Address("/page/sign-out", "POST", sign_out),
    Address("/page/try", "GET", show_try),
    Address("/page/try", "POST", try_text),
    Address("/page/uploads", "POST", take_upload, takes_file=True),
    Address("/page/uploads/{token}", "GET", show_columns),
    Address("/page/uploads/{token}", "POST", choose_columns),
    Address("/page/uploads/{token}/discard", "POST", discard_upload),
    Address("/page/jobs/{job_id}", "GET", show_job),
    Address("/page/jobs/{job_id}/state", "GET", job_state),
    Address("/page/jobs/{job_id}/events", "GET", job_events),
    Address("/page/jobs/{job_id}/cancel", "POST", cancel_job),
    Address("/page/jobs/{job_id}/delete", "POST", delete_job),
    Address("/page/jobs/{job_id}/files/{name}", "GET", save_file),
    Address("/page/reports/{job_id}", "GET", show_report),
    Address("/page/review/{job_id}", "GET", show_review),
    Address("/page/review/{job_id}", "POST", save_review),
    Address("/page/review/{job_id}/undo", "POST", undo_review),
)
_MEDIA = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}


def add_pages(app: FastAPI) -> None:
    """Add the page's addresses and static files to the app; they are no part of the OpenAPI description."""
    for address in ADDRESSES:
        app.add_route(address.path, _endpoint(address), methods=[address.method], include_in_schema=False)
    app.add_route("/static/{name}", _static, methods=["GET"], include_in_schema=False)


def _endpoint(address: Address) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        site = site_of(request)
        arriving = site.drafts.place() if address.takes_file else None
        try:
            form = await _read(request, site, arriving) if address.method == "POST" else None
            return await _handle(address.handler, begin_visit(request, form), site)
        except _MISHAPS as mishap:
            return await answer_mishap(request, site, mishap)
        finally:
            if arriving is not None:
                arriving.unlink(missing_ok=True)

    return answer


async def _read(request: Request, site: Site, arriving: Path | None) -> Form:
    if arriving is None:
        return await read_fields(request)
    async with site.gate.room():
        return await read_upload(request, arriving, site.settings.upload_bytes)


async def _handle(handler: Handler, visit: Visit, site: Site) -> Response:
    answer = (
        await handler(visit, site) if iscoroutinefunction(handler) else await run_in_threadpool(handler, visit, site)
    )
    assert isinstance(answer, Response)
    return answer


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in (*STATIC_FILES, "report.css"):
        raise HTTPException(404)
    version = static_version(name)
    # An address that names the version can be kept for good; modules name each other without one.
    kept = "public, max-age=31536000, immutable" if request.query_params.get("v") == version else "no-cache"
    headers = {"Cache-Control": kept, "ETag": f'"{version}"', "X-Content-Type-Options": "nosniff"}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(static_file(name), media_type=_MEDIA[name.rpartition(".")[2]], headers=headers)
