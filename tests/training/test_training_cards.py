"""Model cards: everything that issue readers ask of them, for both kinds of bundle; nothing made up."""

from __future__ import annotations

import copy
import json

import pytest

from gapnlp.records.labels import LABELS
from training.cards import render_card

LABEL = "gap:policy"


def linear_card() -> dict:
    figures = {
        "segments": 1512,
        "headline": 0.61234,
        "dimensions_polarity_macro": 0.5,
        "gaps_macro": 0.4,
        "sentiment_macro": 0.7,
        "expectation_unmet": 0.45,
        "expectation_kept": None,
        "churn": 0.66,
        "dimensions_polarity": {"empathy": 0.31, "tangibles": None},
        "gaps": {"policy": 0.52},
        "sentiment": {"neg": 0.88},
    }
    calibration = {LABEL: {"positives": 77, "ece": 0.0312, "bias": 0.01}}
    return {
        "name": "linear-pl",
        "kind": "linear",
        "language": "pl",
        "quality": "fast",
        "base": None,
        "release": "1.1.0",
        "auxiliary": [{"name": "polemo_positive", "rows": 28123, "positive": 9000}],
        "rows": {"segments": 15797, "written": 2042, "random": 3111, "positives": {"churn": 99, "gap:delivery": 5000}},
        "metrics": figures,
        "out_of_fold": {**figures, "headline": 0.588, "segments": 15797},
        "intervals": {"headline": [0.59, 0.64]},
        "out_of_fold_intervals": {"headline": [0.57, 0.6]},
        "calibration": {"all": calibration, "random": {LABEL: {"positives": 12, "ece": 0.0444, "bias": 0.0}}},
        "calibration_development": calibration,
        "abstention": {"cut": 1.234, "limit": 0.25, "risk": 0.231, "coverage": 0.61},
        "abstained_development": 0.42,
        "robustness": {"functionality/sarcasm": 0.55, "invariance/upper_case": 0.0, "directional/negated_fault": 0.8},
        "failures": [{"test": "sarcasm", "text": "No pięknie.", "expected": "sentiment:neg", "given": "pos"}],
        "training": {"seconds": 330, "threads": 2, "machine": "two cores of a cloud server"},
    }


def transformer_card() -> dict:
    card = linear_card()
    del card["auxiliary"]
    curve = [{"share": 0.3, "doubt": 0.9, "headline": 0.62}, {"share": 0.5, "doubt": 0.7, "headline": 0.64}]
    return card | {
        "name": "encoder-pl",
        "kind": "transformer",
        "quality": "accurate",
        "base": "linear-pl",
        "base_version": "linear-pl-1.1.0+0123456789",
        "encoder": {
            "base": "minilm",
            "layers": 6,
            "hidden": 384,
            "vocabulary": 30522,
            "parameters": 22713216,
            "quantised": True,
        },
        "doubt": 0.7,
        "cascade": {"accurate": 0.645, "fast": 0.59, "curve": curve},
        "training": {"seconds": 9000, "threads": 2, "machine": "two cores of a cloud server", "watts": 40},
    }


def section(page: str, title: str) -> str:
    return page.split(f"## {title}\n")[1].split("\n## ")[0]


@pytest.fixture(params=[linear_card, transformer_card])
def card(request) -> dict:
    return request.param()


def test_every_section_is_there_once_and_in_order(card):
    titles = [line[3:] for line in render_card(card).splitlines() if line.startswith("## ")]
    assert titles == [
        "Data and licences",
        "Labels",
        "Quality",
        "Calibration",
        "Abstention",
        "Robustness",
        "Known failures",
        "Limits",
        "Training",
    ]


def test_data_names_the_sets_their_licences_and_the_written_items(card):
    data = section(render_card(card), "Data and licences")
    line = next(x for x in data.splitlines() if x.startswith("| polemo_sentences |"))
    assert "CC BY-SA 4.0" in line
    assert "texts with labels and further heads" in line
    assert "| ceneo_pl | product and shop reviews | texts with labels | not stated |" in data
    assert "airline_tweets" not in data
    assert "15,797 labelled segments" in data
    assert "2,042 segments of items that a large language model wrote" in data
    assert ("polemo_positive (28,123 rows)" in data) == ("auxiliary" in card)


