"""`/corrections`: what is taken, what is refused, and what comes out."""

from __future__ import annotations

import json

import pytest

from gapnlp.errors import StoreError

TEXT = {"text": "The parcel came 5 days late.", "ticket": "4711", "labels": {"gaps": ["delivery"], "churn": False}}


@pytest.fixture
def shop(open_api):
    """An app with a key for each scope."""
    api = open_api()
    for scope in ("classify", "jobs", "admin"):
        api.keys.add(scope, "shop", scope)
    return api


def post(api, sent, key="classify", **headers):
    return api.client.post("/corrections", json=sent, headers={"X-API-Key": key, **headers})


def test_a_text_is_corrected_and_exported(shop):
    said = {"version": "m-1", "sentiment": "pos", "dimensions": {"empathy": "pos"}}
    answered = post(shop, {**TEXT, "language": "en", "model": said})
    assert answered.status_code == 201
    told = answered.json()
    assert (told["who"], told["model_version"]) == ("classify", "m-1")
    assert told["labels"]["gap:delivery"] is True
    assert told["labels"]["churn"] is False
    assert not [label for label in told["labels"] if label.startswith("sentiment")]
    assert "parcel" not in answered.text
    exported = shop.client.get("/corrections.jsonl", headers={"X-API-Key": "jobs"})
    assert exported.headers["content-type"].startswith("application/x-ndjson")
    line = json.loads(exported.text)
    assert (line["text"], line["ticket"], line["annotator"]) == (TEXT["text"], "4711", "classify")
    assert line["model_labels"]["dimensions"] == {"empathy": "pos"}


def test_a_segment_of_a_job_is_corrected_with_its_own_text(shop):
    job = shop.jobs.add("shop", "succeeded")
    answered = post(shop, {"job": job.id, "segment": 1, "labels": {"sentiment": "neu"}})
    assert answered.status_code == 201
    (kept,) = shop.corrections.kept.values()
    assert (kept.text, kept.job, kept.segment, kept.row) == ("The parcel came 5 days late.", job.id, 1, 2)
    assert kept.model_labels.gaps == ("delivery",)
    assert kept.model_version == answered.json()["model_version"] == "small-1"


def test_segments_say_their_place(shop):
    job = shop.jobs.add("shop", "succeeded")
    (item,) = shop.client.get(f"/reports/{job.id}/segments", headers={"X-API-Key": "jobs"}).json()["items"]
    assert (item["place"], item["model_version"]) == (1, "small-1")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({**TEXT, "labels": {}}, 422),
        ({**TEXT, "labels": {"sentiment": None}}, 422),
        ({**TEXT, "text": " "}, 422),
        ({**TEXT, "text": "x" * 1_000_000}, 422),
        ({**TEXT, "labels": {"gaps": ["nothing"]}}, 422),
        ({**TEXT, "labels": {"dimensions": {"reliability": "mixed"}}}, 422),
        ({**TEXT, "labels": {"unknown": 1}}, 422),
        ({**TEXT, "who": "somebody else"}, 422),
        ({"labels": {"churn": True}}, 422),
        ({"job": "f" * 32, "segment": 1, "labels": {"churn": True}}, 404),
        ({"job": "../x", "segment": 1, "labels": {"churn": True}}, 422),
    ],
)
def test_what_cannot_be_kept_is_a_problem_without_the_text(shop, sent, status):
    answered = post(shop, sent)
    assert answered.status_code == status
    assert answered.headers["content-type"] == "application/problem+json"
    assert "parcel" not in answered.text
    assert shop.corrections.kept == {}


def test_a_job_without_results_or_without_the_segment_is_a_problem(shop):
    for state, segment, status in (("running", 1, 409), ("succeeded", 2, 404)):
        job = shop.jobs.add("shop", state)
        assert post(shop, {"job": job.id, "segment": segment, "labels": {"churn": True}}).status_code == status


def test_the_same_request_is_kept_once(shop):
    first = post(shop, TEXT, **{"Idempotency-Key": "k"})
    again = post(shop, TEXT, **{"Idempotency-Key": "k"})
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first.json() == again.json()
    assert len(shop.corrections.kept) == 1


def test_scopes(shop):
    assert post(shop, TEXT, key="jobs").status_code == 403
    assert post(shop, TEXT, key="admin").status_code == 201
    kept = next(iter(shop.corrections.kept))
    for key, export, removal in (("classify", 403, 403), ("jobs", 200, 204)):
        headers = {"X-API-Key": key}
        assert shop.client.get("/corrections.jsonl", headers=headers).status_code == export
        assert shop.client.delete(f"/corrections/{kept}", headers=headers).status_code == removal


def test_without_keys_it_is_the_local_caller_who_corrects(api):
    assert api.client.post("/corrections", json=TEXT).json()["who"] == "local"


def test_other_content_is_refused(shop):
    headers = {"X-API-Key": "classify", "Content-Type": "text/plain"}
    assert shop.client.post("/corrections", content="x", headers=headers).status_code == 415


@pytest.mark.parametrize("body", ['{"text": "The parcel', "parcel", '{"text": "parcel",}'])
def test_broken_json_cannot_be_read(shop, body):
    headers = {"X-API-Key": "classify", "Content-Type": "application/json"}
    answered = shop.client.post("/corrections", content=body, headers=headers)
    assert (answered.status_code, answered.json()["type"]) == (400, "urn:gapnlp:problem:bad-request")
    assert "parcel" not in answered.text


def test_a_database_that_is_away_is_not_ready(shop):
    shop.corrections.fault = StoreError("away")
    answered = post(shop, TEXT)
    assert answered.status_code == 503
    assert answered.headers["Retry-After"]
