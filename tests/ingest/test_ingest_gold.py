"""Gold files: what is read, and that a bad line is named."""

from __future__ import annotations

import json

import pytest

from gapnlp.errors import InputError
from gapnlp.ingest.gold import read_gold
from gapnlp.records.analysis import Segment
from gapnlp.records.labels import Labels

SEGMENT = {"start": 0, "end": 9, "sentiment": "neg", "dimensions": {"reliability": "neg"}, "gaps": ["delivery"]}
SEGMENT |= {"expectation": "unmet", "churn": False}
ITEM = {
    "id": "a1",
    "lang": "en",
    "text": "Came late. Very.",
    "segments": [SEGMENT],
    "stratum": "random",
    "domain": "shop",
}


def write(tmp_path, *items, name="gold.jsonl"):
    path = tmp_path / name
    path.write_text("\n".join(x if isinstance(x, str) else json.dumps(x) for x in items), encoding="utf-8")
    return path


def test_an_item_is_read_with_offsets_and_labels(tmp_path):
    (item,) = read_gold(write(tmp_path, ITEM, ""))
    assert (item.id, item.language, item.text) == ("a1", "en", "Came late. Very.")
    assert (item.stratum, item.domain) == ("random", "shop")
    assert item.segments == (Segment(0, 9, "Came late"),)
    assert item.labels == (Labels("neg", {"reliability": "neg"}, ("delivery",), "unmet", False),)


def test_stratum_and_domain_may_be_missing(tmp_path):
    (item,) = read_gold(write(tmp_path, {k: v for k, v in ITEM.items() if k not in ("stratum", "domain")}))
    assert (item.stratum, item.domain) == (None, None)


def test_order_is_kept_and_empty_lines_are_skipped(tmp_path):
    path = write(tmp_path, ITEM, "", {**ITEM, "id": "a2"}, "  ", {**ITEM, "id": "a3", "segments": []})
    assert [i.id for i in read_gold(path)] == ["a1", "a2", "a3"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"sentiment": "angry"}, "sentiment"),
        ({"dimensions": {"speed": "neg"}}, "dimensions"),
        ({"dimensions": {"empathy": "bad"}}, "dimensions"),
        ({"dimensions": ["empathy"]}, "line 2"),
        ({"gaps": ["delivery", "price"]}, "gaps"),
        ({"expectation": "hoped"}, "expectation"),
        ({"start": "0"}, "line 2"),
        ({"start": 5, "end": 5}, "offsets 5 to 5"),
        ({"start": -1}, "offsets -1 to 9"),
        ({"end": 99}, "offsets 0 to 99"),
        ({"end": None}, "line 2"),
    ],
)
def test_a_wrong_segment_is_named_by_line_and_field(tmp_path, change, named):
    path = write(tmp_path, ITEM, {**ITEM, "segments": [{**SEGMENT, **change}]})
    with pytest.raises(InputError, match=r"gold\.jsonl, line 2: ") as error:
        list(read_gold(path))
    assert named in str(error.value)
    assert "Came late" not in str(error.value)


def test_overlapping_segments_are_refused(tmp_path):
    path = write(tmp_path, {**ITEM, "segments": [SEGMENT, {**SEGMENT, "start": 8, "end": 12}]})
    with pytest.raises(InputError, match="overlap"):
        list(read_gold(path))


@pytest.mark.parametrize("field", ["id", "lang", "text", "segments"])
def test_a_missing_field_is_named(tmp_path, field):
    path = write(tmp_path, {k: v for k, v in ITEM.items() if k != field})
    with pytest.raises(InputError, match=f"line 1: field '{field}' is missing"):
        list(read_gold(path))


@pytest.mark.parametrize("field", list(SEGMENT))
def test_a_segment_lacks_a_field(tmp_path, field):
    segment = {k: v for k, v in SEGMENT.items() if k != field}
    with pytest.raises(InputError, match=f"field '{field}' is missing"):
        list(read_gold(write(tmp_path, {**ITEM, "segments": [segment]})))


@pytest.mark.parametrize("line", ["{", "not json", "[1, 2]", '"text"', "3"])
def test_lines_that_hold_no_object_are_refused(tmp_path, line):
    with pytest.raises(InputError, match=r"gold\.jsonl, line 2"):
        list(read_gold(write(tmp_path, ITEM, line)))


def test_files_that_cannot_be_read_are_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        list(read_gold(tmp_path / "nowhere.jsonl"))
    (tmp_path / "latin.jsonl").write_bytes('{"id": "ż"}'.encode("cp1250"))
    with pytest.raises(InputError, match="is not UTF-8"):
        list(read_gold(tmp_path / "latin.jsonl"))
