"""Webhooks: who signed them, how old they are, which were there already, and what is answered."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from gapnlp.api.webhooks.markup import plain_text
from gapnlp.api.webhooks.payloads import IntercomBody

SECRETS = {"shop": "first", "hotel": "second"}
TICKET = {"ticket_id": "4711", "subject": "Parcel", "text": "The parcel came 5 days late.", "language": "en"}


@pytest.fixture
def hooked(open_api):
    return open_api(zendesk_secrets=SECRETS, intercom_secrets=SECRETS, freshdesk_tokens=SECRETS)


def zendesk(body: bytes, *, secret="first", at=None, invocation="inv-1", signature=None):
    stamp = (at or datetime.now(UTC)).isoformat(timespec="seconds").replace("+00:00", "Z")
    made = base64.b64encode(hmac.digest(secret.encode(), stamp.encode() + body, hashlib.sha256)).decode()
    return {
        "X-Zendesk-Webhook-Signature": made if signature is None else signature,
        "X-Zendesk-Webhook-Signature-Timestamp": stamp,
        "X-Zendesk-Webhook-Invocation-Id": invocation,
        "Content-Type": "application/json",
    }


def intercom(body: bytes, *, secret="first"):
    made = hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()
    return {"X-Hub-Signature": f"sha1={made}", "Content-Type": "application/json"}


def notification(**changes):
    item = {
        "type": "conversation",
        "id": "77",
        "source": {"body": "<p>The parcel came 5 days late.</p>", "subject": "", "author": {"type": "user"}},
        "conversation_parts": {"conversation_parts": []},
    }
    whole = {"type": "notification_event", "id": "notif_1", "topic": "conversation.user.created"}
    return whole | {"created_at": int(time.time()), "data": {"item": item}, "delivery_attempts": 1} | changes


def post(api, path, body, headers):
    return api.client.post(path, content=body, headers=headers)


def test_a_zendesk_ticket_is_labelled_and_tagged(hooked):
    body = json.dumps(TICKET).encode()
    answered = post(hooked, "/webhooks/zendesk", body, zendesk(body))
    assert answered.status_code == 200, answered.text
    told = answered.json()
    assert (told["ticket_id"], told["status"], told["cut"]) == ("4711", "labelled", False)
    assert {"gap_delivery", "reliability_neg", "sentiment_neg"} <= set(told["tags"])
    assert all(tag.replace("_", "").isalnum() and tag.isascii() for tag in told["tags"])
    assert told["result"]["segments"][-1]["text"] == "The parcel came 5 days late."


def test_the_example_in_the_docs_is_signed_as_zendesk_says():
    # From Zendesk's page on verifying webhooks: base64(HMAC-SHA256(timestamp + body)).
    made = zendesk(b'{"a":1}', secret="s", at=datetime(2021, 3, 25, 5, 9, 27, tzinfo=UTC))
    by_hand = base64.b64encode(hmac.digest(b"s", b'2021-03-25T05:09:27Z{"a":1}', "sha256")).decode()
    assert made["X-Zendesk-Webhook-Signature"] == by_hand


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": "third"},
        {"signature": ""},
        {"signature": "AAAA"},
        {"signature": "ż"},
        {"at": datetime.now(UTC) - timedelta(hours=3)},
        {"at": datetime.now(UTC) + timedelta(hours=3)},
    ],
)
def test_a_wrong_or_old_zendesk_signature_is_refused(hooked, wrong):
    body = json.dumps(TICKET).encode()
    headers = {k: v.encode() for k, v in zendesk(body, **wrong).items()}
    answered = post(hooked, "/webhooks/zendesk", body, headers)
    assert (answered.status_code, answered.json()["type"]) == (401, "urn:gapnlp:problem:bad-signature")


def test_a_signature_is_of_one_body_and_one_time(hooked):
    body = json.dumps(TICKET).encode()
    headers = zendesk(body)
    assert post(hooked, "/webhooks/zendesk", body + b" ", headers).status_code == 401
    for stamp in ("", "yesterday", "2021-03-25T05:09:27Z", "99999-01-01T00:00:00Z"):
        later = {**headers, "X-Zendesk-Webhook-Signature-Timestamp": stamp}
        assert post(hooked, "/webhooks/zendesk", body, later).status_code == 401


def test_a_duplicate_is_answered_once(hooked):
    scored = []
    hooked.app.state.pool.on_batch = scored.append
    body = json.dumps(TICKET).encode()
    first = post(hooked, "/webhooks/zendesk", body, zendesk(body))
    again = post(hooked, "/webhooks/zendesk", body, zendesk(body, at=datetime.now(UTC) + timedelta(seconds=5)))
    assert first.content == again.content
    assert (again.headers["Idempotent-Replayed"], scored) == ("true", [1])
    other_project = post(hooked, "/webhooks/zendesk", body, zendesk(body, secret="second"))
    assert "Idempotent-Replayed" not in other_project.headers
    changed = json.dumps({**TICKET, "text": "They replied within 4 minutes."}).encode()
    assert post(hooked, "/webhooks/zendesk", changed, zendesk(changed)).status_code == 409


def test_an_intercom_conversation_is_labelled(hooked):
    body = json.dumps(notification()).encode()
    told = post(hooked, "/webhooks/intercom", body, intercom(body)).json()
    assert (told["ticket_id"], told["status"]) == ("77", "labelled")
    assert "gap_delivery" in told["tags"]
    # Tried again, with another count of attempts: the same notification.
    body = json.dumps(notification(delivery_attempts=2)).encode()
    assert post(hooked, "/webhooks/intercom", body, intercom(body)).headers["Idempotent-Replayed"] == "true"


def test_the_customers_last_message_is_taken():
    parts = [
        {"body": "<p>First</p>", "author": {"type": "user"}},
        {"body": "<p>Last &amp; worst<br>of all</p>", "author": {"type": "lead"}},
        {"body": "<p>We are sorry</p>", "author": {"type": "admin"}},
        {"body": None, "author": {"type": "user"}},
    ]
    told = notification(topic="conversation.user.replied")
    told["data"]["item"]["conversation_parts"] = {"conversation_parts": parts}
    ticket = IntercomBody.model_validate(told).ticket()
    assert (ticket.id, ticket.text) == ("77", "Last & worst\nof all")


@pytest.mark.parametrize(
    "changes",
    [
        {"topic": "ping", "data": {"item": {"type": "ping", "message": "hello"}}},
        {"topic": "conversation.admin.replied"},
        {"data": {"item": {"type": "conversation", "id": 5, "source": {"body": "<p> </p>"}}}},
        {"data": {"item": {"type": "conversation"}}},
    ],
)
def test_an_event_without_a_customers_message_is_ignored(hooked, changes):
    body = json.dumps(notification(**changes)).encode()
    answered = post(hooked, "/webhooks/intercom", body, intercom(body))
    assert (answered.status_code, answered.json()["status"], answered.json()["tags"]) == (200, "ignored", [])


def test_a_wrong_or_old_intercom_notification_is_refused(hooked):
    body = json.dumps(notification()).encode()
    for headers in (intercom(body, secret="third"), intercom(body + b" "), {"Content-Type": "application/json"}):
        assert post(hooked, "/webhooks/intercom", body, headers).status_code == 401
    for created in (int(time.time()) - 4_000, 0, 1e300):
        body = json.dumps(notification(created_at=created)).encode()
        assert post(hooked, "/webhooks/intercom", body, intercom(body)).status_code == 401
    body = json.dumps(notification()).replace(str(int(time.time()))[:4], "NaN ", 1).encode()
    assert post(hooked, "/webhooks/intercom", body, intercom(body)).status_code in (400, 401, 422)


def test_intercom_may_ask_whether_the_address_is_there(hooked):
    assert hooked.client.head("/webhooks/intercom").status_code == 200


def test_a_freshdesk_ticket_is_labelled(hooked):
    body = json.dumps({**TICKET, "text": "<div>The parcel came 5 days late.</div>", "ticket_id": 4711}).encode()
    headers = {"X-Gapnlp-Token": "first", "Content-Type": "application/json"}
    told = post(hooked, "/webhooks/freshdesk", body, headers).json()
    assert (told["ticket_id"], told["status"]) == ("4711", "labelled")
    assert post(hooked, "/webhooks/freshdesk", body, headers).headers["Idempotent-Replayed"] == "true"
    for token in ("", "third", "firs", "first "):
        headers = {"X-Gapnlp-Token": token + "x", "Content-Type": "application/json"}
        assert post(hooked, "/webhooks/freshdesk", body, headers).status_code == 401


def test_an_empty_secret_lets_nobody_in(open_api):
    api = open_api(freshdesk_tokens={"shop": ""}, zendesk_secrets={})
    body = json.dumps(TICKET).encode()
    assert post(api, "/webhooks/freshdesk", body, {"Content-Type": "application/json"}).status_code == 401
    answered = post(api, "/webhooks/zendesk", body, zendesk(body))
    assert (answered.status_code, "GAPNLP_ZENDESK_SECRETS" in answered.json()["detail"]) == (404, True)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"ticket_id": "1"}', b'{"ticket_id": {}, "text": 5}', b"[" * 90_000]
)
def test_a_body_that_is_no_ticket_is_refused(hooked, body):
    answered = post(hooked, "/webhooks/zendesk", body, zendesk(body))
    assert answered.status_code in (400, 422)
    assert answered.headers["content-type"] == "application/problem+json"


def test_line_breaks_that_a_template_left_in_are_let_through(hooked):
    body = b'{"ticket_id": "1", "subject": "", "text": "The parcel came\n5 days late.\t"}'
    assert post(hooked, "/webhooks/zendesk", body, zendesk(body)).json()["status"] == "labelled"


def test_what_cannot_be_labelled_says_why(hooked):
    body = json.dumps(
        {**TICKET, "subject": "", "text": "Das Paket kam leider viel zu spät an, niemand hilft."}
    ).encode()
    told = post(hooked, "/webhooks/zendesk", body, zendesk(body)).json()
    assert (told["status"], told["tags"], told["result"]["error"]["code"]) == ("not_labelled", [], "unsupported")


def test_a_long_text_is_cut_and_that_is_told(open_api):
    api = open_api(zendesk_secrets=SECRETS, classify_characters=40)
    body = json.dumps({**TICKET, "text": "The parcel came 5 days late. " * 10}).encode()
    told = post(api, "/webhooks/zendesk", body, zendesk(body)).json()
    assert (told["status"], told["cut"]) == ("labelled", True)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("<p>One &lt;two&gt;</p><p>three</p>", "One <two>\nthree"),
        ("plain\ntext, 3 < 4", "plain\ntext, 3 < 4"),
        ("<style>p {}</style><div>seen<script>no()</script></div>", "seen"),
        ("<ul><li>a</li><li>b</li></ul>", "a\nb"),
        ("", ""),
    ],
)
def test_the_text_of_a_message_is_found(message, text):
    assert plain_text(message) == text
