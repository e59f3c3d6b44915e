"""`/docs`: the reference page."""

from __future__ import annotations

from fastapi import FastAPI, Request
from starlette.responses import HTMLResponse

from gapnlp.api.reference import reference_policy, render_reference


def add_reference(app: FastAPI) -> None:
    """Add the page; it is no part of the description itself."""

    def reference(request: Request) -> HTMLResponse:
        page = render_reference(request.app.openapi())
        return HTMLResponse(page, headers={"Content-Security-Policy": reference_policy()})

    app.add_route("/docs", reference, methods=["GET"], include_in_schema=False)
