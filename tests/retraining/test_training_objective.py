"""What training minimises: gradients against finite differences, and what a likelihood means."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, softmax

from gapnlp.classifier.linear import FIRST_HEADS, combine, logits_of
from gapnlp.retraining.training.bags import pool_values
from gapnlp.retraining.training.objective import bag_loss, bag_targets, replay_loss

HEADS = len(FIRST_HEADS)


@st.composite
def problems(draw):
    """Bags of one to four segments, each label yes, no or not given."""
    lengths = np.asarray(draw(st.lists(st.integers(1, 4), min_size=1, max_size=4)))
    seed = draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    truth = rng.choice([-1, 0, 1], (len(lengths), HEADS), p=[0.4, 0.4, 0.2]).astype(np.int8)
    return lengths, truth, rng.normal(0, 2, (lengths.sum(), HEADS)), rng


def slope(loss, point, direction, step=1e-5):
    return (loss(point + step * direction) - loss(point - step * direction)) / (2 * step)


@settings(deadline=None, max_examples=60)
@given(problems())
def test_the_gradient_of_bags_is_that_of_finite_differences(problem):
    lengths, truth, logits, rng = problem
    targets = bag_targets(truth, lengths)
    gradient = bag_loss(logits, targets)[1]
    for _ in range(3):
        direction = rng.normal(size=logits.shape)
        expected = slope(lambda z: bag_loss(z, targets)[0].sum(), logits, direction)
        assert (gradient * direction).sum() == pytest.approx(expected, rel=1e-3, abs=1e-3)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000))
def test_the_gradient_of_replay_is_that_of_finite_differences(seed):
    rng = np.random.default_rng(seed)
    before, logits = rng.normal(0, 2, (2, 6, HEADS))
    weights = rng.uniform(0, 1, HEADS)
    gradient = replay_loss(logits, before, weights)[1]
    direction = rng.normal(size=logits.shape)
    expected = slope(lambda z: replay_loss(z, before, weights)[0], logits, direction)
    assert (gradient * direction).sum() == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_replay_is_least_where_nothing_has_moved():
    rng = np.random.default_rng(0)
    before = rng.normal(0, 2, (6, HEADS))
    gradient = replay_loss(before, before, np.ones(HEADS))[1]
    np.testing.assert_allclose(gradient, 0, atol=1e-12)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(0, 1000))
def test_every_answer_on_a_dimension_is_as_likely_as_counting_says(lengths, seed):
    """All answers that a bag can get on three polarities: their probabilities sum to one, and match a count by hand."""
    rng = np.random.default_rng(seed)
    lengths = np.asarray(lengths) + 2  # so that three polarities can be
    logits = rng.normal(0, 1.5, (lengths.sum(), HEADS))
    total = np.zeros(len(lengths))
    for answer in np.ndindex(2, 2, 2):
        truth = np.full((len(lengths), HEADS), -1, dtype=np.int8)
        truth[:, :3] = answer
        truth[:, 28] = int(any(answer))
        total += np.exp(-bag_loss(logits, bag_targets(truth, lengths))[0].sum(axis=1))
    np.testing.assert_allclose(total, 1, rtol=1e-9)


def test_one_segment_loses_what_its_label_says():
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 1, (1, HEADS))
    truth = np.full((1, HEADS), -1, dtype=np.int8)
    truth[0, :3], truth[0, 28] = (0, 0, 1), 1
    presence, polarity = expit(logits[0, 28]), softmax(logits[0, :3])
    found = bag_loss(logits, bag_targets(truth, np.asarray([1])))[0].sum()
    assert found == pytest.approx(-np.log(presence * polarity[2]))


def test_what_was_not_given_loses_nothing_and_pulls_nowhere():
    rng = np.random.default_rng(2)
    logits = rng.normal(0, 1, (5, HEADS))
    truth = np.full((2, HEADS), -1, dtype=np.int8)
    losses, gradient = bag_loss(logits, bag_targets(truth, np.asarray([2, 3])))
    assert not losses.any()
    assert not gradient.any()


def test_a_gap_of_a_ticket_is_as_likely_as_its_pooled_probability():
    rng = np.random.default_rng(3)
    logits, lengths = rng.normal(0, 1, (5, HEADS)), np.asarray([2, 3])
    column = FIRST_HEADS.index("gap:delivery")
    pooled = pool_values(combine(logits), lengths)[:, column]
    for answer in (0, 1):
        truth = np.full((2, HEADS), -1, dtype=np.int8)
        truth[:, column] = answer
        found = np.exp(-bag_loss(logits, bag_targets(truth, lengths))[0].sum(axis=1))
        np.testing.assert_allclose(found, pooled if answer else 1 - pooled)


def test_denied_sentiments_leave_the_others_open():
    logits = np.zeros((1, HEADS))
    truth = np.full((1, HEADS), -1, dtype=np.int8)
    truth[0, FIRST_HEADS.index("sentiment:neg")] = 0
    assert np.exp(-bag_loss(logits, bag_targets(truth, np.asarray([1])))[0].sum()) == pytest.approx(0.75)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10_000))
def test_log_odds_are_the_inverse_of_combining(seed):
    values = combine(np.random.default_rng(seed).normal(0, 3, (7, HEADS)))
    np.testing.assert_allclose(combine(logits_of(values)), values, atol=2e-6)
