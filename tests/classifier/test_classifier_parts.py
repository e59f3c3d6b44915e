"""The parts of the linear classifier on examples worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapnlp.classifier.context import context_features
from gapnlp.classifier.decision import Thresholds, decide
from gapnlp.classifier.features import FeatureSpec, encode, fold, new_vectorizer, restored_vectorizer
from gapnlp.classifier.linear import combine
from gapnlp.records.labels import CHURN, DIMENSIONS, EXPECTATIONS, GAPS, HEADS, LABEL_INDEX, LABELS, POLARITIES

THRESHOLDS = Thresholds(
    presence=dict.fromkeys(DIMENSIONS, 0.5),
    gaps=dict.fromkeys(GAPS, 0.4),
    expectations={"unmet": 0.4, "met": 0.2, "exceeded": 0.1},
    sentiment=(1.0, 2.0, 1.0, 1.0),
    churn=0.3,
)


def row(**probabilities: float) -> np.ndarray:
    """Probabilities of one segment by label, with _ for the colons; the others are 0."""
    values = np.zeros((1, len(LABELS)))
    for name, value in probabilities.items():
        values[0, LABEL_INDEX[name.replace("_", ":")]] = value
    return values


def decided(**probabilities: float):
    (labels,) = decide(row(**probabilities), THRESHOLDS)
    return labels


def test_a_dimension_is_judged_when_its_polarities_together_reach_the_threshold():
    assert decided(dimension_empathy_neg=0.3, dimension_empathy_pos=0.2).dimensions == {"empathy": "neg"}
    assert decided(dimension_empathy_neg=0.3, dimension_empathy_pos=0.19).dimensions == {}


def test_polarity_is_the_most_probable_one():
    labels = decided(dimension_assurance_neu=0.6, dimension_assurance_pos=0.3, dimension_tangibles_pos=0.9)
    assert labels.dimensions == {"assurance": "neu", "tangibles": "pos"}


def test_gaps_come_in_the_order_of_the_model():
    assert decided(gap_communication=0.9, gap_customer=0.4, gap_policy=0.39).gaps == ("customer", "communication")


def test_sentiment_factors_weigh_before_the_largest_is_taken():
    assert decided(sentiment_neg=0.5, sentiment_neu=0.26).sentiment == "neu"
    assert decided(sentiment_neg=0.5, sentiment_neu=0.24).sentiment == "neg"


def test_of_expectations_the_one_furthest_above_its_threshold_wins():
    assert decided(expectation_unmet=0.6, expectation_exceeded=0.16).expectation == "exceeded"
    assert decided(expectation_unmet=0.7, expectation_exceeded=0.16).expectation == "unmet"
    assert decided(expectation_unmet=0.39, expectation_met=0.19).expectation == "none"
    assert decided(expectation_unmet=0.4).expectation == "unmet"


def test_churn_has_its_own_threshold():
    assert decided(churn=0.3).churn is True
    assert decided(churn=0.29).churn is False


def test_a_threshold_above_one_says_never():
    never = Thresholds(
        dict.fromkeys(DIMENSIONS, 1.01),
        dict.fromkeys(GAPS, 1.01),
        {e: 1.01 for e in EXPECTATIONS if e != "none"},
        (1.0, 1.0, 1.0, 1.0),
        1.01,
    )
    (labels,) = decide(np.ones((1, len(LABELS))) / len(POLARITIES), never)
    assert (labels.dimensions, labels.gaps, labels.expectation, labels.churn) == ({}, (), "none", False)


def test_nothing_is_decided_about_nothing():
    assert decide(np.zeros((0, len(LABELS))), THRESHOLDS) == ()


def test_polarities_sum_to_their_dimensions_presence():
    rng = np.random.default_rng(7)
    logits = rng.normal(scale=3, size=(20, len(HEADS)))
    values = combine(logits)
    for i, dimension in enumerate(DIMENSIONS):
        presence = 1 / (1 + np.exp(-logits[:, len(LABELS) + i]))
        columns = [LABEL_INDEX[f"dimension:{dimension}:{p}"] for p in POLARITIES]
        np.testing.assert_allclose(values[:, columns].sum(axis=1), presence, atol=1e-12)
    churn = LABEL_INDEX[CHURN]
    np.testing.assert_allclose(values[:, churn], 1 / (1 + np.exp(-logits[:, churn])), atol=1e-12)


def test_context_features_by_hand():
    logits = np.array([[1.0, 10.0], [2.0, 20.0], [6.0, 60.0], [5.0, 50.0]])
    texts = ["a", "bb", "ccc", ""]
    found = context_features(logits, texts, [3, 1])
    expected = [
        # own, previous, next, mean of the item, log(1 + length), opens the item
        [1, 10, 0, 0, 2, 20, 3, 30, math.log(2), 1],
        [2, 20, 1, 10, 6, 60, 3, 30, math.log(3), 0],
        [6, 60, 2, 20, 0, 0, 3, 30, math.log(4), 0],
        [5, 50, 0, 0, 0, 0, 5, 50, 0, 1],
    ]
    np.testing.assert_allclose(found, expected)


TEXTS = ["Paczka nie doszła!", "paczka doszła szybko", "nie polecam, nie doszła", "szybko i miło", "nie nie nie"]


@pytest.mark.parametrize(
    "spec",
    [FeatureSpec("char_wb", 2, 4, folded=True), FeatureSpec("char", 1, 3), FeatureSpec("word", 1, 2, 1)],
    ids=str,
)
def test_a_restored_vectorizer_is_as_it_was_fitted(spec):
    fitted = new_vectorizer(spec).fit(TEXTS)
    restored = restored_vectorizer(spec, list(fitted.get_feature_names_out()), fitted.idf_.astype(np.float32))
    new = [*TEXTS, "nigdy niewidziane słowa", "", "PACZKA?"]
    difference = encode([fitted], new) - encode([restored], new)
    assert abs(difference).max() < 1e-6
    assert encode([fitted], TEXTS).nnz > 0


def test_blocks_stand_side_by_side():
    specs = FeatureSpec("char", 1, 1, 1), FeatureSpec("word", 1, 1, 1)
    vectorizers = [new_vectorizer(s).fit(TEXTS) for s in specs]
    widths = [len(v.vocabulary_) for v in vectorizers]
    assert encode(vectorizers, TEXTS[:2]).shape == (2, sum(widths))


def test_marks_that_carry_a_tone_are_words():
    words = new_vectorizer(FeatureSpec("word", 1, 1, 1)).fit(["Really?! No."]).vocabulary_
    assert set(words) == {"really", "?", "!", "no"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Czekałem 14 dni, żałuję", "czekalem 00 dni, zaluje"),
        ("USER see URL now", "     see     now"),
        ("USERS say so", "users say so"),
        ("等了20分钟。", "等了00分钟."),
        ("İstanbul ٣", "istanbul 0"),
    ],
)
def test_folding_keeps_every_character_in_its_place(text, told):
    assert fold(text) == told
    assert len(fold(text)) == len(text)


@given(st.text(max_size=60))
def test_folding_twice_changes_nothing_more(text):
    assert len(fold(text)) == len(text)
    assert fold(fold(text)) == fold(text)
