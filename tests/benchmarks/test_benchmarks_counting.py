"""Figures from counts equal the project's own measure; intervals and differences behave as they should."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.quality.counting import (
    GROUPS,
    LABEL_FIGURES,
    SINGLE,
    count_items,
    draw_weights,
    estimate,
    f1_score,
    figures,
)
from benchmarks.quality.running import TUNED, Answered
from benchmarks.quality.splits import flatten
from benchmarks.quality.table import build_table
from gapnlp.classifier.measure import macro, measure
from gapnlp.ingest.gold import read_gold
from gapnlp.records.labels import DIMENSIONS, EXPECTATIONS, GAPS, POLARITIES, SENTIMENTS, Labels

labels = st.builds(
    Labels,
    sentiment=st.sampled_from(SENTIMENTS),
    dimensions=st.dictionaries(st.sampled_from(DIMENSIONS), st.sampled_from(POLARITIES), max_size=3),
    gaps=st.lists(st.sampled_from(GAPS), unique=True, max_size=2).map(tuple),
    expectation=st.sampled_from(EXPECTATIONS),
    churn=st.booleans(),
)
items = st.lists(st.lists(st.tuples(labels, labels), max_size=4), min_size=1, max_size=5)


@settings(max_examples=60, deadline=None)
@given(items)
def test_figures_are_those_of_the_projects_measure(pairs):
    gold, guess = [[g for g, _ in item] for item in pairs], [[p for _, p in item] for item in pairs]
    found = figures(count_items(gold, guess))
    expected = measure(zip(gold, guess, strict=True))
    named = {g: getattr(expected, g) for g in GROUPS}
    wanted = {f"{g}.{x}": value for g, values in named.items() for x, value in values.items()}
    wanted |= {g: macro(values) for g, values in named.items()} | {s: getattr(expected, s) for s in SINGLE}
    wanted["headline"] = expected.headline
    assert set(found) == set(wanted)
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name], [np.nan if value is None else value], err_msg=name)


def test_another_number_of_predictions_than_segments_is_refused():
    label = Labels("neg", {})
    with pytest.raises(ValueError, match="zip"):
        count_items([[label, label]], [[label]])


def test_a_replicate_weighs_items_and_draws_as_many_as_there_are():
    weights = draw_weights(7, 50)
    assert weights.shape == (50, 7)
    assert (weights.sum(axis=1) == 7).all()
    assert not np.array_equal(weights, draw_weights(7, 50, seed=1))


def test_weights_of_one_give_the_plain_figures():
    right, wrong = Labels("neg", {"empathy": "neg"}), Labels("pos", {})
    counts = count_items([[right], [right], [wrong]], [[right], [wrong], [wrong]])
    plain, weighted = figures(counts), figures(counts, np.array([[1.0, 1, 1], [3, 0, 0]]))
    assert weighted["sentiment.neg"][0] == plain["sentiment.neg"][0] == pytest.approx(2 / 3)
    assert weighted["sentiment.neg"][1] == 1.0


def test_f1_of_nothing_does_not_exist():
    assert np.isnan(f1_score(np.zeros((1, 3)))).all()
    assert estimate(float("nan"), np.array([0.5])).value is None


def test_an_estimate_leaves_out_replicates_without_the_figure():
    found = estimate(0.5, np.array([np.nan, 0.4, 0.6]))
    assert (found.value, found.low, found.high) == (0.5, 0.405, 0.595)


def test_the_interval_narrows_as_items_are_added():
    def width(n: int) -> float:
        gold = [[Labels("neg" if i % 2 else "pos", {})] for i in range(n)]
        guess = [[Labels("neg" if i % 3 else "pos", {})] for i in range(n)]
        counts = count_items(gold, guess)
        found = estimate(figures(counts)["sentiment"][0], figures(counts, draw_weights(n, 500))["sentiment"])
        return found.high - found.low

    assert width(600) < 0.6 * width(60)


@pytest.fixture(scope="module")
def dev(tiny_gold):
    return flatten(list(read_gold(tiny_gold / "dev.jsonl")), "en")


def spoilt(dev, every: int):
    flat = [Labels("neu", {}) if i % every == 0 else x for i, x in enumerate(dev.labels)]
    return dev.grouped(flat)


def test_the_best_peer_is_compared_with_and_the_best_of_the_usual_ones(dev):
    answered = [
        Answered("ours", "", True, spoilt(dev, 9)),
        Answered("good", "", False, spoilt(dev, 3)),
        Answered("good" + TUNED, "", False, spoilt(dev, 4)),
        Answered("poor", "", False, spoilt(dev, 2)),
    ]
    table = build_table(dev, answered, replicates=200)
    assert [(d.name, d.peer) for d in table.differences] == [("ours", "good_tuned"), ("ours", "good")]
    rows = {r.name: r.figures["headline"].value for r in table.rows}
    for difference in table.differences:
        found = difference.figures["headline"]
        assert found.value == pytest.approx(rows["ours"] - rows[difference.peer], abs=2e-4)
        assert found.low < found.value < found.high


def test_a_classifier_is_not_ahead_of_itself(dev):
    answered = [Answered("ours", "", True, spoilt(dev, 3)), Answered("same", "", False, spoilt(dev, 3))]
    (difference,) = build_table(dev, answered, replicates=100).differences
    assert difference.at_most_zero == 1.0
    assert (difference.figures["headline"].low, difference.figures["headline"].high) == (0.0, 0.0)


def test_positives_are_counted_in_gold(dev):
    table = build_table(dev, [Answered("ours", "", True, spoilt(dev, 2))], replicates=10)
    assert set(table.positives) == set(LABEL_FIGURES)
    assert table.positives["sentiment.pos"] == sum(x.sentiment == "pos" for x in dev.labels)
    assert table.positives["gaps.delivery"] == sum("delivery" in x.gaps for x in dev.labels)
