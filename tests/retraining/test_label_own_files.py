"""What gapnlp gave out comes back filled in: from its table, from two tools, and from a server's corrections."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gapnlp.errors import InputError
from gapnlp.records.corrections import GivenLabels
from gapnlp.records.labels import HEADS, LABELS, Labels
from gapnlp.records.review import ReviewSegment, ReviewTask
from gapnlp.retraining.labels.dataset import LabelledRows, read_labelled
from gapnlp.retraining.labels.mapping import LabelMapping
from gapnlp.retraining.labels.named import LabelOptions
from gapnlp.retraining.review_files import write_review
from gapnlp.retraining.training.rows import settle
from gapnlp.service.corrections import new_correction, tell_correction
from tests.retraining.labelled_samples import as_csv, as_json, as_jsonl

GIVEN = GivenLabels("mixed", {"reliability": "neg", "empathy": "pos"}, ("delivery", "policy"), "unmet", True)
NOTHING = GivenLabels("neu", {}, (), "none", False)
# What the tools export: question -> values chosen; questions without an answer are left out.
CHOSEN = (
    {
        "sentiment": ["mixed"],
        "dimensions": ["reliability:neg", "empathy:pos"],
        "gaps": ["delivery", "policy"],
        "expectation": ["unmet"],
        "churn": ["yes"],
    },
    {"sentiment": ["neu"]},
)
TEXTS = ("- a kind courier, five days late: I am off.", "We were there.", "Nobody looked at this one.")
# The model says of all of them what nobody else does, so suggestions that are read as labels are noticed.
SUGGESTED = Labels("pos", {"tangibles": "pos"}, (), "met")


def tasks() -> list[ReviewTask]:
    return [
        ReviewTask(
            ReviewSegment(
                f"r{n}", "t.csv", n + 2, 0, 3, 3 + len(text), text, "", "", "en", SUGGESTED, (0.5,) * len(LABELS), "m-1"
            ),
            "uncertain",
        )
        for n, text in enumerate(TEXTS)
    ]


def table(folder: Path, done: str = "x", **changes: str) -> Path:
    (path,) = write_review(folder / "review.csv", tasks(), "csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row, chosen in zip(rows, CHOSEN, strict=False):
        row.update({column: "; ".join(values) for column, values in chosen.items()} | {"done": done})
    rows[0].update(changes)
    return as_csv(path, list(rows[0]), [list(row.values()) for row in rows])


def label_studio(folder: Path) -> Path:
    path = write_review(folder / "tasks.json", tasks(), "label-studio")[0]
    exported = json.loads(path.read_text("utf-8"))
    for n, task in enumerate(exported):
        task |= {"id": n + 1, "annotations": []}
    for task, chosen in zip(exported, CHOSEN, strict=False):
        result = [{"type": "choices", "from_name": q, "value": {"choices": v}} for q, v in chosen.items()]
        task["annotations"] = [{"completed_by": 7, "was_cancelled": False, "result": result}]
    return as_json(path, exported)


def label_studio_min(folder: Path) -> Path:
    exported = json.loads(write_review(folder / "tasks.json", tasks(), "label-studio")[0].read_text("utf-8"))
    rows = [
        task["data"]
        | {"id": n, "annotation_id": n, "annotator": 7}
        | {q: {"choices": v} if len(v) > 1 else v[0] for q, v in chosen.items()}
        for n, (task, chosen) in enumerate(zip(exported, CHOSEN, strict=False))
    ]
    return as_json(folder / "min.json", rows)


def argilla(folder: Path) -> Path:
    path = write_review(folder / "records.json", tasks(), "argilla")[0]
    exported = json.loads(path.read_text("utf-8"))
    several = ("dimensions", "gaps")
    for record, chosen in zip(exported, CHOSEN, strict=False):
        record["responses"] = {q: [{"value": v if q in several else v[0], "user_id": "7"}] for q, v in chosen.items()}
    return as_json(path, exported)


def corrections(folder: Path) -> Path:
    made = [
        new_correction("p", "7", given, text=text, ticket=f"r{n}")
        for n, (given, text) in enumerate(zip((GIVEN, NOTHING), TEXTS, strict=False))
    ]
    return as_jsonl(folder / "gapnlp-corrections.jsonl", [tell_correction(c) for c in made])


FILES = {f.__name__: f for f in (table, label_studio, label_studio_min, argilla, corrections)}


def read(*paths: Path, mapping: LabelMapping | None = None, **options) -> LabelledRows:
    return read_labelled(paths, mapping, LabelOptions(**options))


@pytest.fixture(params=FILES)
def own(request, tmp_path) -> Path:
    return FILES[request.param](tmp_path)


def test_every_own_file_says_the_same_without_a_mapping(own):
    data = read(own)
    assert [(f.format, f.own) for f in data.files] == [("gapnlp", True)]
    assert [dict(t.given) for t in data.tickets] == [GIVEN.judged(), NOTHING.judged()]
    assert all(set(t.given) == set(HEADS) for t in data.tickets)
    assert [(t.ticket, t.text) for t in data.tickets] == [("r0", TEXTS[0]), ("r1", TEXTS[1])]
    assert data.mapping.confirmed and data.unmapped == {}


def test_what_nobody_labelled_is_counted_and_not_used(tmp_path):
    for make in (table, label_studio, argilla):
        (failure,) = read(make(tmp_path)).failures
        assert failure.kind == "empty" and failure.source.row in (3, 4)


def test_the_place_in_the_data_is_the_id_and_annotators_are_kept(own):
    tickets = read(own).tickets
    if own.name.endswith("jsonl"):
        assert len({t.id for t in tickets}) == 2
    else:
        assert [t.id for t in tickets] == [f"t.csv:{n + 2}:3-{3 + len(TEXTS[n])}" for n in range(2)]
    assert {t.annotator for t in tickets} == {None if own.name == "review.csv" else "7"}


def test_a_row_counts_only_when_it_is_done(tmp_path):
    for undone in ("", "no", "0"):
        assert read(table(tmp_path, done=undone)).tickets == ()
    for done in ("yes", "ok", "1", "kim"):
        assert len(read(table(tmp_path, done=done)).tickets) == 2


def test_an_empty_cell_means_none_and_no_sentiment_is_left_open(tmp_path):
    first = read(table(tmp_path, sentiment="", dimensions="", churn="")).tickets[0]
    assert {k for k, v in first.given.items() if v} == {"gap:delivery", "gap:policy", "expectation:unmet"}
    assert set(HEADS) - set(first.given) == {f"sentiment:{s}" for s in ("neg", "neu", "pos", "mixed")}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"gaps": "secret"}, "gap is not one of"), ({"dimensions": "empathy:neg; empathy:pos"}, "twice")],
)
def test_a_cell_that_is_no_label_is_named_and_stops_nothing(tmp_path, changes, reason):
    data = read(table(tmp_path, **changes))
    assert len(data.tickets) == 1
    assert reason in data.failures[0].reason and "secret" not in data.failures[0].reason
    assert data.failures[0].source.row == 2


def test_an_answer_without_a_sentiment_is_a_draft(tmp_path):
    path = argilla(tmp_path)
    records = json.loads(path.read_text("utf-8"))
    del records[0]["responses"]["sentiment"]
    data = read(as_json(path, records))
    assert len(data.tickets) == 1 and "not complete" in data.failures[0].reason


def test_a_correction_that_judges_little_masks_the_rest(tmp_path):
    little = new_correction("p", "kim", GivenLabels(gaps=("delivery",)), text="It took nine days.")
    line = tell_correction(little) | {"language": "pl"}
    odd = tell_correction(little) | {"given": {"gap:price": True}}
    data = read(as_jsonl(tmp_path / "c.jsonl", [line, odd]))
    (ticket,) = data.tickets
    assert dict(ticket.given) == GivenLabels(gaps=("delivery",)).judged()
    assert ticket.language == "pl"  # as the server was told; a short text tells less
    assert "does not know" in data.failures[0].reason
    assert datetime.fromisoformat(line["created"]) <= datetime.now(UTC)


def test_several_people_who_corrected_the_same_are_settled_by_majority(tmp_path):
    said = (("kim", True, "neg"), ("piotr", False, "neg"), ("li", False, "pos"))
    made = [
        new_correction("p", who, GivenLabels(sentiment=sentiment, churn=churn), text=TEXTS[0], ticket="r1")
        for who, churn, sentiment in said
    ]
    of_segments = [replace(c, job="f" * 32, segment=7) for c in made]
    other_text = replace(made[0], job="f" * 32, segment=8, text=TEXTS[1])
    lines = [tell_correction(c) for c in (*made, *of_segments, other_text)]
    data = read(as_jsonl(tmp_path / "c.jsonl", lines))
    text, segment, other = settle(data.tickets)
    for settled in (text, segment):
        assert (settled.given["churn"], settled.given["sentiment:neg"]) == (False, True)
    assert (other.given["churn"], other.annotator) == (True, "kim")


def test_other_labels_still_need_a_mapping_beside_own_ones(tmp_path):
    other = as_csv(tmp_path / "other.csv", ["ticket id", "text", "label"], [["o1", "It came two days late.", "late"]])
    with pytest.raises(InputError, match=r"other\.csv.*gapnlp labels map"):
        read(table(tmp_path), other)
    data = read(table(tmp_path), other, mapping=LabelMapping({"late": ("gap:delivery",)}))
    assert [t.ticket for t in data.tickets] == ["r0", "r1", "o1"]
    assert dict(data.tickets[2].given) == {"gap:delivery": True}
    assert not data.mapping.confirmed and data.unmapped == {}


def test_the_format_can_be_overruled(tmp_path):
    data = read(label_studio(tmp_path), mapping=LabelMapping({"gaps: policy": ("gap:policy",)}), format="label_studio")
    assert [dict(t.given) for t in data.tickets] == [{"gap:policy": True}]
