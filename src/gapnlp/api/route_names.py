"""The name of the route that a path belongs to: its template, never the path itself."""

from __future__ import annotations

import re

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount, compile_path

UNKNOWN = "unknown"


class RouteNames:
    """Finds templates such as /jobs/{id}, also for requests that are refused before they are routed."""

    def __init__(self, app: FastAPI) -> None:
        """Name the routes that the app has at the first request."""
        self._app = app
        self._whole: dict[str, str] | None = None
        self._patterns: list[tuple[re.Pattern[str], str]] = []

    def of(self, path: str) -> str:
        """Give a path's template; UNKNOWN when no route fits."""
        if self._whole is None:
            self._whole = self._read()
        if (found := self._whole.get(path)) is not None:
            return found
        return next((name for pattern, name in self._patterns if pattern.match(path)), UNKNOWN)

    def _read(self) -> dict[str, str]:
        whole: dict[str, str] = {}
        for route in iter_route_contexts(self._app.routes):
            if route.path is None:
                continue
            below = "/{path:path}" if isinstance(route.original_route, Mount) else ""
            pattern, name, parameters = compile_path(route.path + below)
            if parameters:
                self._patterns.append((pattern, name))
            else:
                whole[name] = name
        return whole
