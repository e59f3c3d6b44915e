"""The OpenAPI description: problems of every route, limits that settings decide, and what the forms look like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI

from gapnlp.api.problems import KINDS, MEDIA_TYPE, TYPE_PREFIX
from gapnlp.api.schemas import Problem
from gapnlp.api.webhooks.payloads import FreshdeskBody, IntercomBody, ZendeskBody
from gapnlp.settings import Settings

Responses = dict[int | str, dict[str, Any]]

_SECONDS = {"type": "string", "pattern": "^[0-9]+$"}


def _header(description: str, example: str, schema: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"description": description, "schema": dict(schema or {"type": "string"}), "example": example}


RETRY = {"Retry-After": _header("seconds to wait before trying again", "2", _SECONDS)}
REPLAYED = {"Idempotent-Replayed": _header("true: the answer to an earlier request with this key", "true")}
CHALLENGE = {"WWW-Authenticate": _header("how to send a key", 'Bearer realm="gapnlp"')}
LOCATION = {"Location": _header("where to ask how the job is doing", "/jobs/5f0c3a9be2d14c7f8a6b1d2e3f405162"), **RETRY}
# From a new job to all that can be done with it.
JOB_LINKS: Mapping[str, Any] = {
    operation: {"operationId": operation, "parameters": {"job_id": "$response.body#/id"}}
    for operation in ("get_job", "follow_job", "cancel_job", "delete_job", "list_segments")
}
EVENT_STREAM: Mapping[str, Any] = {
    # Of one event, as OpenAPI 3.2 has it for event streams.
    "schema": {
        "type": "object",
        "properties": {
            "event": {"type": "string", "enum": ["progress", "end", "deleted"]},
            "id": {"type": "string", "description": "to be sent as Last-Event-ID"},
            "data": {"type": "string", "contentMediaType": "application/json", "description": "the job"},
        },
        "required": ["event", "id", "data"],
    },
    "example": 'event: progress\nid: running-scoring-1500\ndata: {"state": "running", "rows_done": 1500}\n\n',
}
# What examples of problems say, where a status stands for more than one kind.
_USUAL: Mapping[int, str] = {401: "unauthorized", 422: "invalid-request", 503: "busy"}
_HEADERS: Mapping[int, dict[str, Any]] = {401: CHALLENGE, 429: RETRY, 503: RETRY}
_SAID: Mapping[str, str] = {
    "bad-request": "There was an error parsing the body",
    "unauthorized": "send an access key as X-API-Key or as Authorization: Bearer",
    "bad-signature": "the signature does not fit the body; check the secret",
    "forbidden": "this needs a key with the scope 'jobs'",
    "not-found": "there is no such job in this project",
    "conflict": "the job has not succeeded; its state is 'running'",
    "too-large": "reviews.csv: row 3, column 'text' holds 10,000,000 characters, at most 100,000 are read; shorten it",
    "unsupported-media-type": "send JSON: Content-Type: application/json",
    "range-not-satisfiable": "the file has 1,200 bytes",
    "invalid-request": "1 part(s) of the request are not as described; see errors and /openapi.json",
    "unusable-upload": "reviews.csv: no column is recognised as the customers' text",
    "rate-limited": "600 requests a minute are allowed with one key; go on after 1 s",
    "busy": "256 texts are waiting and no more are taken; try again in 2 s",
    "not-ready": "a part of the server is not usable; try again later",
}


def problems(*statuses: int, kinds: Mapping[int, str] | None = None) -> Responses:
    """Describe the problems that a route answers with. kinds: the kind to show where not the usual one."""
    described: Responses = {}
    for status in statuses:
        name = (kinds or {}).get(status) or _USUAL.get(status) or next(k for k in KINDS if KINDS[k].status == status)
        kind = KINDS[name]
        example = {"type": TYPE_PREFIX + name, "title": kind.title, "status": status, "detail": _SAID[name]}
        described[status] = {
            "description": kind.title,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}},
            **({"headers": _HEADERS[status]} if status in _HEADERS else {}),
        }
    return described


def install_openapi(app: FastAPI, settings: Settings) -> None:
    """Complete the description that FastAPI makes; it is made once, at the first request for it."""
    made = app.openapi

    def complete() -> dict[str, Any]:
        if app.openapi_schema is None:
            description = made()
            _add_models(description)
            _add_limits(description, settings)
            app.openapi_schema = description
        return app.openapi_schema

    app.openapi = complete  # type: ignore[method-assign]


def _add_models(description: dict[str, Any]) -> None:
    """Add the models that routes read or answer with by themselves."""
    schemas = description["components"]["schemas"]
    for model in (Problem, ZendeskBody, FreshdeskBody, IntercomBody):
        own = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(own.pop("$defs", {}))
        schemas[model.__name__] = own
    # FastAPI's own form of errors is never sent.
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)


def _add_limits(description: dict[str, Any], settings: Settings) -> None:
    schemas = description["components"]["schemas"]
    for name in ("Document", "OneText", "TextCorrection"):
        schemas[name]["properties"]["text"]["maxLength"] = settings.classify_characters
    schemas["Documents"]["properties"]["documents"]["maxItems"] = settings.classify_documents
