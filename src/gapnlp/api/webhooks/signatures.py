"""Who sent a webhook, told by its signature: compared in constant time, and refused when it is too old."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from datetime import datetime

from pydantic import SecretStr
from starlette.datastructures import Headers

from gapnlp.api.problems import ApiProblem

# Seconds between sending and arriving; clocks may differ by as much.
ZENDESK_WINDOW = 300
# Intercom's own time says when the event was, and it tries again for a while.
INTERCOM_WINDOW = 3_600
FRESHDESK_HEADER = "X-Gapnlp-Token"

Secrets = Mapping[str, SecretStr]


def check_zendesk(headers: Headers, body: bytes, secrets: Secrets, *, now: float | None = None) -> str:
    """Name the project whose secret signed a Zendesk webhook: base64(HMAC-SHA256(timestamp + body)).

    Raises ApiProblem "bad-signature", also when the timestamp is more than ZENDESK_WINDOW seconds away.
    """
    stamp = headers.get("x-zendesk-webhook-signature-timestamp", "")
    content = stamp.encode("latin-1", errors="replace") + body
    project = _who(
        {p: base64.b64encode(hmac.digest(s, content, hashlib.sha256)) for p, s in _keys(secrets)},
        headers.get("x-zendesk-webhook-signature", ""),
    )
    _check_age(_seconds(stamp), ZENDESK_WINDOW, now)
    return project


def check_intercom(headers: Headers, body: bytes, secrets: Secrets) -> str:
    """Name the project whose client secret signed an Intercom webhook: sha1=HMAC-SHA1(body).

    The age is inside the body: see check_intercom_age. Raises ApiProblem "bad-signature".
    """
    made = {p: b"sha1=" + hmac.digest(s, body, hashlib.sha1).hex().encode() for p, s in _keys(secrets)}
    return _who(made, headers.get("x-hub-signature", ""))


def check_intercom_age(created_at: float, *, now: float | None = None) -> None:
    """Refuse an Intercom event of more than INTERCOM_WINDOW seconds ago. Raises ApiProblem "bad-signature"."""
    _check_age(created_at, INTERCOM_WINDOW, now)


def check_freshdesk(headers: Headers, tokens: Secrets) -> str:
    """Name the project of the token that a Freshdesk automation sends; Freshdesk does not sign.

    Raises ApiProblem "bad-signature".
    """
    return _who(dict(_keys(tokens)), headers.get(FRESHDESK_HEADER, ""))


def _keys(secrets: Secrets) -> list[tuple[str, bytes]]:
    return [(project, secret.get_secret_value().encode()) for project, secret in secrets.items()]


def _who(expected: Mapping[str, bytes], given: str) -> str:
    """Compare with every project's, always all of them, so that the time tells nothing."""
    sent = given.encode("latin-1", errors="replace")
    fitting = [project for project, wanted in expected.items() if hmac.compare_digest(wanted, sent) and wanted]
    if not fitting:
        raise ApiProblem("bad-signature", "the signature is missing or does not fit the body; check the secret")
    return fitting[0]


def _seconds(stamp: str) -> float:
    try:
        return datetime.fromisoformat(stamp).timestamp()
    except (ValueError, OverflowError, OSError):
        raise ApiProblem("bad-signature", "the signature's timestamp cannot be read") from None


def _check_age(seconds: float, window: int, now: float | None) -> None:
    if not abs((time.time() if now is None else now) - seconds) <= window:
        raise ApiProblem("bad-signature", f"this was sent more than {window} s ago, so it is refused as a replay")
