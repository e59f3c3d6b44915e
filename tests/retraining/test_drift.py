"""Drift: a file like the training data is left alone, one unlike it is told; limits come from the domains measured."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from gapnlp.classifier.features import FeatureSpec, new_vectorizer
from gapnlp.cli import drift as drift_command
from gapnlp.cli import screen
from gapnlp.cli.main import app
from gapnlp.errors import InputError
from gapnlp.ingest.columns import ColumnOptions
from gapnlp.records.drift import DRIFT_FIGURES, DriftGroup, DriftReference, LanguageDrift
from gapnlp.records.feedback import Feedback, Source
from gapnlp.records.labels import LABELS
from gapnlp.retraining.drift import LEAST_SEGMENTS, ItemRows, compare, draw_items, read_reference, upper_limit
from gapnlp.retraining.drift_figures import count_unknown, share_distance
from gapnlp.retraining.drift_run import measure_drift, read_references

pytestmark = pytest.mark.usefixtures("shared_cues")

SHARES = {label: 0.02 + 0.01 * i for i, label in enumerate(LABELS)}


def group(domain: str, scale: float) -> DriftGroup:
    figures = {"labels": 0.06 * scale, "unknown": 0.08 * scale, "abstained": 0.4 * scale, "doubt": 1.2 * scale}
    return DriftGroup(domain, 300, figures)


def reference(*, groups: int = 8) -> DriftReference:
    scales = np.linspace(0.8, 1.2, 8)[:groups]
    known = tuple(group(f"d{i}", float(s)) for i, s in enumerate(scales))
    new = tuple(group(f"d{i}", 1.3 * float(s)) for i, s in enumerate(scales))
    return DriftReference(3_000, SHARES, {**group("all", 1).figures, "labels": 0.0}, known, new)


def rows_of(
    items: int, *, shift: float = 0.0, unknown: float = 0.08, abstained: float = 0.4, seed: int = 0
) -> ItemRows:
    """Items of two segments with ten words each, drawn from the reference's figures; shift: of all log-odds."""
    rng = np.random.default_rng(seed)
    odds = np.log(np.array(list(SHARES.values())) / (1 - np.array(list(SHARES.values())))) + shift
    values = 2 / (1 + np.exp(-(odds + 0.01 * rng.standard_normal((items, len(LABELS))))))
    sums = np.column_stack(
        [
            np.full(items, 2.0),
            np.full(items, 20.0),
            rng.binomial(20, unknown, items),
            rng.binomial(2, abstained, items),
            rng.normal(2.4, 0.2, items),
        ]
    )
    return ItemRows(values, sums)


def states(rows: ItemRows, known: DriftReference | None = None) -> dict[str, str]:
    found = compare(rows, known or reference(), language="en", model="m")
    return {f.name: f.state for f in found.figures} | {"all": found.state}


def test_a_file_like_the_training_data_is_usual() -> None:
    assert set(states(rows_of(400)).values()) == {"usual"}


@pytest.mark.parametrize(
    ("change", "figure"),
    [({"shift": 2.5}, "labels"), ({"unknown": 0.4}, "unknown"), ({"abstained": 0.95}, "abstained")],
)
def test_each_figure_is_told_by_itself(change: dict[str, float], figure: str) -> None:
    found = states(rows_of(400, **change))
    assert found.pop(figure) == found.pop("all") == "beyond"
    assert set(found.values()) == {"usual"}


def test_a_new_domain_is_told_from_one_beyond_all() -> None:
    usual, limit = (upper_limit("unknown", groups) for groups in (reference().known, reference().new))
    assert usual < limit < 0.25
    assert states(rows_of(4_000, unknown=(usual + limit) / 2))["all"] == "new"


