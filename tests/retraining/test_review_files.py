"""Segments as files: a CSV that spreadsheets can be trusted with, and imports for labelling tools."""

from __future__ import annotations

import csv
import json
from xml.etree import ElementTree as Xml

import pytest

from gapnlp.errors import InputError
from gapnlp.records.analysis import Analysis, ScoredSegment, Segment
from gapnlp.records.feedback import Feedback, Source
from gapnlp.records.labels import GAPS, LABEL_INDEX, LABELS, SENTIMENTS, Labels
from gapnlp.records.review import WIDEST, ReviewTask, review_segments
from gapnlp.retraining.review_files import FORMATS, check_ending, write_review
from gapnlp.retraining.review_rows import LABEL_COLUMNS, REVIEW_COLUMNS

TEXT = "Hello. =HYPERLINK(1) came late. Kind courier!"
LABELLED = Labels("neg", {"reliability": "neg", "empathy": "pos"}, ("delivery", "policy"), "unmet", True)


def analysis(text: str = TEXT) -> Analysis:
    values = [0.0] * len(LABELS)
    given = {"sentiment:neg": 0.9, "dimension:reliability:neg": 0.7, "dimension:empathy:pos": 0.6}
    given |= {"gap:delivery": 0.8, "gap:policy": 0.4, "expectation:unmet": 0.5, "churn": 0.55}
    for label, p in given.items():
        values[LABEL_INDEX[label]] = p
    cuts = ((0, 6), (7, 31), (32, len(text)))
    scored = tuple(ScoredSegment(Segment(a, b, text[a:b]), LABELLED, tuple(values)) for a, b in cuts)
    return Analysis(Feedback("r1", text, Source("t.csv", 2)), "en", scored, "m-1")


def tasks() -> list[ReviewTask]:
    segments = [*review_segments(analysis())]
    return [ReviewTask(segments[1], "audit"), ReviewTask(segments[2], "uncertain")]


def test_a_segment_comes_with_its_neighbours():
    first, middle, last = review_segments(analysis())
    assert (first.before, first.after) == ("", TEXT[6:31])
    assert (middle.before, middle.text, middle.after) == (TEXT[:7], TEXT[7:31], TEXT[31:])
    assert (last.before, last.after) == (TEXT[7:32], "")
    assert [s.number for s in (first, middle, last)] == [0, 1, 2]
    assert middle.id == "t.csv:2:7-31"


def test_long_neighbours_are_cut_beside_the_segment():
    text = "a" * 5000 + "b" * 10 + "c" * 5000
    cuts = ((0, 5000), (5000, 5010), (5010, 10_010))
    scored = tuple(ScoredSegment(Segment(a, b, text[a:b]), LABELLED, (0.0,) * len(LABELS)) for a, b in cuts)
    whole = Analysis(Feedback("r1", text, Source("t.csv", 2)), "en", scored, "m-1")
    middle = [*review_segments(whole)][1]
    assert (middle.before, middle.after) == ("a" * WIDEST, "c" * WIDEST)


