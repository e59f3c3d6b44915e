"""Templates -> responses: everything escaped, under a policy that lets in nothing but the page's own files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

from gapnlp.api.web.visits import TOKEN_COOKIE, TOKEN_FIELD, Visit
from gapnlp.api.web.wording import OWN_NAMES, TAGS, UI_COOKIE
from gapnlp.reporting.formats import clean, clip
from gapnlp.taxonomy.catalogue import UI_LANGUAGES

PAGE_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
STATIC_FILES = (
    *("page.css", "explore.css", "review.css", "icon.svg"),
    *("page.js", "upload.js", "progress.js", "explore.js", "trying.js", "review.js"),
)
_YEAR = 365 * 24 * 3600
_SHOWN = 80


def show(visit: Visit, template: str, values: Mapping[str, Any], *, status: int = 200) -> Response:
    """Fill a template with a visitor's words and give it as a page, with the cookies that the visit needs."""
    text = _environment().get_template(template).render({**_pieces(visit), **values})
    return keep_cookies(visit, HTMLResponse(text.encode("utf-8", "replace"), status, headers=dict(PAGE_HEADERS)))


def go(path: str) -> Response:
    """Send the visitor on after a form; the browser asks with GET."""
    return RedirectResponse(path, 303, headers=dict(PAGE_HEADERS))


def keep_cookies(visit: Visit, response: Response) -> Response:
    """Set the form token when the visitor has none, and the language when they chose one in the address."""
    secure = visit.request.url.scheme == "https"
    if visit.request.cookies.get(TOKEN_COOKIE) != visit.token:
        response.set_cookie(TOKEN_COOKIE, visit.token, httponly=True, samesite="strict", secure=secure)
    if visit.request.query_params.get("ui") in UI_LANGUAGES:
        response.set_cookie(UI_COOKIE, visit.words.ui, max_age=_YEAR, httponly=True, samesite="strict", secure=secure)
    return response


@cache
def static_file(name: str) -> bytes:
    """Read one of STATIC_FILES, or the report's stylesheet, which the page builds on."""
    if name == "report.css":
        return files("gapnlp.reporting").joinpath("templates", "style.css").read_bytes()
    return files("gapnlp.api.web").joinpath("static", name).read_bytes()


def _pieces(visit: Visit) -> dict[str, Any]:
    """Collect what every template uses."""
    words, request = visit.words, visit.request
    return {
        "visit": visit,
        "w": words,
        "f": words.formats,
        "say": words.say,
        "web": lambda key, **values: words.say(f"web.{key}", **values),
        "count": words.count,
        "shown": lambda value: clip(clean(str(value)), _SHOWN),
        "clean": lambda value: clean(str(value)),
        "static": _static_address,
        "tag": TAGS[words.ui],
        "languages": [(ui, TAGS[ui], OWN_NAMES[ui], _in_language(request, ui)) for ui in UI_LANGUAGES],
        "path": request.url.path,
        "token_field": TOKEN_FIELD,
    }


def _in_language(request: Any, ui: str) -> str:
    """Address of the same page in another language; a page that answered a form goes to where the form was."""
    if request.method != "GET":
        return f"/?ui={ui}"
    url = request.url.include_query_params(ui=ui)
    return f"{url.path}?{url.query}"


@cache
def static_version(name: str) -> str:
    """Name the bytes of a static file."""
    return sha256(static_file(name)).hexdigest()[:12]


def _static_address(name: str) -> str:
    """Address of a static file that changes with its bytes, so that browsers may keep it."""
    return f"/static/{name}?v={static_version(name)}"


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("gapnlp.api.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
