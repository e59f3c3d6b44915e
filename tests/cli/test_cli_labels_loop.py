"""Both loops as people go them: review -> labels -> audited report, and review -> labels -> checked for training."""

from __future__ import annotations

import csv
import json
import sys

import pytest
from rich.console import Console

from gapnlp.cli import screen
from gapnlp.cli.main import main

pytestmark = pytest.mark.usefixtures("shared_cues")

ANSWERS = ("sentiment", "dimensions", "gaps", "expectation", "churn")


@pytest.fixture
def run(monkeypatch, capsys):
    monkeypatch.setattr(screen, "OUTPUT", Console(width=200))

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["gapnlp", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
        shown = capsys.readouterr()
        assert not stopped.value.code, shown.err
        return " ".join((shown.err + shown.out).split())

    return call


@pytest.fixture
def export(tmp_path, tiny_gold):
    path = tmp_path / "reviews.csv"
    texts = [json.loads(line)["text"] for line in (tiny_gold / "train.jsonl").read_text("utf-8").splitlines()]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["review_id", "review"])
        # Ids and texts that look like formulas: they must be found again all the same.
        writer.writerows([f"-r{n}", f"- {text}"] for n, text in enumerate(texts))
    return path


@pytest.fixture
def review(run, export, tiny_models, tmp_path):
    path = tmp_path / "review.csv"
    run("review", export, "--models", tiny_models, "--size", 20, "--audit", 40, "--out", path)
    return path


def fill(path):
    """Label as the model suggests, but say that some rows judge nothing; leave the first two rows of each kind."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        if number in (0, 1, 40, 41):
            continue
        row.update({c: row[f"suggested_{c}"] for c in ANSWERS} | {"done": "ok"})
        if number % 10 == 5:
            row.update(dict.fromkeys(ANSWERS, "") | {"sentiment": "neu"})
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return rows


def test_a_report_rests_on_the_random_rows_of_a_review_alone(run, review, export, tiny_models, tmp_path):
    rows = fill(review)
    assert any(row["text"].startswith("'-") for row in rows) and all(row["item"].startswith("'-") for row in rows)
    said = run("report", export, "--models", tiny_models, "--audit", review, "--out", tmp_path / "out")
    others = len(rows) - 40
    assert others > 2
    assert f"audit: 38 segments; 2 rows not labelled yet; {others} rows not drawn at random, so left out" in said
    report = json.loads((tmp_path / "out" / "report.json").read_bytes())
    audit = report["audit"]
    assert (audit["segments"], audit["waiting"], audit["left_out"], audit["unmatched"]) == (38, 2, others, 0)
    used = {share["label"]: share["used"] for share in report["shares"]}
    assert used["sentiment:neg"] == "audited"
    delivery = next(share["audited"] for share in report["shares"] if share["label"] == "gap:delivery")
    assert f"{delivery['low']:.1%} - {delivery['high']:.1%}" in said and "the audit" in said
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert f"{others} rows of its table were chosen for being doubtful" in page


def test_the_same_rows_are_checked_without_a_mapping(run, review, tmp_path):
    rows = fill(review)
    said = run("labels", "check", review, "--out", tmp_path / "check.md")
    assert "read as gapnlp (the table of `gapnlp review`)" in said and "no mapping is needed" in said
    assert f"rows: {len(rows) - 4}; not used: 4" in said and "nothing stands under done" in said
    found = json.loads((tmp_path / "check.json").read_text(encoding="utf-8"))
    assert found["confirmed"] is True and found["unmapped"] == {}
    assert all(label["masked"] == 0 and label["yes"] + label["no"] for label in found["labels"])
    assert "labels are gapnlp's own" in (tmp_path / "check.md").read_text(encoding="utf-8")


def test_no_mapping_is_made_where_none_is_needed(run, review, tmp_path):
    fill(review)
    assert "no mapping is needed" in run("labels", "map", review, "--out", tmp_path / "mapping.toml")
    assert not (tmp_path / "mapping.toml").exists()
