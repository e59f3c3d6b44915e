"""Signing in with an access key, and out again."""

from __future__ import annotations

from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from gapnlp.api.access import SESSION_COOKIE
from gapnlp.api.web.rendering import go, show
from gapnlp.api.web.site import Site
from gapnlp.api.web.visits import Visit

SIGN_IN = "/page/sign-in"
_LONGEST_KEY = 512


def sign_in_address(then: str) -> str:
    """Where to sign in, and where to go on afterwards."""
    return SIGN_IN if then == "/" else f"{SIGN_IN}?next={quote(then)}"


def show_sign_in(visit: Visit, site: Site) -> Response:
    """Show the form for the key; who is signed in already, or needs no key, goes on."""
    if visit.caller is not None:
        return go(_next(visit.request.query_params.get("next", "")))
    return show(visit, "sign_in.html.j2", {"next": visit.request.query_params.get("next", ""), "wrong": False})


async def sign_in(visit: Visit, site: Site) -> Response:
    """Keep a valid key for the session."""
    secret, then = visit.field("key"), visit.field("next")
    key = await run_in_threadpool(site.keys.check, secret) if 0 < len(secret) <= _LONGEST_KEY else None
    if key is None:
        return show(visit, "sign_in.html.j2", {"next": then, "wrong": True}, status=401)
    response = go(_next(then))
    secure = visit.request.url.scheme == "https"
    response.set_cookie(SESSION_COOKIE, secret, httponly=True, samesite="strict", secure=secure)
    return response


async def sign_out(visit: Visit, site: Site) -> Response:
    """Forget the key."""
    response = go(SIGN_IN)
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict")
    return response


def _next(then: str) -> str:
    """Go on to a page of this server only: a path, and none that a browser takes for another host."""
    return then if then.startswith("/page/") and "\\" not in then and "//" not in then else "/"