def test_labels_are_said_not_to_be_human(card):
    labels = section(render_card(card), "Labels")
    assert "not human labels" in labels
    assert "headline .866 on 460" in labels


def test_quality_has_both_splits_with_their_intervals(card):
    quality = section(render_card(card), "Quality")
    assert "| headline | 0.612 (0.590–0.640) | 0.588 (0.570–0.600) |" in quality
    assert "| gaps macro | 0.400 | 0.400 |" in quality
    assert "| expectation kept | not measurable | not measurable |" in quality
    assert "| label | empathy | tangibles | policy | neg |" in quality
    assert "| F1 | 0.310 | not measurable | 0.520 | 0.880 |" in quality


def test_calibration_stands_by_label_on_both_bases(card):
    assert f"| {LABEL} | 77 | 0.031 | 12 | 0.044 |" in section(render_card(card), "Calibration")


def test_abstention_names_limit_risk_and_coverage(card):
    abstention = section(render_card(card), "Abstention")
    for words in ("exceeds 1.234", "23.1 % were wrong", "25.0 %", "61.0 % were kept", "abstains from 42.0 %"):
        assert words in abstention
    never = {**card, "abstention": None}
    assert "never abstains" in section(render_card(never), "Abstention")


def test_robustness_is_grouped_by_kind_and_failures_are_shown(card):
    page = render_card(card)
    rows = [x for x in section(page, "Robustness").splitlines() if x.startswith("| ")][2:]
    assert rows == [
        "| invariance | upper case | 0.0 % |",
        "| directional | negated fault | 80.0 % |",
        "| functionality | sarcasm | 55.0 % |",
    ]
    assert "- *No pięknie.* Wanted: sentiment:neg; found: pos." in section(page, "Known failures")


def test_limits_name_the_labels_with_few_examples(card):
    limits = section(render_card(card), "Limits")
    assert "churn (99)" in limits
    assert "gap:delivery" not in limits


def test_energy_is_an_estimate_from_watts_and_time():
    assert "6 minutes with 2 threads on two cores of a cloud server" in render_card(linear_card())
    assert "about 3 Wh, an estimate (30 W assumed" in section(render_card(linear_card()), "Training")
    training = section(render_card(transformer_card()), "Training")
    assert "2.5 hours" in training
    assert "about 100 Wh, an estimate (40 W assumed" in training


def test_the_encoder_and_the_cascade_are_described():
    page = render_card(transformer_card())
    assert "minilm, 6 layers of 384, a vocabulary of 30,522, 22,713,216 parameters, 8-bit weights" in page
    assert "linear bundle linear-pl-1.1.0+0123456789" in page
    quality = section(page, "Quality")
    assert "more than 0.7 expected wrong labels go to the encoder, 50 % of the segments" in quality
    assert "| the linear bundle alone | 0 % | 0.590 |" in quality
    assert "| a cascade | 30 % | 0.620 |" in quality
    assert "| the cascade as shipped | 50 % | 0.640 |" in quality
    assert "| the encoder on every segment | 100 % | 0.645 |" in quality
    assert "cascade" not in section(render_card(linear_card()), "Quality")


def test_what_was_not_measured_is_said_to_be_so(card):
    bare = copy.deepcopy(card)
    for name in ("intervals", "out_of_fold_intervals", "robustness", "failures", "training", "calibration"):
        del bare[name]
    del bare["calibration_development"]
    page = render_card(bare)
    assert "| headline | 0.612 | 0.588 |" in page
    assert "Not measured" in section(page, "Robustness")
    assert "Not measured" in section(page, "Calibration")
    assert "not recorded" in section(page, "Training")
    assert "Sentences written for the project" not in page


def test_tables_have_as_many_cells_in_every_line(card):
    lines = render_card(card).splitlines()
    for before, line in zip(lines, lines[1:], strict=False):
        if before.startswith("|") and line.startswith("|"):
            assert before.count("|") == line.count("|"), line


def test_the_recipes_own_card_is_rendered(tiny_models):
    folder = tiny_models / "linear-zh"
    page = (folder / "CARD.md").read_text(encoding="utf-8")
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    assert page == render_card(card)
    assert f"{card['metrics']['headline']:.3f}" in section(page, "Quality")
    assert section(page, "Calibration").count("\n| ") >= len(LABELS)
