"""Learning curves: nested parts, the recipe as it is shipped, files that are written."""

from __future__ import annotations

import json

import numpy as np
import pytest

import training.linear
import training.withheld
from benchmarks.quality import curves
from benchmarks.quality.linear_recipe import RECIPE, fit_on
from benchmarks.quality.peers.registry import PEERS
from benchmarks.quality.splits import read_splits
from gapnlp.scoring.loading import load
from gapnlp.text.normalise import normalise


@pytest.fixture(scope="module")
def split(tiny_gold):
    return read_splits(tiny_gold, ["pl"])[0]


def test_a_larger_part_holds_every_smaller_one(split):
    parts = [{i.id for i in curves.take(split.train, size).items} for size in (0.1, 0.3, 1.0)]
    assert [len(p) for p in parts] == [15, 45, 150]
    assert parts[0] < parts[1] < parts[2]


def test_the_recipe_here_answers_as_the_bundle_made_by_training(tiny_gold, tmp_path, monkeypatch):
    """Pins `fit_on` to `training.linear`: on gold alone, without further heads, they are the same classifier."""
    monkeypatch.setattr(training.withheld, "read_auxiliary", lambda *a, **k: [])
    (split,) = read_splits(tiny_gold, ["pl"])
    options = ["--gold", str(tiny_gold), "--out", str(tmp_path), "--language", "pl", "--gold-only"]
    training.linear.main(options)
    documents = [[normalise(s.text, "pl") for s in item.segments] for item in split.dev.items]
    bundle = load(tmp_path, quality="fast").classifier("pl").predict(documents)
    ours = fit_on(split.train.items, "pl").predict(documents)
    assert ours.labels == bundle.labels
    np.testing.assert_allclose(ours.values, bundle.values, atol=1e-9)


def test_the_command_writes_points_table_and_plot(tiny_gold, tmp_path, capsys):
    options = ["--gold", str(tiny_gold), "--languages", "pl", "--sizes", "0.2,1", "--limit", "60"]
    curves.main([*options, "--cache", str(tmp_path / "cache"), "--out", str(tmp_path)])
    points = json.loads((tmp_path / "curves.json").read_text(encoding="utf-8"))
    assert [(p["classifier"], p["items"]) for p in points] == [
        ("linear recipe", 12), ("tfidf", 12), ("linear recipe", 60), ("tfidf", 60)
    ]  # fmt: skip
    assert all(0 < p["headline"]["low"] <= p["headline"]["value"] <= p["headline"]["high"] <= 1 for p in points)
    assert "| pl | tfidf | 60 | 180 |" in (tmp_path / "curves.md").read_text(encoding="utf-8")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_an_english_encoder_has_no_curve_in_another_language(split, monkeypatch):
    monkeypatch.setattr(curves, "answer_peer", lambda *a, **k: pytest.fail("asked for an answer"))
    assert list(curves.curve(split, {"minilm": PEERS["minilm"]}, sizes=[0.5], cache=None)) == []


def test_a_change_of_the_recipe_is_another_answer():
    assert "training.linear_fit" in RECIPE.further_sources
    assert RECIPE.source_digest() != PEERS["tfidf"].source_digest()
