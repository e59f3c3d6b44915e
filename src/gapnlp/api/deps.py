"""What routes ask for: the parts of the server, and a caller whose key allows what they do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request, Security
from fastapi.security import APIKeyHeader, HTTPBearer

from gapnlp.api.access import Caller, caller_of
from gapnlp.api.batching import ScoringPool
from gapnlp.api.memory import AnswerMemory
from gapnlp.api.problems import ApiProblem
from gapnlp.api.reloading import ServedModels
from gapnlp.service.corrections import CorrectionService
from gapnlp.service.jobs import JobService
from gapnlp.settings import Settings

# What OpenAPI says about keys; the access layer has read them by then.
_HEADER = APIKeyHeader(name="X-API-Key", scheme_name="key", description="an access key", auto_error=False)
_BEARER = HTTPBearer(scheme_name="bearer", description="an access key", auto_error=False)


@dataclass(frozen=True, slots=True)
class Server:
    """The parts of the server that routes use; see app.create_app."""

    settings: Settings
    jobs: JobService
    corrections: CorrectionService
    pool: ScoringPool
    memory: AnswerMemory
    models: ServedModels


async def server_of(request: Request) -> Server:
    """Find the parts where the app factory left them; async only so that FastAPI needs no thread for it."""
    state = request.app.state
    return Server(state.settings, state.jobs, state.corrections, state.pool, state.memory, state.models)


def allowed(scope: str | None) -> Callable[[Request], Awaitable[Caller]]:
    """Make the dependency that gives a caller whose key has a scope; None: any valid key will do.

    It raises ApiProblem "forbidden", or "unauthorized" where the access layer found no caller.
    """

    async def check(request: Request) -> Caller:
        caller = caller_of(request)
        if caller is None:
            raise ApiProblem("unauthorized", "an access key is needed", headers={"WWW-Authenticate": "Bearer"})
        if scope is not None and not caller.may(scope):
            raise ApiProblem("forbidden", f"this needs a key with the scope {scope!r}")
        return caller

    check.needed_scope = scope  # type: ignore[attr-defined]
    return check


may_classify, may_use_jobs, may_look = allowed("classify"), allowed("jobs"), allowed(None)
may_administer = allowed("admin")
_SCHEMES = [Security(_HEADER), Security(_BEARER)]

ServerDep = Annotated[Server, Depends(server_of)]
Classifier = Annotated[Caller, Depends(may_classify)]
JobOwner = Annotated[Caller, Depends(may_use_jobs)]
Looker = Annotated[Caller, Depends(may_look)]
Administrator = Annotated[Caller, Depends(may_administer)]
# Put on every router whose routes need a key: says so in OpenAPI.
KEYED = _SCHEMES

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="the same key with the same request gives the same answer, worked on once",
        examples=["9f1c2d3e-try"],
    ),
]
