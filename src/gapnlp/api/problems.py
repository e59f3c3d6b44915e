"""Every error of the API as `application/problem+json` (RFC 9457): one visible list of kinds."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gapnlp.api.allowed import allowed_methods
from gapnlp.errors import Conflict, GapnlpError, InputError, NotFound

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:gapnlp:problem:"
_MOST_ERRORS = 20
_LONGEST_LOCATION = 200

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem: its HTTP status and a title that is the same every time."""

    status: int
    title: str


# Name (the end of a problem's `type`) -> kind. docs/api.md has a row for each.
KINDS: Mapping[str, Kind] = {
    "bad-request": Kind(400, "The request cannot be read"),
    "unauthorized": Kind(401, "A valid access key is needed"),
    "bad-signature": Kind(401, "The webhook's signature is missing, wrong or too old"),
    "forbidden": Kind(403, "This access key does not allow that"),
    "not-found": Kind(404, "There is no such thing here"),
    "method-not-allowed": Kind(405, "This address does not take that method"),
    "conflict": Kind(409, "Not possible in the present state"),
    "too-large": Kind(413, "More than this server takes"),
    "unsupported-media-type": Kind(415, "This kind of content is not read here"),
    "range-not-satisfiable": Kind(416, "The file has no such range"),
    "invalid-request": Kind(422, "A part of the request is not as described"),
    "unusable-upload": Kind(422, "The upload cannot be used"),
    "rate-limited": Kind(429, "Too many requests with this access key"),
    "internal": Kind(500, "The server failed"),
    "busy": Kind(503, "The server has all the work it can hold"),
    "not-ready": Kind(503, "The server cannot work at the moment"),
}
_OF_STATUS = {400: "bad-request", 401: "unauthorized", 403: "forbidden", 404: "not-found", 405: "method-not-allowed"}
_OF_STATUS |= {409: "conflict", 413: "too-large", 415: "unsupported-media-type", 422: "invalid-request"}


class ApiProblem(Exception):
    """Raised anywhere in the API to answer with a problem.

    kind: a key of KINDS. detail: what, where and what to do, without customers' text. errors: (location, what is wrong)
    for each part of the request.
    """

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind, self.detail, self.headers, self.errors = kind, detail, dict(headers or {}), tuple(errors)


def problem_response(problem: ApiProblem) -> Response:
    """Make the response of a problem."""
    kind = KINDS[problem.kind]
    body: dict[str, Any] = {"type": TYPE_PREFIX + problem.kind, "title": kind.title, "status": kind.status}
    body["detail"] = problem.detail
    if problem.errors:
        body["errors"] = [{"location": where, "detail": what} for where, what in problem.errors]
    # ASCII escapes: a header's or key's lone surrogates cannot be written in UTF-8.
    content = json.dumps(body, ensure_ascii=True).encode()
    return Response(content, status_code=kind.status, headers=problem.headers, media_type=MEDIA_TYPE)


def from_gapnlp(error: GapnlpError) -> ApiProblem:
    """Say what an error of the package means for who asked."""
    if isinstance(error, NotFound):
        return ApiProblem("not-found", str(error))
    if isinstance(error, Conflict):
        return ApiProblem("conflict", str(error))
    if isinstance(error, InputError):
        return ApiProblem("invalid-request", str(error))
    # A missing model, an unreachable database, a missing package: nothing that another request would mend.
    log.error("not able to work: %s", error)
    return ApiProblem("not-ready", "a part of the server is not usable; try again later", headers={"Retry-After": "5"})


def from_validation(errors: Sequence[Mapping[str, Any]]) -> ApiProblem:
    """Say which parts of a request are not as described; what was sent is never repeated."""
    if any(error["type"] == "json_invalid" for error in errors):
        return ApiProblem("bad-request", "the body is not valid JSON; send one object as in /openapi.json")
    found = [(_location(error["loc"]), str(error["msg"])) for error in errors[:_MOST_ERRORS]]
    more = f" ({len(errors) - _MOST_ERRORS} more are not listed)" if len(errors) > _MOST_ERRORS else ""
    detail = f"{len(errors)} part(s) of the request are not as described{more}; see errors and /openapi.json"
    return ApiProblem("invalid-request", detail, errors=found)


def _location(parts: Sequence[str | int]) -> str:
    """Write ("body", "documents", 3, "text") as body.documents.3.text; names are the caller's, so they are cut.

    A part in brackets names one of several shapes that a body may have (see schemas_classify), and no place in it.
    """
    return ".".join(str(p) for p in parts if not str(p).startswith("("))[:_LONGEST_LOCATION]


def install_problems(app: FastAPI) -> None:
    """Make every error of an app a problem: its own, FastAPI's, Starlette's and those of the package."""

    async def api_problem(_: Request, error: Exception) -> Response:
        assert isinstance(error, ApiProblem)
        return problem_response(error)

    async def gapnlp_error(_: Request, error: Exception) -> Response:
        assert isinstance(error, GapnlpError)
        return problem_response(from_gapnlp(error))

    async def invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return problem_response(from_validation(error.errors()))

    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return problem_response(_from_http(request, error))

    app.add_exception_handler(ApiProblem, api_problem)
    app.add_exception_handler(GapnlpError, gapnlp_error)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http_error)


def _from_http(request: Request, error: HTTPException) -> ApiProblem:
    kind = _OF_STATUS.get(error.status_code, "internal" if error.status_code >= 500 else "bad-request")
    headers = dict(error.headers or {})
    detail = str(error.detail)
    if error.status_code == 404:
        detail = "there is nothing at this address; see /openapi.json"
    if error.status_code == 405:
        # The router names the methods of the first matching route alone.
        headers["Allow"] = ", ".join(allowed_methods(request.app, request.url.path)) or headers.get("Allow", "GET")
        detail = f"this address takes {headers['Allow']}"
    if error.status_code == 413:
        detail = "the request's body is larger than this address takes; see its limits in /openapi.json"
    return ApiProblem(kind, detail, headers=headers)


class UnexpectedErrors:
    """Outermost layer: an unexpected error becomes a problem, and is logged by its places in the code alone.

    A message or a local variable may hold a customer's text, so neither is logged.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; answer for it when what lies below fails."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except ClientDisconnect:
            return  # nobody is there to be told
        except Exception as error:
            _log_places(error)
            if started:
                raise ConnectionAbortedError("the response broke off") from None
            detail = "an unexpected error was logged; if it comes back, report it with the time of this request"
            await problem_response(ApiProblem("internal", detail))(scope, receive, send)


def _log_places(error: Exception) -> None:
    places = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)[-12:]]
    log.error("unexpected %s at %s", type(error).__name__, " < ".join(reversed(places)))
