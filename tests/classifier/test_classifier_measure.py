"""The measure against hand-made counts and against a second, independent implementation of its definition."""

from __future__ import annotations

import math
import random

import pytest

from gapnlp.classifier.measure import Measure, macro, measure
from gapnlp.records.labels import DIMENSIONS, EXPECTATIONS, GAPS, POLARITIES, SENTIMENTS, Labels


def labels(sentiment: str = "neg", dimensions=None, gaps=(), expectation: str = "none", churn: bool = False) -> Labels:
    return Labels(sentiment, dimensions or {}, tuple(gaps), expectation, churn)


def test_presence_and_polarity_by_hand():
    gold = [labels(dimensions={"empathy": "neg"}), labels(dimensions={"empathy": "pos"}), labels()]
    predicted = [labels(dimensions={"empathy": "neg"}), labels(dimensions={"empathy": "neg"}), labels()]
    result = measure([(gold, predicted)])
    assert result.segments == 3
    assert result.dimensions["empathy"] == 1.0
    # One right; one false alarm (neg) and one miss (pos): 2 * 1 / (2 * 1 + 1 + 1).
    assert result.dimensions_polarity["empathy"] == 0.5
    assert result.dimensions["tangibles"] is None


def test_gaps_expectation_and_churn_by_hand():
    gold = [labels(gaps=["delivery", "policy"], expectation="unmet", churn=True), labels(expectation="met"), labels()]
    predicted = [
        labels(gaps=["delivery"], expectation="unmet"),
        labels(expectation="exceeded"),
        labels(gaps=["policy"]),
    ]
    result = measure([(gold, predicted)])
    assert result.gaps == {"customer": None, "knowledge": None, "policy": 0.0, "delivery": 1.0, "communication": None}
    assert result.expectation_unmet == 1.0
    assert result.expectation_kept == 1.0  # met and exceeded are one
    assert result.churn == 0.0


def test_gold_mixed_is_left_out_of_sentiment_and_predicted_mixed_is_a_miss():
    gold = [labels("mixed"), labels("pos"), labels("neg")]
    predicted = [labels("neg"), labels("mixed"), labels("neg")]
    result = measure([(gold, predicted)])
    assert result.sentiment == {"neg": 1.0, "neu": None, "pos": 0.0}


def test_items_are_unions_of_their_segments():
    gold = [labels(dimensions={"empathy": "neg"}), labels(gaps=["policy"])]
    predicted = [labels(gaps=["policy"]), labels(dimensions={"empathy": "pos"})]
    result = measure([(gold, predicted), ([labels()], [labels(gaps=["policy"])])])
    assert result.item_dimensions["empathy"] == 1.0
    assert result.item_gaps["policy"] == pytest.approx(2 / 3)
    assert result.gaps["policy"] == 0.0


def test_headline_is_the_mean_of_what_is_known():
    gold = [labels("pos", {"empathy": "pos"}, expectation="unmet")]
    predicted = [labels("pos", {"empathy": "pos"})]
    assert measure([(gold, predicted)]).headline == pytest.approx((1 + 1 + 0) / 3)
    assert measure([]).headline is None


def test_items_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="zip"):
        measure([([labels()], [])])


def test_macro_leaves_the_unknown_out():
    assert macro({"a": 1.0, "b": None, "c": 0.5}) == 0.75
    assert macro({"a": None}) is None


def random_labels(rng: random.Random) -> Labels:
    return labels(
        rng.choice(SENTIMENTS),
        {d: rng.choice(POLARITIES) for d in DIMENSIONS if rng.random() < 0.3},
        [g for g in GAPS if rng.random() < 0.3],
        rng.choice(EXPECTATIONS),
        rng.random() < 0.2,
    )


def f1_of_sets(gold: set, predicted: set) -> float | None:
    """Harmonic mean of precision and recall, from sets of what is claimed; independent of the counts under test."""
    if not gold and not predicted:
        return None
    right = len(gold & predicted)
    precision = right / len(predicted) if predicted else 0.0
    recall = right / len(gold) if gold else 0.0
    return 2 * precision * recall / (precision + recall) if right else 0.0


def claims(items: list[list[Labels]], what) -> set:
    return {(i, j, claim) for i, item in enumerate(items) for j, x in enumerate(item) for claim in what(x)}


def item_claims(items: list[list[Labels]], what) -> set:
    return {(i, claim) for i, item in enumerate(items) for x in item for claim in what(x)}


def same(found: float | None, expected: float | None) -> bool:
    return found == expected if found is None or expected is None else math.isclose(found, expected)


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_an_independent_implementation(seed):
    rng = random.Random(seed)
    gold = [[random_labels(rng) for _ in range(rng.randint(1, 4))] for _ in range(rng.choice((1, 3, 40)))]
    predicted = [[rng.choice((x, random_labels(rng))) for x in item] for item in gold]
    result = measure(zip(gold, predicted, strict=True))

    def f1(what, collect=claims):
        return f1_of_sets(collect(gold, what), collect(predicted, what))

    for d in DIMENSIONS:
        assert same(result.dimensions[d], f1(lambda x, d=d: [d] if d in x.dimensions else []))
        assert same(result.dimensions_polarity[d], f1(lambda x, d=d: [x.dimensions[d]] if d in x.dimensions else []))
        assert same(result.item_dimensions[d], f1(lambda x, d=d: [d] if d in x.dimensions else [], item_claims))
    for g in GAPS:
        assert same(result.gaps[g], f1(lambda x, g=g: [g] if g in x.gaps else []))
        assert same(result.item_gaps[g], f1(lambda x, g=g: [g] if g in x.gaps else [], item_claims))
    assert same(result.expectation_unmet, f1(lambda x: ["u"] if x.expectation == "unmet" else []))
    assert same(result.expectation_kept, f1(lambda x: ["k"] if x.expectation in ("met", "exceeded") else []))
    assert same(result.churn, f1(lambda x: ["c"] if x.churn else []))
    judged = [
        [(g, p) for g, p in zip(a, b, strict=True) if g.sentiment != "mixed"]
        for a, b in zip(gold, predicted, strict=True)
    ]
    for s in ("neg", "neu", "pos"):
        pairs = [(i, j, g, p) for i, item in enumerate(judged) for j, (g, p) in enumerate(item)]
        expected = f1_of_sets(
            {(i, j) for i, j, g, _ in pairs if g.sentiment == s}, {(i, j) for i, j, _, p in pairs if p.sentiment == s}
        )
        assert same(result.sentiment[s], expected)
    assert same(result.headline, _headline(result))


def _headline(result: Measure) -> float | None:
    def mean(values):
        known = [v for v in values if v is not None]
        return sum(known) / len(known) if known else None

    groups = [result.dimensions_polarity.values(), result.gaps.values(), result.sentiment.values()]
    return mean([*(mean(g) for g in groups), result.expectation_unmet])
