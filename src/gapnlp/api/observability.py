"""What the service tells about itself: a log line, metrics and (when asked for) a span for each request.

One layer, outermost, sees every request and answer. It tells the route's template, never the path, query or body.
"""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gapnlp.api.access import Caller
from gapnlp.api.logs import REQUEST_ID
from gapnlp.api.metrics import Metrics
from gapnlp.api.route_names import RouteNames
from gapnlp.api.tracing import Tracing, describe, make_tracing, trace_id
from gapnlp.errors import GapnlpError
from gapnlp.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.trace import Span

REQUEST_ID_HEADER = "X-Request-ID"
# Asked for every few seconds by monitoring, or once by every visitor.
_QUIET = ("/healthz", "/readyz", "/metrics", "/static/")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER_METHOD = "OTHER"
# A caller's own id is kept when it is a UUID or the like; anything freer could carry words into the log.
_REQUEST_ID = re.compile(r"[0-9a-fA-F][0-9a-fA-F-]{7,63}")
_BROKEN_OFF = 500

log = logging.getLogger(__name__)


def install(app: FastAPI, settings: Settings) -> Metrics:
    """Add the layer, and put the metrics into app.state.metrics; call it after every other layer was added.

    Raises MissingExtra when tracing is asked for and not installed.
    """
    metrics = Metrics()
    app.state.metrics = metrics
    watch = _Watch(metrics, RouteNames(app), make_tracing(settings.otel_endpoint))
    app.add_middleware(RequestWatch, watch=watch)
    return metrics


@dataclass(frozen=True, slots=True)
class _Watch:
    metrics: Metrics
    routes: RouteNames
    tracing: Tracing | None


@dataclass(slots=True)
class _Answer:
    """What is known of a request and its answer so far. ended: when the last byte was handed over, None before."""

    request_id: str
    route: str
    started: float = field(default_factory=time.perf_counter)
    status: int | None = None
    ended: float | None = None


class RequestWatch:
    """The outermost layer: gives each request its id, and tells of it once it is answered."""

    def __init__(self, app: ASGIApp, *, watch: _Watch) -> None:
        self.app, self.watch = app, watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on and watch."""
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            # Afterwards the process may end at once, so the last spans go before it.
            if message["type"].startswith("lifespan.shutdown") and self.watch.tracing is not None:
                await run_in_threadpool(self.watch.tracing.close)
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except GapnlpError as error:
            # What the server says of it is a traceback, which the log withholds.
            log.critical("the service cannot start or stop: %s", error)
            raise

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        answer = _Answer(_request_id(headers), self.watch.routes.of(path))
        scope.setdefault("state", {})["request_id"] = answer.request_id

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID_HEADER] = answer.request_id
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                answer.ended = time.perf_counter()

        with self._watching(scope, headers, answer):
            await self.app(scope, receive, sending)

    @contextmanager
    def _watching(self, scope: Scope, headers: Headers, answer: _Answer) -> Iterator[None]:
        token = REQUEST_ID.set(answer.request_id)
        self.watch.metrics.begin_request()
        try:
            with self.watch.tracing.request(headers) if self.watch.tracing else nullcontext() as span:
                try:
                    yield
                finally:
                    self._tell(_fields(scope, answer), span)
        finally:
            REQUEST_ID.reset(token)

    def _tell(self, fields: dict[str, Any], span: Span | None) -> None:
        method, route, status = fields["method"], fields["route"], fields["status"]
        self.watch.metrics.end_request(method, route, status=status, seconds=fields["milliseconds"] / 1000)
        if span is not None:
            describe(span, fields)
            fields["trace"] = trace_id(span)
        log.log(_level(route, status), "request", extra=fields)


def _fields(scope: Scope, answer: _Answer) -> dict[str, Any]:
    """Gather what is told of a request; the id of the request is added to every line by the log itself."""
    fields: dict[str, Any] = {
        "method": scope["method"] if scope["method"] in _METHODS else OTHER_METHOD,
        "route": answer.route,
        "status": answer.status or _BROKEN_OFF,
        "milliseconds": round(((answer.ended or time.perf_counter()) - answer.started) * 1000, 1),
    }
    if answer.ended is None:
        fields["complete"] = False
    caller = scope["state"].get("caller")
    if isinstance(caller, Caller):
        fields |= {"project": caller.project, "key": caller.key}
    return fields


def _level(route: str, status: int) -> int:
    """Say how loud a request is told of; /readyz answers 503 at every start."""
    usual, failed = (logging.DEBUG, logging.INFO) if route.startswith(_QUIET) else (logging.INFO, logging.WARNING)
    return failed if status >= 500 else usual


def _request_id(headers: Headers) -> str:
    given = headers.get(REQUEST_ID_HEADER, "")
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
