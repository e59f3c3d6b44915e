"""The data report and the commands: readable, complete, and without customers' texts unless asked for."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import typer
from rich.console import Console

from gapnlp.cli import screen
from gapnlp.cli.main import app, main
from gapnlp.retraining.checks import mislabelled
from gapnlp.retraining.checks import report as checks
from gapnlp.retraining.checks.markdown import LISTED, escape, render_markdown
from gapnlp.retraining.checks.mislabelled import Suspect
from gapnlp.retraining.checks.report import check_labels
from gapnlp.retraining.checks.texts import place_of
from gapnlp.retraining.labels.dataset import read_labelled
from gapnlp.retraining.labels.mapping import LabelMapping
from gapnlp.retraining.labels.named import LabelOptions
from tests.retraining.labelled_samples import as_csv

MEANS = {"late": ("gap:delivery",), "rude": ("dimension:assurance:neg",)}
SECRET = "zebra"


def rows(n: int = 30) -> list[list[object]]:
    found = [[f"t{i}", f"{SECRET} number {i} came late", "late"] for i in range(n)]
    found += [[f"u{i}", f"{SECRET} number {i} was rude", "rude"] for i in range(n)]
    return [*found, ["t0b", f"{SECRET} number 0 came late!", "rude"], ["v", "", "late"], ["w", f"{SECRET} two", "odd"]]


@pytest.fixture
def tickets(tmp_path) -> Path:
    return as_csv(tmp_path / "tickets.csv", ["ticket id", "text", "label"], rows())


def report_of(path: Path, **settings):
    mapping = LabelMapping(MEANS, **settings)
    data = read_labelled([path], mapping, LabelOptions())
    return check_labels(data, mapping, test=data), data


def test_the_report_counts_and_names_rows(tickets):
    report, _ = report_of(tickets)
    assert report.summary() == {
        "rows": 61,
        "not used": 2,
        "labels too rare": 0,
        "labels that nothing denies": 3,
        "texts that repeat": 1,
        "leaks into the test set": 61,
        "contradictions": 1,
        "probably mislabelled": len({s.place for s in report.suspects}),
    }
    assert report.data.unmapped == {"odd": 1}
    assert report.languages["en"] == 61
    text = render_markdown(report)
    assert "tickets.csv, row 2 (id t0), tickets.csv, row 62 (id t0b)" in text
    assert "not confirmed yet" in text
    assert "odd | 1 | **not in the mapping**: ignored" in text
    assert "labels from label" in text


def test_ignored_labels_are_listed_with_all_their_rows(tickets):
    mapping = LabelMapping({**MEANS, "odd": ()})
    report = check_labels(read_labelled([tickets], mapping, LabelOptions()), mapping)
    assert report.names["odd"] == 1
    assert "odd | 1 | ignored" in render_markdown(report)


def test_a_list_of_suspects_that_is_of_no_use_says_so(tickets, monkeypatch):
    def all_but(n):
        return lambda rows: tuple(Suspect(place_of(row), "late", "rude", 0.1) for row in rows[n:])

    monkeypatch.setattr(checks, "find_mislabelled", all_but(5))
    report, _ = report_of(tickets)
    assert "more than half of the rows look mislabelled" in report.note
    assert report.note in render_markdown(report)
    monkeypatch.setattr(checks, "find_mislabelled", all_but(40))
    assert report_of(tickets)[0].note == ""


def test_texts_are_quoted_only_on_request_and_never_in_json(tickets):
    report, data = report_of(tickets)
    assert SECRET not in render_markdown(report)
    assert SECRET not in json.dumps(report.to_dict())
    assert SECRET in render_markdown(report, quotes=True, test=data)


def test_the_dict_is_json_and_holds_every_finding(tickets):
    report, _ = report_of(tickets, judged=("gaps",), confirmed=True)
    found = json.loads(json.dumps(report.to_dict()))
    assert found["confirmed"] is True and found["mapping"]["judged"] == ["gaps"]
    assert len(found["leaks"]) == 61 and len(found["failures"]) == 2
    assert found["contradictions"][0]["labels"] == ["late", "rude"]
    assert {x["state"] for x in found["labels"]} >= {"rough", "only denied"}


def test_long_lists_are_cut_and_say_so(tickets):
    report, _ = report_of(tickets)
    text = render_markdown(report)
    assert text.count("is the same text as") == LISTED
    assert "and 11 more" in text


def test_checks_that_were_not_made_are_said(tickets, monkeypatch):
    monkeypatch.setattr(mislabelled, "find_spec", lambda name: None)
    mapping = LabelMapping(MEANS)
    report = check_labels(read_labelled([tickets], mapping, LabelOptions()), mapping)
    assert report.suspects is None and report.leaks is None
    text = render_markdown(report)
    assert "cleanlab is missing" in text and "no test file was given" in text
    assert report.summary()["probably mislabelled"] == -1
    assert report.to_dict()["summary"]["probably mislabelled"] is None


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a | b\n# c", "a \\| b # c"),
        ("<script>x</script>", "&lt;script&gt;x&lt;/script&gt;"),
        ("![x](http://a.b)", "\\!\\[x\\](http\\://a.b)"),
        ("www.a.b and a@b.c", "www\\.a.b and a\\@b.c"),
        ("`*_~$", "\\`\\*\\_\\~\\$"),
        ("\u202e evil \x07", "evil"),
        ("x" * 300, "x" * 159 + "…"),
    ],
)
def test_texts_are_harmless_in_markdown(text, escaped):
    assert escape(text) == escaped


@pytest.fixture
def run(monkeypatch, capsys):
    monkeypatch.setattr(screen, "OUTPUT", Console(width=200))

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["gapnlp", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
        shown = capsys.readouterr()
        return int(stopped.value.code or 0), shown.out, shown.err

    return call


def test_map_confirm_and_check(run, tickets, tmp_path):
    mapping, report = tmp_path / "m.toml", tmp_path / "out" / "report.md"
    code, out, err = run("labels", "map", tickets, "--names-only", "--out", mapping)
    assert (code, out) == (0, "") and "confirmed = true" in err
    assert '"late" = ["dimension:reliability:neg", "gap:delivery"]' in mapping.read_text(encoding="utf-8")
    code, out, err = run("labels", "check", tickets, "--mapping", mapping, "--test", tickets, "--out", report)
    assert (code, out) == (0, "")
    assert "leaks into the test set: 6" in err and SECRET not in err
    assert report.read_text(encoding="utf-8").startswith("# Check of labelled tickets")
    assert json.loads(report.with_suffix(".json").read_text(encoding="utf-8"))["summary"]["rows"] >= 61


def test_examples_are_read_by_the_bundles(run, tickets, tmp_path, tiny_models):
    code, _, err = run("labels", "map", tickets, "--models", tiny_models, "--out", tmp_path / "m.toml")
    assert code == 0, err
    assert "3 labels" in err


def test_a_mapping_is_not_overwritten(run, tickets, tmp_path):
    mapping = tmp_path / "m.toml"
    mapping.write_text("mine", encoding="utf-8")
    code, _, err = run("labels", "map", tickets, "--names-only", "--out", mapping)
    assert code == 2 and "--force" in err and mapping.read_text(encoding="utf-8") == "mine"
    assert run("labels", "map", tickets, "--names-only", "--force", "--out", mapping)[0] == 0
    assert mapping.read_text(encoding="utf-8") != "mine"


@pytest.mark.parametrize("command", ["map", "check"])
def test_help_names_every_option_and_gives_an_example(run, command):
    code, out, _ = run("labels", command, "--help")
    known = typer.main.get_command(app).commands["labels"].commands[command]
    assert code == 0 and "Example" in out
    for parameter in known.params:
        for option in parameter.opts:
            assert not option.startswith("--") or option in out


def test_unusable_input_ends_with_2(run, tickets, tmp_path):
    code, _, err = run("labels", "check", tickets, "--mapping", tmp_path / "no.toml", "--out", tmp_path / "r.md")
    assert code == 2 and "gapnlp labels map" in err
    code, _, err = run("labels", "map", tmp_path / "no.csv", "--out", tmp_path / "m.toml")
    assert code == 2 and "no.csv" in err
