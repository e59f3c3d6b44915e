"""`POST /classify`: texts in, labels out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from gapnlp.api.answers import answer
from gapnlp.api.batching import Ask
from gapnlp.api.deps import KEYED, Classifier, IdempotencyKey, Server, ServerDep
from gapnlp.api.guard import ScoringRoute
from gapnlp.api.openapi import REPLAYED, problems
from gapnlp.api.problems import ApiProblem
from gapnlp.api.schemas_classify import ClassifyAnswer, ClassifyRequest, Document, Documents, OneText
from gapnlp.records.feedback import Feedback, Source

router = APIRouter(tags=["classify"], route_class=ScoringRoute, dependencies=KEYED)


@router.post(
    "/classify",
    summary="Say what texts speak of",
    response_model=ClassifyAnswer,
    responses={200: {"headers": REPLAYED}, **problems(400, 401, 403, 409, 413, 415, 422, 429, 503)},
)
async def classify(
    request: Request,
    server: ServerDep,
    caller: Classifier,
    sent: Annotated[ClassifyRequest, Body()],
    key: IdempotencyKey = None,
) -> Response:
    """Label one text, or several, segment by segment: sentiment, dimensions of service quality with polarity, service
    gaps, expectations, churn and causes, each with a calibrated probability and the words that speak for it.

    Texts of requests that arrive together are scored together. When more are waiting than the server holds, it answers
    503 with Retry-After.
    """  # noqa: D205
    asked = _documents(sent)
    _check_lengths(server, asked)

    async def work() -> bytes:
        return (await _classify(server, sent, asked)).model_dump_json(exclude_none=False).encode()

    if key is None:
        return _json(await work())
    digest = hashlib.sha256(await request.body()).digest()
    content, replayed = await server.memory.once((f"classify {caller.project}", key), digest, work)
    return _json(content, {"Idempotent-Replayed": "true"} if replayed else {})


def _documents(sent: OneText | Documents) -> Sequence[Document]:
    if isinstance(sent, Documents):
        return sent.documents
    return [Document(text=sent.text, id=sent.id, language=sent.language)]


def _check_lengths(server: Server, asked: Sequence[Document]) -> None:
    """Check what the settings decide; openapi.py writes the same limits into the description."""
    settings = server.settings
    if len(asked) > settings.classify_documents:
        fault = ("body.documents", f"List should have at most {settings.classify_documents} items")
        raise ApiProblem("invalid-request", "too many documents; send them in several requests", errors=[fault])
    long = [i for i, d in enumerate(asked) if len(d.text) > settings.classify_characters]
    if long:
        what = f"String should have at most {settings.classify_characters} characters"
        faults = [(f"body.documents.{i}.text" if len(asked) > 1 else "body.text", what) for i in long[:20]]
        raise ApiProblem("invalid-request", "a text is too long; cut it into several", errors=faults)


async def _classify(server: Server, sent: OneText | Documents, asked: Sequence[Document]) -> ClassifyAnswer:
    items = [Feedback(str(i), d.text, Source("documents", i), language=d.language) for i, d in enumerate(asked)]
    outcomes = await server.pool.classify([Ask(item, sent.evidence) for item in items])
    results = [
        answer(outcome, id=d.id, offset_unit=sent.offset_unit, all_labels=sent.probabilities)
        for outcome, d in zip(outcomes, asked, strict=True)
    ]
    return ClassifyAnswer(offset_unit=sent.offset_unit, results=results)


def _json(content: bytes, headers: dict[str, str] | None = None) -> Response:
    return Response(content, media_type="application/json", headers=headers)
