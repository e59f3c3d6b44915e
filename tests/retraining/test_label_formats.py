"""Every format of labelled files says the same of the same tickets; bad rows are named and stop nothing."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gapnlp.errors import InputError
from gapnlp.records.feedback import Failure
from gapnlp.retraining.labels.dataset import describe_file, read_labelled
from gapnlp.retraining.labels.formats import FORMATS, OWN
from gapnlp.retraining.labels.mapping import LabelMapping
from gapnlp.retraining.labels.named import SAID, UNSURE, WHOLE, LabelOptions, NamedTicket
from gapnlp.retraining.labels.reading import plan_reading, read_file
from gapnlp.retraining.training.rows import settle
from tests.retraining import labelled_samples as samples
from tests.retraining.labelled_samples import SAMPLES, TICKETS, as_csv, as_json, as_jsonl

NO_CHOICE = LabelOptions()


def read(path: Path, **options) -> tuple[list[NamedTicket], list[Failure]]:
    results = list(read_file(plan_reading(path, LabelOptions(**options))))
    return [r for r in results if isinstance(r, NamedTicket)], [r for r in results if isinstance(r, Failure)]


@pytest.fixture(params=SAMPLES)
def sample(request, tmp_path) -> tuple[str, Path]:
    kind, make = SAMPLES[request.param]
    return kind, make(tmp_path)


def test_every_format_has_a_sample():
    # gapnlp's own files have no labels of a user: see test_label_own_files.
    assert {kind for kind, _ in SAMPLES.values()} == set(FORMATS) - {OWN}


def test_a_file_is_recognised_by_its_content(sample):
    kind, path = sample
    assert plan_reading(path, NO_CHOICE).format == kind


def test_the_same_tickets_are_read_from_every_format(sample):
    tickets, failures = read(sample[1])
    assert failures == []
    assert [(t.ticket, t.text, t.chosen) for t in tickets] == [(i, x, frozenset(ls)) for i, x, ls in TICKETS]


def test_answers_are_whole_but_for_columns_of_flags(sample):
    tickets, _ = read(sample[1])
    flags = sample[1].name.startswith("flags")
    assert {t.answer.covers for t in tickets} == {SAID if flags else WHOLE}
    if flags:
        assert all(len(t.answer.said) == 3 for t in tickets)


def test_rows_are_numbered_as_the_file_counts_them(sample):
    tickets, _ = read(sample[1])
    first = 2 if sample[1].suffix in (".csv", ".xlsx") else 1
    assert [t.source.row for t in tickets] == list(range(first, first + 4))
    assert {t.source.file for t in tickets} == {sample[1].name}


@pytest.mark.parametrize("name", ["argilla_2", "argilla_feedback", "argilla_1", "label_studio", "prodigy"])
def test_annotators_are_kept(name, tmp_path):
    tickets, _ = read(SAMPLES[name][1](tmp_path))
    assert {t.answer.annotator for t in tickets} == {"u-1"}


def test_reading_twice_gives_the_same(sample):
    assert read(sample[1]) == read(sample[1])


@pytest.mark.parametrize("name", [n for n in SAMPLES if "csv" not in n and "xlsx" not in n])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_record_never_stops_a_file(name, tmp_path, data):
    path = SAMPLES[name][1](tmp_path)
    lines = path.suffix == ".jsonl"
    content = path.read_text(encoding="utf-8")
    whole = [json.loads(line) for line in content.splitlines()] if lines else json.loads(content)
    records = whole["tickets"] if isinstance(whole, dict) else whole
    damaged = _damage(deepcopy(records[1]), data)
    records[1] = damaged
    (as_jsonl if lines else as_json)(path, whole)
    tickets, failures = read(path)
    others = [t for t in tickets if t.source.row != 2]
    # A damaged question is another question, and names then carry theirs.
    chosen = [frozenset(name.removeprefix("topic: ") for name in t.chosen) for t in others]
    assert [(t.ticket, t.text, names) for t, names in zip(others, chosen, strict=True)] == [
        (i, x, frozenset(ls)) for n, (i, x, ls) in enumerate(TICKETS) if n != 1
    ]
    assert all(f.source.row == 2 and f.reason for f in failures)


_JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.text(max_size=5), st.just([[1, 2, "x"]]), st.just([{"a": None}]),
    st.just({"value": {"start": 1}}), st.just([]), st.just({}),
)  # fmt: skip


def _damage(value, data):
    """Replace one place of a record, at any depth."""
    if isinstance(value, dict) and value and data.draw(st.booleans()):
        key = data.draw(st.sampled_from(sorted(value)))
        return {**value, key: _damage(value[key], data)}
    if isinstance(value, list) and value and data.draw(st.booleans()):
        return [_damage(value[0], data), *value[1:]]
    return data.draw(_JUNK)


def test_bad_rows_are_counted_with_file_row_and_reason(tmp_path):
    path = tmp_path / "rows.jsonl"
    good = '{"ticket_id": "%s", "text": "The room was cold and %s.", "label": "%s"}\n'
    path.write_text(
        good % ("a", "small", "late") + "{broken\n" + "[1]\n" + good % ("b", "dark", "") + good % ("c", "loud", "x")
        + '{"ticket_id": "d", "text": "  ", "label": "late"}\n',
        encoding="utf-8",
    )  # fmt: skip
    tickets, failures = read(path)
    assert [t.id for t in tickets] == ["a", "b", "c"]
    assert tickets[1].answer.covers == UNSURE
    assert [(f.source.row, f.kind) for f in failures] == [(2, "failed"), (3, "failed"), (6, "empty")]
    assert "JSON" in failures[0].reason


def test_a_text_is_never_part_of_a_reason(tmp_path):
    secret = "my secret words " * 20
    path = as_csv(tmp_path / "x.csv", ["text", "late", "rude"], [["The food was cold today.", "1", "0"]] * 6)
    path.write_text(path.read_text() + f'{secret},{secret},"0"\n', encoding="utf-8")
    _, failures = read(path, labels=("late", "rude"), text="text")
    assert failures and all("secret" not in f.reason for f in failures)


def test_polarity_columns_deny_the_other_polarities(tmp_path):
    rows = [
        ["The room was cold.", "neg", "1"],
        ["All was good today.", "pos", "0"],
        ["Nothing of note at all.", "", ""],
    ]
    tickets, failures = read(as_csv(tmp_path / "p.csv", ["text", "comfort", "leaves"], rows))
    assert failures == []
    assert tickets[0].answer.said == {
        "comfort: neg": True, "comfort: neu": False, "comfort: pos": False, "leaves": True,
    }  # fmt: skip
    assert tickets[1].answer.said["leaves"] is False
    assert tickets[2].answer.said == {} and tickets[2].answer.covers == UNSURE


def test_a_comma_in_a_name_does_not_part_labels(tmp_path):
    rows = [["It cost a lot of money.", "Price, value"], ["It came two days late.", "Delay"]] * 3
    tickets, _ = read(as_csv(tmp_path / "c.csv", ["text", "category"], rows))
    assert {name for t in tickets for name in t.chosen} == {"Price, value", "Delay"}


def test_a_comma_parts_labels_where_pieces_recur(tmp_path):
    cells = ["late,rude", "late", "rude", "late,price", "price,rude"]
    rows = [[f"This is text number {n} of them.", cell] for n, cell in enumerate(cells)]
    tickets, _ = read(as_csv(tmp_path / "c.csv", ["text", "category"], rows))
    assert {name for t in tickets for name in t.chosen} == {"late", "rude", "price"}


def test_options_overrule_recognition(tmp_path):
    rows = [["one of the texts here", "other words stand here", "a/b", "kim"]]
    path = as_csv(tmp_path / "o.csv", ["text", "message", "topics", "who"], rows)
    (ticket,), _ = read(path, text="message", labels=("topics",), separator="/", annotator="who")
    assert ticket.text == "other words stand here"
    assert ticket.chosen == {"a", "b"} and ticket.answer.annotator == "kim"


def test_several_columns_of_names_keep_their_column(tmp_path):
    rows = [["It came two days late.", "negative", "Late"], ["All was good today.", "positive", ""]]
    tickets, _ = read(as_csv(tmp_path / "s.csv", ["text", "sentiment", "reason"], rows))
    assert [t.chosen for t in tickets] == [{"sentiment: negative", "reason: Late"}, {"sentiment: positive"}]


def test_sentences_stay_with_their_ticket(tmp_path):
    rows = [["77", "The room was cold.", "a"], ["77", "The staff were kind.", "b"], ["78", "It was late again.", "a"]]
    tickets, _ = read(as_csv(tmp_path / "t.csv", ["ticket_id", "sentence_text", "label"], rows), text="sentence_text")
    assert [t.ticket for t in tickets] == ["77", "77", "78"]


def test_prodigy_answers(tmp_path):
    rows = [
        {"text": "It came late again.", "label": "late", "answer": "accept", "_input_hash": 5},
        {"text": "It came late again.", "label": "rude", "answer": "reject", "_input_hash": 5},
        {"text": "What is this here?", "label": "rude", "answer": "ignore", "_input_hash": 6},
        {"text": "Choose a number now.", "options": [{"id": 1, "text": "Good"}], "accept": [1], "answer": "accept"},
        {"text": "No good task at all.", "options": [], "accept": [], "answer": "reject"},
        {"text": "None of them holds.", "options": [{"id": "a"}], "accept": [], "answer": "accept"},
    ]
    tickets, failures = read(as_jsonl(tmp_path / "p.jsonl", rows))
    assert [(dict(t.answer.said), t.answer.covers) for t in tickets] == [
        ({"late": True}, SAID), ({"rude": False}, SAID), ({"Good": True}, WHOLE), ({}, WHOLE),
    ]  # fmt: skip
    assert tickets[0].id == tickets[1].id == "5"
    assert [(f.source.row, f.reason) for f in failures] == [
        (3, "the annotator skipped it"), (5, "the annotator rejected the task"),
    ]  # fmt: skip


def test_several_annotators_and_questions_of_one_record(tmp_path):
    rows = [
        {"id": "r", "fields": {"text": "It came late again."}, "responses": {
            "topic": [{"value": "late", "user_id": "a"}, {"value": "rude", "user_id": "b"}],
            "tone": [{"value": 2, "user_id": "a"}]}}
    ]  # fmt: skip
    tickets, _ = read(as_json(tmp_path / "a.json", rows))
    assert [(t.answer.annotator, t.chosen) for t in tickets] == [
        ("a", {"topic: late", "tone: 2"}), ("b", {"topic: rude"}),
    ]  # fmt: skip


def test_labels_of_parts_of_a_text_are_refused_row_by_row(tmp_path):
    rows = [{"id": 1, "text": "It came late again.", "label": [[0, 7, "late"]]}]
    rows += [{"id": 2, "text": "It was late too.", "label": ["late"]}]
    tickets, failures = read(as_jsonl(tmp_path / "all.jsonl", rows))
    assert [t.id for t in tickets] == ["2"]
    assert "parts of the text" in failures[0].reason


def test_a_text_that_doccano_shows_no_label_for_is_not_taken_for_judged(tmp_path):
    rows = [{"id": 1, "text": "It came late again.", "label": []}, {"id": 2, "text": "It was late.", "label": ["x"]}]
    tickets, _ = read(as_jsonl(tmp_path / "all.jsonl", rows))
    assert [t.answer.covers for t in tickets] == [UNSURE, WHOLE]


def test_a_submitted_annotation_without_choices_is_whole_and_no_question(tmp_path):
    path = samples.label_studio(tmp_path)
    tasks = json.loads(path.read_text(encoding="utf-8"))
    tasks[1]["annotations"][0]["result"] = []
    tickets, failures = read(as_json(path, tasks))
    assert failures == []
    assert [t.chosen for t in tickets] == [{"late"}, set(), {"staff"}, {"late", "queue"}]
    assert tickets[1].answer.covers == WHOLE


@pytest.mark.parametrize("names", [{"ticket_id": "7"}, {"id": "7"}, {}])
def test_rows_of_several_annotators_are_of_one_text_and_settled_by_majority(tmp_path, names):
    rows = [
        {**names, "text": "It came nine days late.", "label": label, "annotator": who}
        for who, label in (("ann", "late"), ("bob", "late"), ("li", "rude"))
    ]
    other = [{**{key: "8" for key in names}, "text": "They were rude.", "label": "rude", "annotator": "ann"}]
    mapping = LabelMapping({"late": ("gap:delivery",), "rude": ("churn",)}, ("gap:delivery",), confirmed=True)
    data = read_labelled(
        [as_csv(tmp_path / "t.csv", list(other[0]), [list(row.values()) for row in rows + other])],
        mapping,
        LabelOptions(),
    )
    late, rude = settle(data.tickets)
    assert (late.given["gap:delivery"], late.annotator) == (True, None)
    assert (rude.given["gap:delivery"], rude.annotator) == (False, "ann")
    assert late.ticket != rude.ticket


def test_each_file_may_be_one_annotators(tmp_path):
    rows = [["It came two days late.", "late"]]
    paths = [as_csv(tmp_path / f"{who}.csv", ["text", "label"], rows) for who in ("ann", "bob")]
    tickets = [ticket for path in paths for ticket in read(path, annotator="@file")[0]]
    assert [t.answer.annotator for t in tickets] == ["ann", "bob"]


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"format": "excel"}, "excel"),
        ({"labels": ("nothing",)}, "--labels"),
        ({"text": "nothing"}, "--text"),
        ({"ticket": "nothing"}, "--ticket"),
        ({"annotator": "nothing"}, "--annotator"),
    ],
)
def test_wrong_options_are_named(tmp_path, options, part):
    with pytest.raises(InputError, match=part):
        read(samples.separated_csv(tmp_path), **options)


def test_a_file_without_labels_says_what_to_do(tmp_path):
    path = as_csv(tmp_path / "n.csv", ["text", "date"], [["It came two days late.", "2025-01-01"]])
    with pytest.raises(InputError, match="Name it with --labels"):
        read(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"gone\.csv"):
        read(tmp_path / "gone.csv")


def refused(path: Path) -> str:
    with pytest.raises(InputError) as error:
        read(path)
    return str(error.value)


def test_a_file_of_spans_alone_is_refused_for_what_it_is(tmp_path):
    spans = as_jsonl(tmp_path / "spans.jsonl", [{"id": 1, "text": "It came late again.", "label": [[0, 7, "late"]]}])
    assert "none of its records can be used" in refused(spans) and "parts of the text" in refused(spans)
    tasks = json.loads(samples.label_studio(tmp_path).read_text(encoding="utf-8"))
    for task in tasks:
        task["annotations"][0]["result"] = [{"type": "rating", "from_name": "stars", "value": {"rating": 3}}]
    assert "hold no choices" in refused(as_json(tmp_path / "stars.json", tasks))


def test_choices_of_parts_of_a_text_are_not_taken_for_the_whole(tmp_path):
    path = samples.label_studio(tmp_path)
    tasks = json.loads(path.read_text(encoding="utf-8"))
    tasks[0]["annotations"][0]["result"][0]["value"] |= {"start": 4, "end": 10, "text": "parcel"}
    tickets, failures = read(as_json(path, tasks))
    assert len(tickets) == 3
    assert "parts of the text" in failures[0].reason


def test_a_file_without_rows_says_so(tmp_path):
    assert "no rows" in refused(as_csv(tmp_path / "head.csv", ["text", "label"], []))
    uneven = as_csv(tmp_path / "uneven.csv", ["text", "label"], [["It came late.", "late", "x"]] * 3)
    assert "row 2: has 3 cells, the header has 2" in refused(uneven)


def test_a_missing_text_names_only_options_that_there_are(tmp_path):
    message = refused(as_csv(tmp_path / "n.csv", ["nr", "label"], [[1, "late"], [2, "rude"]]))
    assert "--text" in message and "--rating" not in message


def test_semicolons_of_chinese_part_labels(tmp_path):
    rows = [["快递晚了三天。", "物流慢；态度差"], ["客服不回复我。", "态度差"]]
    tickets, _ = read(as_csv(tmp_path / "z.csv", ["评论内容", "标签"], rows))
    assert [t.chosen for t in tickets] == [{"物流慢", "态度差"}, {"态度差"}]


def test_the_sheet_that_was_read_is_named_when_it_holds_no_labels(tmp_path):
    path = tmp_path / "two.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("Help").write_row(0, 0, ["How to label"])
        book.get_worksheet_by_name("Help").write_row(1, 0, ["Read this first."])
        book.add_worksheet("Tickets").write_row(0, 0, ["text", "label"])
    assert "sheet 'Help'" in refused(path)


def test_columns_of_labels_annotators_and_tickets_are_told(tmp_path):
    header = ["工单编号", "评论内容", "标签", "urgent", "标注员"]
    rows = [[n // 2, f"快递晚了{n}天才送到", "慢|差" if n % 2 else "慢", n % 2, "a"] for n in range(30)]
    plan = plan_reading(as_csv(tmp_path / "z.csv", header, rows), LabelOptions(labels=("标签", "urgent")))
    told = {role.column: (role.role, role.why) for role in describe_file(plan).recognition.columns}
    assert list(told) == header
    assert told["工单编号"][0] == "ticket"
    assert told["标签"] == ("labels", "several labels a cell, parted by '|'")
    assert told["urgent"] == ("labels", "a label by itself: yes or no")
    assert told["标注员"][0] == "annotator"
    named = describe_file(plan_reading(samples.separated_csv(tmp_path), NO_CHOICE)).recognition.columns
    assert [c.why for c in named if c.role == "id"] == ["a usual header for it; names the ticket, too"]


def test_row_numbers_are_known_for_what_they_are(tmp_path):
    texts = [[n, f"It came {n} days late.", "late"] for n in range(1, 40)]
    counted, _ = read(as_csv(tmp_path / "a.csv", ["id", "text", "label"], texts))
    assert all(t.counted for t in counted)
    named, _ = read(as_csv(tmp_path / "b.csv", ["id", "text", "label"], [[n + 7_000, t, x] for n, t, x in texts]))
    assert not any(t.counted for t in named)
    parts = [[1 + n if n < 9 else 9, t, x] for n, (_, t, x) in enumerate(texts)]
    sentences, _ = read(as_csv(tmp_path / "c.csv", ["ticket id", "text", "label"], parts))
    assert not any(t.counted for t in sentences)
