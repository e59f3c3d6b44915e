"""`gapnlp review`: the whole way from an export to files that people label."""

from __future__ import annotations

import csv
import json
import sys

import pytest

from gapnlp.cli.main import main
from gapnlp.records.labels import DIMENSIONS

pytestmark = pytest.mark.usefixtures("shared_cues")


@pytest.fixture
def export(tmp_path, tiny_gold):
    path = tmp_path / "reviews.csv"
    texts = [json.loads(line)["text"] for line in (tiny_gold / "train.jsonl").read_text("utf-8").splitlines()]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["review_id", "review"])
        writer.writerows((f"r{i}", text) for i, text in enumerate(texts))
    return path


@pytest.fixture
def review(monkeypatch, capsys):
    def call(*arguments):
        given = ["gapnlp", "review", *map(str, arguments), "--quality", "fast"]
        monkeypatch.setattr(sys, "argv", given)
        with pytest.raises(SystemExit) as stopped:
            main()
        return stopped.value.code or 0, capsys.readouterr()

    return call


def rows(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_review_writes_what_was_asked_for_and_the_same_again(review, export, tmp_path):
    out = tmp_path / "review.csv"
    code, shown = review(export, "--size", 12, "--audit", 9, "--out", out)
    assert code == 0, shown.err
    assert shown.out.strip() == str(out)
    assert "9 segments for the audit, 12 that would teach most" in " ".join(shown.err.split())
    found = rows(out)
    assert [r["reason"] for r in found] == ["audit"] * 9 + ["uncertain"] * 12
    assert len({r["id"] for r in found}) == 21
    texts = {f"r{i}": t for i, t in enumerate(r["review"] for r in rows(export))}
    assert all(texts[r["item"]][int(r["start"]) : int(r["end"])] == r["text"] for r in found)
    assert all(0 <= float(r[f"p_dimension:{d}:neg"]) <= 1 for r in found for d in DIMENSIONS)
    before = out.read_bytes()
    review(export, "--size", 12, "--audit", 9, "--out", out)
    assert out.read_bytes() == before
    review(export, "--size", 12, "--audit", 9, "--seed", 5, "--out", out)
    assert [r["id"] for r in rows(out)][:9] != [r["id"] for r in found][:9]


def test_fewer_rows_than_asked_for_are_no_error(review, tmp_path):
    export, out = tmp_path / "few.csv", tmp_path / "few.json"
    export.write_text("review\nThe parcel came 5 days late.\nThey replied within 4 minutes.\n", encoding="utf-8")
    code, shown = review(export, "--format", "argilla", "--out", out)
    assert code == 0, shown.err
    assert len(json.loads(out.read_text("utf-8"))) == 2
    assert shown.out.split() == [str(out), str(tmp_path / "few.settings.json")]


def test_a_wrong_ending_is_refused_before_anything_is_read(review, export, tmp_path):
    code, shown = review(export, "--format", "label-studio", "--out", tmp_path / "x.csv")
    assert code == 2
    assert ".json" in shown.err
