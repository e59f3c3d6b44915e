"""`/webhooks`: support tools send a ticket and get labels and tags; see docs/webhooks.md for their side."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response, Security
from fastapi.security import APIKeyHeader
from pydantic import BaseModel

from gapnlp.api.deps import Server, ServerDep
from gapnlp.api.guard import ScoringRoute
from gapnlp.api.openapi import REPLAYED, problems
from gapnlp.api.problems import ApiProblem
from gapnlp.api.webhooks.labelling import WebhookAnswer, label
from gapnlp.api.webhooks.payloads import FreshdeskBody, IntercomBody, Ticket, ZendeskBody, read_body
from gapnlp.api.webhooks.signatures import (
    FRESHDESK_HEADER,
    check_freshdesk,
    check_intercom,
    check_intercom_age,
    check_zendesk,
)

router = APIRouter(tags=["webhooks"], route_class=ScoringRoute)

_RESPONSES = {
    200: {"headers": REPLAYED},
    **problems(400, 401, 404, 409, 413, 415, 422, 503, kinds={401: "bad-signature"}),
}
_SIGNED = {
    "zendesk": APIKeyHeader(
        name="X-Zendesk-Webhook-Signature",
        scheme_name="zendesk",
        description="base64(HMAC-SHA256(timestamp + body)), timestamp in X-Zendesk-Webhook-Signature-Timestamp",
        auto_error=False,
    ),
    "intercom": APIKeyHeader(
        name="X-Hub-Signature", scheme_name="intercom", description="sha1=HMAC-SHA1(body)", auto_error=False
    ),
    "freshdesk": APIKeyHeader(
        name=FRESHDESK_HEADER, scheme_name="freshdesk", description="the token itself", auto_error=False
    ),
}


def _described(model: type[BaseModel]) -> dict[str, Any]:
    """Describe a body that is read by the route itself, after its signature was checked."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


@router.post(
    "/webhooks/zendesk",
    summary="Label a Zendesk ticket",
    response_model=WebhookAnswer,
    responses=_RESPONSES,
    openapi_extra=_described(ZendeskBody),
    dependencies=[Security(_SIGNED["zendesk"])],
)
async def zendesk(request: Request, server: ServerDep) -> Response:
    """Take a signed webhook of a Zendesk trigger; the same invocation is worked on once."""
    secrets = _configured(server.settings.zendesk_secrets, "GAPNLP_ZENDESK_SECRETS")
    body = await request.body()
    project = check_zendesk(request.headers, body, secrets)
    ticket = read_body(body, ZendeskBody).ticket()
    digest = hashlib.sha256(body).digest()
    delivery = request.headers.get("x-zendesk-webhook-invocation-id", "")[:200] or digest.hex()
    return await _answer(request, server, ticket, (f"zendesk {project}", delivery), digest)


@router.post(
    "/webhooks/intercom",
    summary="Label an Intercom conversation",
    response_model=WebhookAnswer,
    responses=_RESPONSES,
    openapi_extra=_described(IntercomBody),
    dependencies=[Security(_SIGNED["intercom"])],
)
async def intercom(request: Request, server: ServerDep) -> Response:
    """Take a signed notification of Intercom; the same notification is worked on once."""
    secrets = _configured(server.settings.intercom_secrets, "GAPNLP_INTERCOM_SECRETS")
    body = await request.body()
    project = check_intercom(request.headers, body, secrets)
    sent = read_body(body, IntercomBody)
    check_intercom_age(sent.created_at)
    delivery = (sent.id or hashlib.sha256(body).hexdigest())[:200]
    # A delivery that is tried again counts its attempts in the body, so the notification's id alone tells.
    return await _answer(request, server, sent.ticket(), (f"intercom {project}", delivery), delivery.encode())


@router.api_route("/webhooks/intercom", methods=["HEAD"], include_in_schema=False)
async def intercom_check() -> Response:
    """Answer Intercom, which asks whether the address exists before it takes it."""
    return Response(status_code=200)


@router.post(
    "/webhooks/freshdesk",
    summary="Label a Freshdesk ticket",
    response_model=WebhookAnswer,
    responses=_RESPONSES,
    openapi_extra=_described(FreshdeskBody),
    dependencies=[Security(_SIGNED["freshdesk"])],
)
async def freshdesk(request: Request, server: ServerDep) -> Response:
    """Take the webhook of a Freshdesk automation, known by its token; the same body is worked on once."""
    project = check_freshdesk(request.headers, _configured(server.settings.freshdesk_tokens, "GAPNLP_FRESHDESK_TOKENS"))
    body = await request.body()
    ticket = read_body(body, FreshdeskBody).ticket()
    digest = hashlib.sha256(body).digest()
    return await _answer(request, server, ticket, (f"freshdesk {project}", digest.hex()), digest)


def _configured(secrets: Mapping[str, Any], setting: str) -> Mapping[str, Any]:
    if not secrets:
        raise ApiProblem("not-found", f"this webhook is not set up: set {setting}")
    return secrets


async def _answer(
    request: Request, server: Server, ticket: Ticket | None, key: tuple[str, str], digest: bytes
) -> Response:
    async def work() -> bytes:
        return (await label(server, ticket)).model_dump_json().encode()

    content, replayed = await request.app.state.deliveries.once(key, digest, work)
    headers = {"Idempotent-Replayed": "true"} if replayed else None
    return Response(content, media_type="application/json", headers=headers)
