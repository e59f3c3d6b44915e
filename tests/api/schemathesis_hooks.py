"""What a schema cannot say: which bytes are an export with texts, and how a webhook is signed.

schemathesis makes up requests by the schema; where it means a valid upload, it gets a real one, so that jobs are made
and the addresses behind them are reached. With SIGN_WEBHOOKS set, bodies are signed, so that they are read at all.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import time
from datetime import UTC, datetime

import requests
import schemathesis
from schemathesis.core.parameters import ParameterLocation

EXPORT = (
    b"id,review,date,store\n"
    b"1,The parcel came 5 days late.,2026-01-03,A\n"
    b"2,They replied within 4 minutes.,2026-02-03,B\n"
)
UPLOADS = ("/jobs", "/previews")
OPTIONS = ("period", "ui", "redact", "quality")


class Signed(requests.auth.AuthBase):
    """Signs a webhook the way its sender does."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        made = hmac.digest(b"zendesk-secret", stamp.encode() + body, hashlib.sha256)
        request.headers["X-Zendesk-Webhook-Signature"] = base64.b64encode(made).decode()
        request.headers["X-Zendesk-Webhook-Signature-Timestamp"] = stamp
        request.headers["X-Hub-Signature"] = f"sha1={hmac.new(b'intercom-secret', body, hashlib.sha1).hexdigest()}"
        request.headers["X-Gapnlp-Token"] = "freshdesk-token"
        return request


@schemathesis.hook
def before_call(context, case, kwargs):
    """Put a real export into valid uploads; sign webhooks when asked to."""
    path = case.operation.path
    positive = case.meta is not None and case.meta.generation.mode.is_positive
    if path in UPLOADS and case.method == "POST" and positive and isinstance(case.body, dict):
        fields = {name: (None, str(value)) for name, value in case.body.items() if name in OPTIONS}
        kwargs["files"] = {"file": ("reviews.csv", EXPORT, "text/csv"), **fields}
    unsigned = case.meta is None or case.meta.is_negative_at(ParameterLocation.HEADER)
    if path.startswith("/webhooks/") and os.environ.get("SIGN_WEBHOOKS") and not unsigned:
        kwargs["auth"] = Signed()
        if positive and path.endswith("intercom"):
            case.body["created_at"] = int(time.time())
