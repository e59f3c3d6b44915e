"""Who is calling: keys, the local caller of a server without keys, and the rate of each key.

Everything needs a caller unless its address is listed as public, so a new route is closed until someone opens it. Keys
are checked before a request's body is read.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Protocol
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gapnlp.api.problems import ApiProblem, from_gapnlp, problem_response
from gapnlp.api.rates import RateLimiter
from gapnlp.errors import GapnlpError
from gapnlp.records.corrections import LOCAL_CORRECTOR
from gapnlp.records.service import LOCAL_PROJECT, SCOPES, ApiKey

# Addresses that anyone may ask. Webhooks are signed instead; pages ask for the key themselves (web.visits).
PUBLIC = frozenset({"/", "/healthz", "/readyz", "/docs", "/openapi.json", "/favicon.ico"})
PUBLIC_BELOW = ("/static/", "/page/", "/webhooks/")
# The page keeps the key here (web.visits), so that what it links to and calls opens too.
SESSION_COOKIE = "gapnlp_key"
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
# Keys are far shorter; nothing longer is looked up.
_LONGEST_KEY = 512


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling: a project, and what its key allows.

    key: the key's prefix; None on a server without keys. name: the key's, for people.
    """

    project: str
    scopes: tuple[str, ...]
    key: str | None = None
    name: str = LOCAL_CORRECTOR

    def may(self, scope: str) -> bool:
        """Whether the key allows a scope; admin allows all of them, in its own project."""
        return scope in self.scopes or "admin" in self.scopes


LOCAL = Caller(LOCAL_PROJECT, SCOPES)


class Keys(Protocol):
    """What is asked of service.keys.KeyService here."""

    def check(self, secret: str) -> ApiKey | None:
        """Find the key of a secret."""

    def any(self) -> bool:
        """Whether there is any key."""


def caller_of(request: Request) -> Caller | None:
    """Name the caller that the access layer found; None on public addresses without a valid key."""
    found = getattr(request.state, "caller", None)
    return found if isinstance(found, Caller) else None


def is_loopback(host: str) -> bool:
    """Whether an address or name means this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Access:
    """The layer that finds the caller, refuses those without one, and holds each key to its rate."""

    def __init__(self, app: ASGIApp, *, keys: Callable[[], Keys], rates: RateLimiter) -> None:
        self.app, self._find_keys, self.rates = app, keys, rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its caller, or answer with a problem."""
        if scope["type"] == "websocket":  # there are none, and none is opened by adding one
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            caller = await self._admit(scope)
            rate = self.rates.take(caller.key) if caller and caller.key else None
        except ApiProblem as problem:
            await problem_response(problem)(scope, receive, send)
            return
        except GapnlpError as error:
            await problem_response(from_gapnlp(error))(scope, receive, send)
            return
        scope.setdefault("state", {})["caller"] = caller
        await self.app(scope, receive, _with_headers(send, rate) if rate else send)

    async def _admit(self, scope: Scope) -> Caller | None:
        headers, public, keys = Headers(scope=scope), is_public(scope["path"]), self._find_keys()
        secret, by_cookie = _credential(headers)
        if secret is not None:
            key = await run_in_threadpool(keys.check, secret) if len(secret) <= _LONGEST_KEY else None
            if key is not None:
                if by_cookie:
                    _refuse_other_sites(scope["method"], headers)
                return Caller(key.project, key.scopes, key.prefix, key.name)
            if not public:
                raise _unauthorized("this access key is unknown, expired or revoked")
        if await run_in_threadpool(keys.any):
            if public:
                return None
            raise _unauthorized("send an access key as X-API-Key or as Authorization: Bearer")
        if public and not _is_local(scope, headers):
            return None
        return _local(scope, headers)


def is_public(path: str) -> bool:
    """Whether anyone may ask an address."""
    return path in PUBLIC or path.startswith(PUBLIC_BELOW)


def _credential(headers: Headers) -> tuple[str | None, bool]:
    """Find the key that was sent, and whether the browser added it by itself."""
    if (given := headers.get("x-api-key")) is not None:
        return given.strip(), False
    kind, _, token = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return token.strip(), False
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(SESSION_COOKIE)
    except CookieError:
        return None, False
    return (cookie.value, True) if cookie is not None and cookie.value else (None, False)


def _local(scope: Scope, headers: Headers) -> Caller:
    """Admit a caller on this machine to a server without keys.

    The Host header must name this machine too: else a page elsewhere whose name was made to lead here could call.
    """
    if not _is_local(scope, headers):
        raise _unauthorized("this server has no access keys, so it answers this machine alone, as localhost")
    _refuse_other_sites(scope["method"], headers)
    return LOCAL


def _is_local(scope: Scope, headers: Headers) -> bool:
    client = scope.get("client")
    host = urlsplit(f"//{headers.get('host', '')}").hostname if "host" in headers else None
    return client is not None and is_loopback(client[0]) and host is not None and is_loopback(host)


def _refuse_other_sites(method: str, headers: Headers) -> None:
    """Refuse what another site's page made the browser send along with the session (CSRF)."""
    if method in _SAFE_METHODS:
        return
    origin, site = headers.get("origin"), headers.get("sec-fetch-site", "same-origin")
    foreign = origin is not None and urlsplit(origin).netloc != headers.get("host", "")
    if foreign or site not in ("same-origin", "none"):
        raise ApiProblem("forbidden", "this request comes from another site's page; send the key in a header instead")


def _unauthorized(detail: str) -> ApiProblem:
    return ApiProblem("unauthorized", detail, headers={"WWW-Authenticate": 'Bearer realm="gapnlp"'})


def _with_headers(send: Send, extra: Mapping[str, str]) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in extra.items():
                headers[name] = value
        await send(message)

    return sending
