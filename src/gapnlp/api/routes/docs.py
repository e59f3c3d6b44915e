"""`/docs`: the reference page."""

from __future__ import annotations

from fastapi import FastAPI, Request
from starlette.responses import HTMLResponse

from gapnlp.api.reference import reference_policy, render_reference


def add_reference(app: FastAPI) -> None:
    """Add the page; it is no part of the description itself."""
    made: list[str] = []

    def reference(request: Request) -> HTMLResponse:
        if not made:
            made.append(render_reference(request.app.openapi()))
        return HTMLResponse(made[0], headers={"Content-Security-Policy": reference_policy()})

    app.add_route("/docs", reference, methods=["GET"], include_in_schema=False)
