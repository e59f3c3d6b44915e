"""One visitor's request: who they are, in which language, and the token that guards their forms.

The access layer has already found the caller and refused other sites' requests; the token is the second lock, for
browsers that tell no origin.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from hmac import compare_digest

from starlette.requests import Request

from gapnlp.api.access import Caller, caller_of
from gapnlp.api.web.forms import Form
from gapnlp.api.web.wording import choose_ui, load_page_words
from gapnlp.reporting.words import Words

TOKEN_COOKIE = "gapnlp_form"  # noqa: S105 - a name
TOKEN_FIELD = "form_token"  # noqa: S105 - a name
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


class SignInNeeded(Exception):
    """The server has keys and the visitor's session holds none that is valid."""


class Forbidden(Exception):
    """The visitor may not do this. scope: what their key lacks; None: the form did not come from this page."""

    def __init__(self, scope: str | None = None) -> None:
        super().__init__(scope or "form")
        self.scope = scope


@dataclass(frozen=True, slots=True)
class Visit:
    """One request, and what its answer needs.

    caller: None before signing in. token: what the visitor's forms must bring back. form: the fields of a POST, whose
    token was checked.
    """

    request: Request
    words: Words
    caller: Caller | None
    token: str
    form: Form = Form({})

    def need(self, scope: str = "jobs") -> str:
        """Give the visitor's project when their key has a scope. Raises SignInNeeded, Forbidden."""
        if self.caller is None:
            raise SignInNeeded
        if not self.caller.may(scope):
            raise Forbidden(scope)
        return self.caller.project

    def field(self, name: str) -> str:
        """Give a field of the form as text, stripped; empty when it is missing."""
        return self.form.fields.get(name, "").strip()

    @property
    def part(self) -> str | None:
        """Which part of the page the page's own script asks for; None when a browser asks for a page."""
        return self.request.headers.get("x-part")


def begin_visit(request: Request, form: Form | None = None) -> Visit:
    """Find out who is visiting. form: fields of a POST. Raises Forbidden when its token is not the visitor's."""
    token = request.cookies.get(TOKEN_COOKIE, "")
    known = _TOKEN.fullmatch(token) is not None
    if form is not None and not (known and _brings(form, token)):
        raise Forbidden
    words = load_page_words(choose_ui(request))
    return Visit(request, words, caller_of(request), token if known else secrets.token_urlsafe(32), form or Form({}))


def _brings(form: Form, token: str) -> bool:
    return compare_digest(form.fields.get(TOKEN_FIELD, "").encode("utf-8", "replace"), token.encode())
