import numpy as np
import pytest

from gapnlp.aggregator.audit import (
    LEAST_AUDITED,
    Population,
    Sample,
    clustering,
    estimate_audited,
    exact_interval,
)
from gapnlp.records.shares import wilson


def draw(rng, n, *, share=0.2, skill=2.0, tilt=0.0):
    """Truth and calibrated probabilities of n segments; tilt moves the log-odds, so that calibration is off."""
    odds = np.log(share / (1 - share)) + skill * rng.standard_normal(n)
    truth = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(float)
    return truth, 1 / (1 + np.exp(-(odds + tilt)))


def audit_of(rng, truth, values, n=100):
    chosen = rng.choice(len(truth), n, replace=False)
    sample = Sample(truth[chosen], values[chosen], chosen.astype(np.int64))
    return sample, Population(len(truth), float(values.mean()), float(values.var()))


def coverage(*, share, skill, tilt=0.0, runs=600, n=100, seed=3):
    rng = np.random.default_rng(seed)
    truth, values = draw(rng, 60_000, share=share, skill=skill, tilt=tilt)
    held, widths = 0, []
    for _ in range(runs):
        sample, population = audit_of(rng, truth, values, n)
        estimate = estimate_audited(sample, population, level=0.95).estimate
        held += estimate.low <= truth.mean() <= estimate.high
        widths.append(estimate.high - estimate.low)
    return held / runs, float(np.mean(widths)), float(truth.mean())


@pytest.mark.parametrize("tilt", [-1.5, 0.0, 1.5])
@pytest.mark.parametrize("share", [0.03, 0.1, 0.4])
def test_interval_holds_the_truth_as_often_as_stated_even_where_probabilities_are_off(share, tilt):
    held, _, _ = coverage(share=share, skill=1.5, tilt=tilt)
    assert 0.925 <= held <= 0.99


def test_rare_labels_are_held_at_least_as_often_as_stated():
    held, _, truth = coverage(share=0.002, skill=1.5)
    assert truth < 0.02
    assert held >= 0.94


def test_a_skilled_classifier_narrows_the_interval_and_a_useless_one_hardly_widens_it():
    _, skilled, truth = coverage(share=0.2, skill=4.0, runs=100)
    low, high = wilson(truth, 100, 1.96)
    assert skilled < 0.75 * (high - low)
    rng = np.random.default_rng(0)
    labels, values = draw(rng, 20_000)
    rng.shuffle(values)
    widths, weights = [], []
    for _ in range(100):
        audited = estimate_audited(*audit_of(rng, labels, values), level=0.95)
        widths.append(audited.estimate.high - audited.estimate.low)
        weights.append(audited.weight)
    low, high = wilson(float(labels.mean()), 100, 1.96)
    assert np.mean(widths) < 1.06 * (high - low)
    assert np.mean(weights) < 0.25


def test_the_estimate_is_not_biased_by_a_classifier_that_sees_the_label_everywhere():
    rng = np.random.default_rng(5)
    truth, values = draw(rng, 30_000, share=0.1, skill=1.0, tilt=2.0)
    assert values.mean() > truth.mean() + 0.15
    estimates = [estimate_audited(*audit_of(rng, truth, values), level=0.95).estimate.value for _ in range(300)]
    assert np.mean(estimates) == pytest.approx(truth.mean(), abs=0.006)


def test_without_variation_it_is_the_audit_alone():
    n = 120
    truth = np.zeros(n)
    truth[:12] = 1
    audited = estimate_audited(Sample(truth, np.full(n, 0.3), np.arange(n)), Population(4_000, 0.3, 0.0), level=0.95)
    assert audited.weight == 0
    assert audited.estimate.value == pytest.approx(0.1)
    low, high = wilson(0.1, n, 1.98)
    assert audited.estimate.low == pytest.approx(low, abs=0.002)
    assert audited.estimate.high == pytest.approx(high, abs=0.002)


@pytest.mark.parametrize("found", [0, 100])
def test_none_or_all_of_the_audit_still_has_a_width(found):
    truth = np.zeros(100)
    truth[:found] = 1
    values = np.linspace(0, 0.4, 100)
    audited = estimate_audited(Sample(truth, values, np.arange(100)), Population(900, 0.2, 0.0134), level=0.95)
    estimate = audited.estimate
    assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1
    assert estimate.high - estimate.low >= 0.03


def test_too_small_an_audit_gives_no_figure():
    n = LEAST_AUDITED - 1
    audited = estimate_audited(Sample(np.ones(n), np.ones(n), np.arange(n)), Population(500, 0.5, 0.1), level=0.95)
    assert audited.estimate.value is None
    assert audited.estimate.n == n


def test_everything_audited_leaves_only_the_chance_of_other_customers():
    rng = np.random.default_rng(2)
    truth, values = draw(rng, 200)
    everything = Sample(truth, values, np.arange(200))
    few = estimate_audited(everything, Population(200, float(values.mean()), float(values.var())), level=0.95)
    assert few.estimate.value == pytest.approx(truth.mean())
    many = estimate_audited(everything, Population(200_000, float(values.mean()), float(values.var())), level=0.95)
    assert many.estimate.high - many.estimate.low < few.estimate.high - few.estimate.low


def test_segments_of_few_items_count_for_less():
    rng = np.random.default_rng(1)
    truth, values = draw(rng, 100)
    population = Population(5_000, float(values.mean()), float(values.var()))
    apart = estimate_audited(Sample(truth, values, np.arange(100)), population, level=0.95).estimate
    truth = np.repeat(truth[:20], 5)
    together = estimate_audited(Sample(truth, values, np.repeat(np.arange(20), 5)), population, level=0.95).estimate
    assert together.high - together.low > 1.5 * (apart.high - apart.low)


def test_clustering_of_wholly_alike_segments_approaches_their_number():
    rng = np.random.default_rng(4)
    alike = np.repeat(rng.standard_normal(400), 3)
    assert clustering(alike, np.repeat(np.arange(400), 3)) == pytest.approx(3, abs=0.1)
    assert clustering(rng.standard_normal(1_200), np.repeat(np.arange(400), 3)) < 1.25
    assert clustering(rng.standard_normal(50), np.arange(50)) == 1.0


def test_exact_interval_by_hand():
    assert exact_interval(0, 100, level=0.95) == (0.0, pytest.approx(1 - 0.025 ** (1 / 100)))
    assert exact_interval(100, 100, level=0.95) == (pytest.approx(0.025 ** (1 / 100)), 1.0)
    low, high = exact_interval(5, 10, level=0.95)
    assert (low, high) == (pytest.approx(0.1871, abs=1e-4), pytest.approx(0.8129, abs=1e-4))
