"""Errors as pages: what went wrong in the visitor's language, with the server's own words as details."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gapnlp.api.problems import KINDS, ApiProblem
from gapnlp.api.web.rendering import PAGE_HEADERS, go, show
from gapnlp.api.web.signing import sign_in_address
from gapnlp.api.web.site import Site
from gapnlp.api.web.uploading import refuse_upload, too_large
from gapnlp.api.web.visits import Forbidden, SignInNeeded, Visit, begin_visit
from gapnlp.errors import Conflict, InputError, NotFound


async def answer_mishap(request: Request, site: Site, mishap: Exception) -> Response:
    """Answer a request that could not be handled."""
    visit = begin_visit(request)
    if isinstance(mishap, SignInNeeded):
        return go(sign_in_address(request.url.path if request.method == "GET" else "/"))
    if _is_too_large(mishap) and request.url.path == "/page/uploads" and visit.caller is not None:
        return await refuse_upload(visit, site, too_large(visit, site), status=413)
    status, message, detail = _explain(visit, mishap)
    if visit.part is not None:
        return JSONResponse({"problem": message}, status, headers=dict(PAGE_HEADERS))
    return show(visit, "mishap.html.j2", {"message": message, "detail": detail}, status=status)


def _explain(visit: Visit, mishap: Exception) -> tuple[int, str, str]:
    """Status, what to say, and the error's own words where they help."""
    say = visit.words.say
    if isinstance(mishap, Forbidden):
        scope = mishap.scope
        return 403, say("web.sign_in.missing_scope", scope=scope) if scope else say("web.error.forbidden"), ""
    if isinstance(mishap, NotFound):
        gone = visit.request.url.path.startswith("/page/uploads/")
        return 404, say("web.columns.gone" if gone else "web.error.not_found"), ""
    if isinstance(mishap, Conflict):
        return 409, say("web.error.conflict"), str(mishap)
    if isinstance(mishap, InputError):
        return 422, say("web.error.input"), str(mishap)
    if isinstance(mishap, ApiProblem):
        status = KINDS[mishap.kind].status
        return status, say("web.error.busy" if status == 503 else "web.error.input"), mishap.detail
    if isinstance(mishap, HTTPException):
        return mishap.status_code, say("web.error.input"), ""
    return 503, say("web.error.server"), ""


def _is_too_large(mishap: Exception) -> bool:
    return isinstance(mishap, ApiProblem) and mishap.kind == "too-large"