def test_a_small_file_is_not_blamed_for_chance() -> None:
    usual = upper_limit("unknown", reference().known)
    rows = [rows_of(30, unknown=usual, seed=seed) for seed in range(40)]
    assert sum(states(r)["unknown"] != "usual" for r in rows) <= 6
    assert states(rows_of(LEAST_SEGMENTS // 2 - 1))["all"] == "unknown"


def test_no_reference_or_too_few_domains_say_nothing() -> None:
    assert compare(rows_of(400), None, language="en", model="m").state == "unknown"
    assert states(rows_of(400, unknown=0.4), reference(groups=2))["all"] == "unknown"


def test_limit_is_passed_by_the_next_domain_as_rarely_as_stated() -> None:
    rng = np.random.default_rng(1)
    passed = 0
    for _ in range(4_000):
        values = np.exp(rng.normal(0, 0.3, 7))
        groups = [DriftGroup("d", 100, dict.fromkeys(DRIFT_FIGURES, float(v))) for v in values[:6]]
        passed += values[6] > upper_limit("doubt", groups)
    assert 0.008 <= passed / 4_000 <= 0.018


def test_labels_that_moved_most_come_first() -> None:
    rows = rows_of(400)
    rows.probabilities[:, LABELS.index("churn")] = 1.8
    found = compare(rows, reference(), language="en", model="m")
    assert found.shifts[0].label == "churn"
    assert found.shifts[0].value == pytest.approx(0.9)


def test_distance_is_nought_for_equals_and_one_for_opposites() -> None:
    assert share_distance(np.array([0.2, 0.5]), np.array([0.2, 0.5])) == pytest.approx(0)
    assert share_distance(np.array([0.0, 1.0]), np.array([1.0, 0.0])) == pytest.approx(1, abs=1e-3)


def test_unknown_words_are_counted_by_word_or_by_pairs_of_characters() -> None:
    words = new_vectorizer(FeatureSpec("word", 1, 2, 1, folded=True)).fit(["the parcel came late"])
    found = count_unknown(["The parcel came 12 weeks late!"], words, words.vocabulary_)
    assert found.tolist() == [[1, 5]]
    pairs = new_vectorizer(FeatureSpec("char", 1, 3, 1, folded=True)).fit(["快递很慢"])
    assert count_unknown(["快递太慢"], pairs, pairs.vocabulary_).tolist() == [[2, 3]]


def test_items_are_drawn_evenly_and_in_order() -> None:
    items = [Feedback(str(n), "x", Source("f", n)) for n in range(60)]
    assert draw_items(items, most=100) == items
    counts = np.zeros(60)
    for seed in range(600):
        drawn = [item.source.row for item in draw_items(items, most=20, seed=seed)]
        assert len(drawn) == 20
        assert drawn == sorted(drawn)
        counts[drawn] += 1
    assert counts.min() > 140
    assert counts.max() < 260


def write(path: Path, texts: list[str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text"])
        writer.writerows([t] for t in texts)
    return path


def test_training_writes_a_reference_that_a_file_is_compared_with(tiny_models: Path, tmp_path: Path) -> None:
    card = json.loads((tiny_models / "linear-en" / "card.json").read_text(encoding="utf-8"))
    known = read_reference(card["drift_reference"])
    assert json.loads(json.dumps(asdict(known))) == card["drift_reference"]
    assert 0 <= known.figures["unknown"] < 0.5
    path = write(tmp_path / "code.csv", [f"Return the array of tuple {n} and raise an index error." for n in range(60)])
    found = measure_drift([path], ColumnOptions(), models=tiny_models)
    assert [x.language for x in found.languages] == ["en"]
    unknown = next(f for f in found.languages[0].figures if f.name == "unknown")
    assert unknown.value > 0.3 > unknown.reference


def test_command_prints_verdict_and_json(tiny_models: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [f"Compile the kernel module {n} with cross toolchain flags." for n in range(60)])
    strict = tmp_path / "reference.json"
    strict.write_text(json.dumps({"en": asdict(reference())}), encoding="utf-8")
    arguments = ["drift", str(path), "--models", str(tiny_models), "--reference", str(strict)]
    told = CliRunner().invoke(app, arguments)
    assert told.exit_code == 0, told.output
    assert "out of its depth" in " ".join(told.output.split())
    plain = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert plain["languages"][0]["state"] == "beyond"
    strict.write_text('{"en": {"segments": 1}}', encoding="utf-8")
    with pytest.raises(InputError, match="no file of drift references"):
        read_references(strict)


@pytest.mark.parametrize(("segments", "said"), [(49, "at least 50 are needed"), (50, "no drift_reference")])
def test_why_nothing_is_known_is_one_reason(capsys, monkeypatch, segments, said):
    monkeypatch.setattr(screen, "OUTPUT", Console(width=200))
    drift_command._show_language(LanguageDrift("en", "linear-en", 9, segments, (), (), "unknown"))
    told = capsys.readouterr().out
    assert said in told
    assert ("drift_reference" in told) != ("at least 50" in told)
