import json

import numpy as np
import pytest

from benchmarks.audit import METHODS, Scored, draw_file, main, simulate, write_table
from gapnlp.classifier.decision import head_matrix
from gapnlp.records.error_counts import ShareError
from gapnlp.records.labels import HEADS, LABELS, Labels
from gapnlp.retraining.training.bags import with_presence


def made_up(items=300, *, seed=0):
    rng = np.random.default_rng(seed)
    odds = np.linspace(-2.5, 0.5, len(LABELS)) + 1.5 * rng.standard_normal((2 * items, len(LABELS)))
    values = 1 / (1 + np.exp(-odds))
    truth = (rng.random(values.shape) < values).astype(float)
    errors = {label: ShareError(0.3, 400, 8) for label in LABELS[:20]}
    return Scored("en", with_presence(values), with_presence(truth).clip(0, 1), np.repeat(np.arange(items), 2), errors)


def test_simulation_finds_the_nominal_coverage_and_that_classical_is_wider():
    results = simulate(made_up(), runs=120, audited=100, seed=1)
    assert [r.label for r in results] == list(HEADS)
    single = [r for r in results if r.label in LABELS]
    assert np.mean([r.coverage["audited"] for r in single]) == pytest.approx(0.95, abs=0.02)
    assert np.mean([r.width["audited"] for r in single]) < np.mean([r.width["classical"] for r in single])
    assert "corrected" in results[0].coverage
    assert "corrected" not in results[25].coverage
    table = write_table(results, 100)
    assert all(method in table for method in METHODS)
    assert "common all" in table


def test_a_file_is_whole_items_with_replacement():
    items = np.repeat(np.arange(50), 3)
    places, drawn = draw_file(items, np.random.default_rng(0))
    assert len(places) == 150
    assert np.array_equal(np.bincount(drawn), np.full(50, 3))
    assert len(set(places.tolist())) < 150


def test_truth_has_a_one_for_every_label():
    (row,) = head_matrix([Labels("neg", {"empathy": "neg"}, ("policy",), "unmet", True)])
    true = {label for label, x in zip(HEADS, row, strict=True) if x}
    assert true == {
        "sentiment:neg",
        "dimension:empathy:neg",
        "presence:empathy",
        "gap:policy",
        "expectation:unmet",
        "churn",
    }


def test_command_prints_a_table_and_writes_json(tiny_gold, tiny_models, tmp_path, capsys):
    out = tmp_path / "audit.json"
    main(
        ["--gold", str(tiny_gold), "--models", str(tiny_models), "--languages", "en", "--runs", "10"]
        + ["--segments", "30", "--json", str(out)]
    )
    assert "en sentiment:neg" in capsys.readouterr().out
    plain = json.loads(out.read_text(encoding="utf-8"))
    assert (plain["runs"], plain["segments"], len(plain["labels"])) == (10, 30, len(HEADS))
    assert set(plain["pooled"]) == {"common", "rare"}