def read(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_csv_holds_text_suggestion_and_empty_label_columns(tmp_path):
    path = tmp_path / "deep" / "review.csv"
    assert write_review(path, tasks(), "csv") == (path,)
    audit, uncertain = read(path)
    assert list(audit) == list(REVIEW_COLUMNS)
    assert all(row[column] == "" for row in (audit, uncertain) for column in LABEL_COLUMNS)
    assert (audit["reason"], uncertain["reason"]) == ("audit", "uncertain")
    assert uncertain["text"] == "Kind courier!"
    assert audit["suggested_dimensions"] == "reliability:neg; empathy:pos"
    assert audit["suggested_gaps"] == "delivery; policy"
    assert (audit["suggested_sentiment"], audit["suggested_expectation"], audit["suggested_churn"]) == (
        "neg", "unmet", "yes",
    )  # fmt: skip
    assert (audit["item"], audit["file"], audit["row"], audit["start"], audit["end"]) == ("r1", "t.csv", "2", "7", "31")
    assert (audit["model_version"], audit["language"]) == ("m-1", "en")
    assert [float(audit[f"p_{label}"]) for label in LABELS] == list(tasks()[0].segment.probabilities)


def test_no_cell_is_a_formula(tmp_path):
    path = tmp_path / "review.csv"
    write_review(path, tasks(), "csv")
    cells = [cell for row in read(path) for cell in row.values()]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert read(path)[0]["text"] == "'=HYPERLINK(1) came late."


def test_label_studio_gets_tasks_and_a_config_that_fit_each_other(tmp_path):
    files = write_review(tmp_path / "review.json", tasks(), "label-studio")
    assert [f.name for f in files] == ["review.json", "review.labeling-config.xml"]
    audit, uncertain = json.loads(files[0].read_text("utf-8"))
    config = Xml.fromstring(files[1].read_text("utf-8"))
    assert config.tag == "View"
    for text in config.iter("Text"):
        assert text.get("value") == f"${text.get('name')}"
        assert text.get("name") in audit["data"]
    offered = {c.get("name"): {x.get("alias") for x in c.iter("Choice")} for c in config.iter("Choices")}
    assert list(offered) == list(LABEL_COLUMNS[:-1])
    assert offered["gaps"] == set(GAPS)
    assert offered["sentiment"] == set(SENTIMENTS)
    (prediction,) = uncertain["predictions"]
    assert prediction["model_version"] == "m-1"
    assert prediction["score"] == 0.4
    assert {r["from_name"]: r["value"]["choices"] for r in prediction["result"]} == {
        "sentiment": ["neg"], "dimensions": ["reliability:neg", "empathy:pos"],
        "gaps": ["delivery", "policy"], "expectation": ["unmet"], "churn": ["yes"],
    }  # fmt: skip
    for result in prediction["result"]:
        assert {*result["value"]["choices"]} <= offered[result["from_name"]]
    assert uncertain["data"]["probabilities"]["gap:delivery"] == 0.8


def test_nobody_who_audits_is_shown_an_answer_to_agree_with(tmp_path):
    studio = write_review(tmp_path / "a.json", tasks(), "label-studio")[0]
    argilla = write_review(tmp_path / "b.json", tasks(), "argilla")[0]
    assert "predictions" not in json.loads(studio.read_text("utf-8"))[0]
    assert json.loads(argilla.read_text("utf-8"))[0]["suggestions"] == {}


def test_argilla_gets_records_and_settings_that_fit_each_other(tmp_path):
    files = write_review(tmp_path / "review.json", tasks(), "argilla")
    assert [f.name for f in files] == ["review.json", "review.settings.json"]
    audit, uncertain = json.loads(files[0].read_text("utf-8"))
    settings = json.loads(files[1].read_text("utf-8"))
    assert {*audit["fields"]} <= {f["name"] for f in settings["fields"]}
    assert {*audit["metadata"]} == {m["name"] for m in settings["metadata"]}
    questions = {q["name"]: q["settings"] for q in settings["questions"]}
    assert list(questions) == list(LABEL_COLUMNS[:-1])
    for name, suggestion in uncertain["suggestions"].items():
        offered = {o["value"] for o in questions[name]["options"]}
        several = questions[name]["type"] == "multi_label_selection"
        assert isinstance(suggestion["value"], list) == several
        assert {*suggestion["value"]} <= offered if several else suggestion["value"] in offered
        assert suggestion["agent"] == "m-1"
    assert (audit["id"], audit["metadata"]["reason"]) == ("t.csv:2:7-31", "audit")


@pytest.mark.parametrize("form", FORMATS)
def test_lone_surrogates_and_no_tasks_do_no_harm(tmp_path, form):
    path = tmp_path / ("x.csv" if form == "csv" else "x.json")
    odd = [ReviewTask(s, "uncertain") for s in review_segments(analysis(TEXT.replace("Hello.", "Hell\ud800.")))]
    for chosen in (odd, []):
        for written in write_review(path, chosen, form):
            assert written.read_bytes().decode("utf-8")
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize(("name", "form"), [("x.json", "csv"), ("x.csv", "label-studio"), ("x", "argilla")])
def test_an_ending_that_does_not_fit_is_refused(tmp_path, name, form):
    with pytest.raises(InputError, match=form):
        check_ending(tmp_path / name, form)
