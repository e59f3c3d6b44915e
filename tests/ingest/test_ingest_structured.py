import json

import pytest

from gapnlp.errors import InputError
from gapnlp.ingest.columns import ColumnOptions
from gapnlp.ingest.intake import read_feedback, recognise
from gapnlp.ingest.structured import flatten
from gapnlp.records.feedback import Failure

REVIEWS = [
    {"reviewId": "r1", "reviewer": {"displayName": "N"}, "starRating": "FIVE", "comment": "Very kind"},
    {
        "reviewId": "r2",
        "reviewer": {"displayName": "M"},
        "starRating": "ONE",
        "comment": "Long queue",
        "updateTime": "2025-03-04T09:00:00Z",
    },
]


def save(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


@pytest.mark.parametrize("wrapped", [REVIEWS, {"reviews": REVIEWS}, {"reviews": REVIEWS, "users": [{"id": 1}]}])
def test_arrays_and_lists_inside_objects(tmp_path, wrapped):
    path = save(tmp_path / "r.json", wrapped)
    assert recognise(path, ColumnOptions()).preset == "Google Business Profile API"
    first, second = read_feedback([path], ColumnOptions())
    assert (first.id, first.text, first.rating, first.source.row) == ("r1", "Very kind", 5, 1)
    assert str(second.date) == "2025-03-04"


def test_app_store_answers(tmp_path):
    data = [
        {
            "type": "customerReviews",
            "id": "a",
            "attributes": {"rating": 2, "title": "Hm", "body": "It froze", "createdDate": "2025-01-02T00:00:00-08:00"},
        }
    ]
    path = save(tmp_path / "a.json", {"data": data, "included": [{"id": "x"}], "links": {"self": "y"}})
    (item,) = read_feedback([path], ColumnOptions())
    assert (item.id, item.text, item.rating, str(item.date)) == ("a", "Hm\nIt froze", 2, "2025-01-02")


def test_zendesk_takes_the_customers_comments_only(tmp_path):
    comments = [
        {"author_id": 7, "body": "Where is my lamp?"},
        {"author_id": 1, "body": "We are looking."},
        {"author_id": 7, "body": "Still nothing."},
    ]
    ticket = {"id": 5, "subject": "Where is my", "description": "Where is my lamp?", "requester_id": 7}
    ticket |= {"satisfaction_rating": {"score": "bad"}, "created_at": "2025-01-01T10:00:00Z", "comments": comments}
    path = save(tmp_path / "z.json", {"tickets": [ticket]})
    (item,) = read_feedback([path], ColumnOptions())
    assert item.text == "Where is my lamp?\nStill nothing."
    assert (item.rating, item.satisfaction) == (0, 0)


def test_without_a_requester_only_the_first_comment_is_taken():
    assert flatten({"comments": [{"body": "Mine"}, {"body": "Theirs"}]}) == {"comments[].body": "Mine"}


def test_flattening():
    nested = {"a": {"b": {"c": 1}}, "tags": ["x", "y"], "list": [{"z": 1}], "none": None}
    assert flatten(nested) == {"a.b.c": 1, "tags": "x, y", "none": None}


def test_lines_that_are_no_objects_are_failures(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"id": "a", "text": "good"}\n\n{"id": "b", "text":\n[1]\n{"id": "c", "text": "late", "new": 1}\n')
    items = list(read_feedback([path], ColumnOptions()))
    assert [item.source.row for item in items] == [1, 3, 4, 5]
    assert "not valid JSON" in items[1].reason
    assert items[2].reason == "is not a JSON object"


def test_numbers_too_long_to_read_are_failures(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"text": "good"}\n{"text": ' + "9" * 5000 + "}\n")
    assert [isinstance(item, Failure) for item in read_feedback([path], ColumnOptions())] == [False, True]


def test_json_lines_under_the_name_of_json(tmp_path):
    path = tmp_path / "t.json"
    path.write_text('{"text": "good"}\n{"text": "late"}\n')
    assert recognise(path, ColumnOptions()).format == "jsonl"
    assert len(list(read_feedback([path], ColumnOptions()))) == 2


@pytest.mark.parametrize(
    "content", ["{", "3", '{"a": [{"b": 1}], "c": [{"d": 1}]}', "[]", "[1, 2]", "{}", "[" * 100_000]
)
def test_what_is_no_list_of_items_is_refused(tmp_path, content):
    path = tmp_path / "t.json"
    path.write_text(content)
    with pytest.raises(InputError, match=r"t\.json"):
        recognise(path, ColumnOptions())
