"""POST /classify: what is answered, per text; limits; the same request twice."""

from __future__ import annotations

import json

import pytest

from gapnlp.records.labels import LABELS

LATE = "The parcel came 5 days late. I called 3 times and nobody answered."
PROMISED = "They promised 4 o'clock and nobody came."


def ask(api, body, **headers):
    return api.client.post("/classify", json=body, headers=headers)


def test_one_text_gets_labels_with_probabilities_and_evidence(api):
    answered = ask(api, {"text": LATE, "id": "t1"})
    assert answered.status_code == 200
    [result] = answered.json()["results"]
    assert (result["status"], result["id"], result["language"], result["sentiment"]) == ("ok", "t1", "en", "neg")
    assert [g["gap"] for g in result["gaps"]] == ["delivery"]
    assert {d["dimension"]: d["polarity"] for d in result["dimensions"]}["reliability"] == "neg"
    assert result["model_version"].startswith("linear-en-")
    assert 0 < result["gaps"][0]["probability"] <= 1
    assert result["abstained"] in (True, False)
    first, second = result["segments"]
    assert LATE[first["start"] : first["end"]] == first["text"] == "The parcel came 5 days late."
    for segment in (first, second):
        for label in (segment["sentiment"], *segment["gaps"], *segment["dimensions"]):
            for spot in label["evidence"]:
                assert segment["start"] <= spot["start"] < spot["end"] <= segment["end"]
    assert first["gaps"][0]["evidence"]
    assert first["probabilities"] is None


def test_documents_are_answered_one_by_one_in_order(api):
    documents = [
        {"id": "a", "text": "They replied within 4 minutes."},
        {"id": "b", "text": "!!! 12345"},
        {"id": "c", "text": "Das Paket kam leider viel zu spät an, niemand hat geantwortet und es war kaputt."},
        {"id": "d", "text": "Paczka przyszła 3 dni po terminie.", "language": "pl"},
        {"id": "a", "text": "打了3次电话都没有人接。"},
    ]
    results = ask(api, {"documents": documents}).json()["results"]
    assert [r["id"] for r in results] == ["a", "b", "c", "d", "a"]
    assert [r["status"] for r in results] == ["ok", "error", "error", "ok", "ok"]
    assert results[1]["error"]["code"] == "empty"
    assert (results[2]["error"]["code"], results[2]["error"]["language"]) == ("unsupported", "de")
    assert [results[i]["language"] for i in (0, 3, 4)] == ["en", "pl", "zh"]


def test_a_text_is_answered_alike_alone_and_among_others(api):
    alone = ask(api, {"text": LATE}).json()["results"][0]
    among = ask(api, {"documents": [{"text": PROMISED}, {"text": LATE}, {"text": "包裹晚了3天才送到。"}]})
    assert among.json()["results"][1] == alone


def test_offsets_count_what_was_asked_for(api):
    text = "😀😀 Great. The parcel came 5 days late."
    points = ask(api, {"text": text}).json()["results"][0]["segments"][-1]
    units = ask(api, {"text": text, "offset_unit": "utf16"}).json()
    last = units["results"][0]["segments"][-1]
    assert units["offset_unit"] == "utf16"
    assert text[points["start"] : points["end"]] == points["text"]
    assert last["start"] == points["start"] + 2
    as_javascript_has_it = text.encode("utf-16-le")
    assert as_javascript_has_it[2 * last["start"] : 2 * last["end"]].decode("utf-16-le") == points["text"]
    spot, wide = points["gaps"][0]["evidence"][0], last["gaps"][0]["evidence"][0]
    assert (wide["start"], wide["end"]) == (spot["start"] + 2, spot["end"] + 2)


def test_evidence_can_be_left_out_and_all_probabilities_asked_for(api):
    [result] = ask(api, {"text": LATE, "evidence": False, "probabilities": True}).json()["results"]
    segment = result["segments"][0]
    assert segment["gaps"][0]["evidence"] == []
    assert set(segment["probabilities"]) == set(LABELS)
    assert segment["probabilities"]["gap:delivery"] == segment["gaps"][0]["probability"]


