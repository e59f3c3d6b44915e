"""Which methods an address takes, over all its routes: what `Allow` has to name."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import compile_path


def allowed_methods(app: FastAPI, path: str) -> tuple[str, ...]:
    """List the methods of every route that a path fits, sorted; none when the path is unknown."""
    found: set[str] = set()
    for route in iter_route_contexts(app.routes):
        if route.path is None or not route.methods:
            continue
        pattern, _, _ = compile_path(route.path)
        if pattern.match(path):
            found |= set(route.methods)
    return tuple(sorted(found))
