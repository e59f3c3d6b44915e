"""What the server can say of itself: `/taxonomy`, `/models`, `/healthz`, `/readyz`."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import PlainTextResponse

from gapnlp.api.deps import KEYED, Administrator, Looker, ServerDep
from gapnlp.api.openapi import problems
from gapnlp.api.problems import ApiProblem
from gapnlp.api.schemas_info import Alive, CauseAnswer, ModelAnswer, ModelsAnswer, TaxonomyAnswer, TermAnswer
from gapnlp.api.schemas_jobs import Ui
from gapnlp.errors import GapnlpError
from gapnlp.records.labels import DIMENSIONS, EXPECTATIONS, GAPS, SENTIMENTS
from gapnlp.taxonomy.catalogue import Wording, load_structure, load_wording

router = APIRouter(tags=["about"], dependencies=KEYED)
health = APIRouter(tags=["health"])

_METRIC_TYPES = ("text/plain", "application/openmetrics-text")
_METRICS = 'gapnlp_http_requests_total{method="POST",route="/classify",status="200"} 4711.0\n'


@router.get(
    "/taxonomy",
    summary="Say what is measured",
    response_model=TaxonomyAnswer,
    responses=problems(401, 422, 429, 503),
)
def taxonomy(
    _: Looker, ui: Annotated[Ui, Query(description="language of the words", examples=["pl"])] = "en"
) -> TaxonomyAnswer:
    """Name and explain every dimension, gap, cause, remedy, effect and source of expectations."""
    words, structure = load_wording(ui), load_structure()
    causes = [
        CauseAnswer.model_validate({"gap": c.gap, "remedies": c.remedies, **_term(words, "cause", key)})
        for key, c in structure.causes.items()
    ]
    return TaxonomyAnswer(
        ui=ui,
        dimensions=_terms(words, "dimension", DIMENSIONS),
        gaps=_terms(words, "gap", GAPS),
        causes=causes,
        remedies=_terms(words, "remedy", structure.remedies),
        effects=_terms(words, "effect", structure.effects),
        expectation_sources=_terms(words, "expectation_source", structure.expectation_sources),
        sentiments=_terms(words, "sentiment", SENTIMENTS),
        expectations=_terms(words, "expectation", EXPECTATIONS),
    )


@router.get("/models", summary="List the models", response_model=ModelsAnswer, responses=problems(401, 422, 429, 503))
def models(server: ServerDep, _: Looker) -> ModelsAnswer:
    """List the bundles that texts are scored with, with their versions and headline figures."""
    items = [
        ModelAnswer(
            name=b.name,
            version=b.version,
            kind=b.kind,
            language=b.language,
            quality=b.quality,
            licence=b.licence,
            headline=b.headline,
        )
        for b in server.models.bundles
    ]
    outdated = server.models.fault is not None
    return ModelsAnswer(quality=server.settings.quality, outdated=outdated, items=items)


@health.get("/healthz", summary="Say whether the server is alive", response_model=Alive)
def healthz() -> Alive:
    """Answer as long as the process does; ask /readyz whether it can work."""
    return Alive(version=version("gapnlp"))


@health.get(
    "/readyz",
    summary="Say whether the server can work",
    response_model=Alive,
    responses=problems(503, kinds={503: "not-ready"}),
)
def readyz(server: ServerDep) -> Alive:
    """Answer 200 when models are loaded and database and data folder are usable, else 503."""
    try:
        server.jobs.ready()
    except GapnlpError:
        raise _not_ready("the database or the data folder is not usable") from None
    if server.pool.fault is not None:
        raise _not_ready("the models cannot be loaded")
    if not server.pool.ready:
        raise _not_ready("the models are being loaded")
    return Alive(version=version("gapnlp"))


@router.get(
    "/metrics",
    summary="Give metrics for Prometheus",
    response_class=PlainTextResponse,
    responses={
        200: {
            "description": "the metrics, in the format that the Accept header asks for",
            "content": {m: {"schema": {"type": "string"}, "example": _METRICS} for m in _METRIC_TYPES},
        },
        **problems(401, 403, 429, 503),
    },
)
def metrics(request: Request, _: Administrator) -> Response:
    """Give counts and durations, without names of customers, projects or files. Needs the scope admin."""
    content, media_type = request.app.state.metrics.render(request.headers.get("accept"))
    return Response(content, headers={"Content-Type": media_type})


def _not_ready(detail: str) -> ApiProblem:
    return ApiProblem("not-ready", detail, headers={"Retry-After": "2"})


def _terms(words: Wording, kind: str, keys: Iterable[str]) -> list[TermAnswer]:
    return [TermAnswer(**_term(words, kind, key)) for key in keys]


def _term(words: Wording, kind: str, key: str) -> dict[str, str]:
    term = words.term(kind, key)
    return {"key": key, "name": term.name, "explanation": term.explanation}