@pytest.mark.parametrize(
    ("body", "location"),
    [
        ({}, "body.text"),
        ({"text": ""}, "body.text"),
        ({"text": 5}, "body.text"),
        ({"text": "a", "evidence": "yes"}, "body.evidence"),
        ({"text": "a", "language": "de"}, "body.language"),
        ({"text": "a", "documents": []}, "body.text"),
        ({"documents": [{"text": "a"}, {"txt": "a"}]}, "body.documents.1.text"),
        ({"text": "a", "colour": "red"}, "body.colour"),
        ({"text": "\ud800"}, "body.text"),
        ({"text": "a", "\ud800": 1}, "body"),
        ([], "body"),
    ],
)
def test_what_is_not_as_described_is_named(api, body, location):
    content = json.dumps(body)
    answered = api.client.post("/classify", content=content, headers={"Content-Type": "application/json"})
    assert answered.status_code == 422, answered.text
    problem = answered.json()
    assert problem["type"] == "urn:gapnlp:problem:invalid-request"
    assert location in [e["location"] for e in problem["errors"]], problem["errors"]


def test_lengths_are_bounded_and_the_bounds_are_declared(open_api):
    api = open_api(classify_characters=50, classify_documents=2)
    schemas = api.client.get("/openapi.json").json()["components"]["schemas"]
    assert schemas["OneText"]["properties"]["text"]["maxLength"] == 50
    assert schemas["Documents"]["properties"]["documents"]["maxItems"] == 2
    assert ask(api, {"text": "a" * 50}).status_code == 200
    long = ask(api, {"documents": [{"text": "ok"}, {"text": "a" * 51}]})
    assert (long.status_code, long.json()["errors"]) == (
        422,
        [{"location": "body.documents.1.text", "detail": "String should have at most 50 characters"}],
    )
    many = ask(api, {"documents": [{"text": "ok"}] * 3})
    assert many.json()["errors"][0]["location"] == "body.documents"


def test_a_body_that_is_too_large_is_refused_before_it_is_read(open_api):
    api = open_api(classify_characters=100, classify_documents=1)
    assert ask(api, {"text": "a" * 200_000}).status_code == 413

    def slowly():
        for _ in range(50):
            yield b" " * 10_000

    answered = api.client.post("/classify", content=slowly(), headers={"Content-Type": "application/json"})
    assert (answered.status_code, answered.headers["content-type"]) == (413, "application/problem+json")


@pytest.mark.parametrize("body", [b'{"text": ', b"\xff\xfe", b"[" * 100_000, b'{"text": ' + b"9" * 5_000 + b"}"])
def test_what_is_no_json_is_refused(api, body):
    answered = api.client.post("/classify", content=body, headers={"Content-Type": "application/json"})
    assert answered.status_code in (400, 422)
    assert answered.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", ""])
def test_other_content_than_json_is_refused(api, kind):
    answered = api.client.post("/classify", content=b'{"text": "ok"}', headers={"Content-Type": kind})
    assert answered.status_code == 415


def test_the_same_key_gives_the_same_answer_once(api):
    scored = []
    api.app.state.pool.on_batch = scored.append
    first = ask(api, {"text": LATE}, **{"Idempotency-Key": "k1"})
    again = ask(api, {"text": LATE}, **{"Idempotency-Key": "k1"})
    assert first.content == again.content
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert scored == [1]
    other = ask(api, {"text": PROMISED}, **{"Idempotency-Key": "k1"})
    assert (other.status_code, other.json()["type"]) == (409, "urn:gapnlp:problem:conflict")


def test_keys_of_two_projects_do_not_meet(open_api):
    api = open_api()
    one, two = api.keys.add("s1", "shop"), api.keys.add("s2", "hotel")
    ask(api, {"text": LATE}, **{"Idempotency-Key": "k", "X-API-Key": one})
    other = ask(api, {"text": PROMISED}, **{"Idempotency-Key": "k", "X-API-Key": two})
    assert (other.status_code, "Idempotent-Replayed" in other.headers) == (200, False)


@pytest.mark.parametrize("key", ["a" * 201, "with space"])
def test_a_key_that_is_none_is_refused(api, key):
    assert ask(api, {"text": LATE}, **{"Idempotency-Key": key}).status_code == 422


def test_no_answer_repeats_what_was_sent_wrong(api):
    answered = ask(api, {"text": "Krystyna lives at 5 High Street", "evidence": "Krystyna"})
    assert answered.status_code == 422
    assert "Krystyna" not in answered.text
