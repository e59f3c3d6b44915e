"""A route that reads JSON: it refuses other content, and refuses early when there is no room for the work."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from gapnlp.api.problems import ApiProblem

_Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class JsonRoute(APIRoute):
    """Checks the key's scope and the kind of content before the body is read; FastAPI alone reads first."""

    def get_route_handler(self) -> _Handler:
        """Wrap the handler of FastAPI."""
        handler = super().get_route_handler()
        guards = [d.call for d in self.dependant.dependencies if d.call is not None and hasattr(d.call, "needed_scope")]

        async def checked(request: Request) -> Response:
            for guard in guards:
                await guard(request)
            check_json(request)
            return await handler(request)

        return checked


class ScoringRoute(JsonRoute):
    """As JsonRoute; a full queue refuses before the body is read, and so many requests at most are held at a time."""

    def get_route_handler(self) -> _Handler:
        """Wrap the handler of FastAPI."""
        handler = super().get_route_handler()

        async def admitted(request: Request) -> Response:
            state = request.app.state
            state.pool.check_room()
            if state.scoring_requests >= state.pool.limits.most_texts:
                raise ApiProblem("busy", "too many requests are being read; try again", headers={"Retry-After": "1"})
            state.scoring_requests += 1
            try:
                return await handler(request)
            finally:
                state.scoring_requests -= 1

        return admitted


def check_json(request: Request) -> None:
    """Raise ApiProblem "unsupported-media-type" for anything but JSON."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if (
        request.method == "POST"
        and kind != "application/json"
        and not (kind.startswith("application/") and kind.endswith("+json"))
    ):
        raise ApiProblem("unsupported-media-type", "send JSON: Content-Type: application/json")
