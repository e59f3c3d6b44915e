import numpy as np
import pytest

from gapnlp.aggregator.prevalence import adjusted_count, can_correct, correctable, estimate_corrected
from gapnlp.aggregator.weights import draw_weights
from gapnlp.records.error_counts import ErrorCounts

GOOD = ErrorCounts(tp=160, fn=40, fp=40, tn=760)


def replicate(weights, values):
    return (np.vstack([np.ones(len(values)), weights.T]) @ values).astype(np.int64)


def test_adjusted_count_by_hand():
    # tpr 0.8, fpr 0.05: a true share of 0.2 is seen as 0.2 * 0.8 + 0.8 * 0.05 = 0.2.
    assert adjusted_count(0.2, GOOD) == pytest.approx(0.2)
    assert adjusted_count(0.425, GOOD) == pytest.approx(0.5)
    assert adjusted_count(0.01, GOOD) == 0
    assert adjusted_count(0.9, GOOD) == 1


@pytest.mark.parametrize(
    ("counts", "possible"),
    [
        (GOOD, True),
        (ErrorCounts(tp=9, fn=0, fp=0, tn=900), False),
        (ErrorCounts(tp=10, fn=0, fp=0, tn=900), True),
        (ErrorCounts(tp=20, fn=80, fp=90, tn=810), True),
        (ErrorCounts(tp=19, fn=81, fp=90, tn=810), False),
        (ErrorCounts(tp=50, fn=50, fp=0, tn=0), False),
    ],
)
def test_weak_or_unknown_classifiers_are_not_corrected(counts, possible):
    assert can_correct(counts) is possible


def test_languages_are_left_out_only_when_stray():
    errors = {"en": GOOD, "pl": GOOD}
    assert correctable({"en": 900, "pl": 60, "zh": 40}, errors) == ("en", "pl")
    assert correctable({"en": 800, "pl": 60, "zh": 140}, errors) == ()
    assert correctable({"en": 10, "zh": 0}, errors) == ("en",)


def simulate(rng, share, *, n=400, tpr=0.6, fpr=0.05):
    """One language's counts and error counts when the labelled set had 20 % positives."""
    tp, fp = rng.binomial(200, tpr), rng.binomial(800, fpr)
    sizes = rng.integers(1, 5, size=n)
    true = rng.binomial(sizes, rng.beta(2 * share, 2 * (1 - share), size=n))
    seen = rng.binomial(true, tpr) + rng.binomial(sizes - true, fpr)
    weights = draw_weights(rng.integers(0, 2**63, size=n).tolist()).astype(float)
    counts = {"en": (replicate(weights, seen), replicate(weights, sizes))}
    return counts, {"en": ErrorCounts(tp, 200 - tp, fp, 800 - fp)}, seen.sum() / sizes.sum()


@pytest.mark.parametrize("share", [0.02, 0.5])
def test_correction_removes_the_bias_that_a_shift_brings_and_covers(share):
    rng = np.random.default_rng(5)
    raw, corrected, covered, runs = [], [], 0, 200
    for _ in range(runs):
        counts, errors, observed = simulate(rng, share)
        e = estimate_corrected(counts, errors, label="gap:delivery", clusters=400, level=0.95)
        raw.append(observed)
        if e.value is not None:
            corrected.append(e.value)
            covered += e.low <= share <= e.high
    assert len(corrected) >= 0.97 * runs
    assert abs(np.mean(raw) - share) > 0.03
    assert abs(np.mean(corrected) - share) < 0.01
    assert covered / len(corrected) >= 0.9


def test_a_label_never_seen_still_has_an_interval():
    weights = draw_weights(range(50)).astype(float)
    counts = {"en": (replicate(weights, np.zeros(50)), replicate(weights, np.ones(50)))}
    errors = {"en": ErrorCounts(tp=50, fn=50, fp=0, tn=900)}
    e = estimate_corrected(counts, errors, label="gap:policy", clusters=50, level=0.95)
    assert e.value == 0
    assert e.high > 0.02


def test_fewer_labels_than_false_alarms_are_not_corrected():
    # 2 % labelled, though labelled sets say that 5 % of the others are labelled by mistake.
    rng = np.random.default_rng(0)
    weights = draw_weights(range(2000)).astype(float)
    counts = {"en": (replicate(weights, rng.random(2000) < 0.02), replicate(weights, np.ones(2000)))}
    e = estimate_corrected(counts, {"en": GOOD}, label="gap:policy", clusters=2000, level=0.95)
    assert (e.value, e.low, e.high, e.n) == (None, None, None, 2000)


def test_a_true_share_of_nothing_is_seldom_refused():
    rng = np.random.default_rng(1)
    refused = 0
    for _ in range(200):
        counts, errors, _ = simulate(rng, 1e-9)
        e = estimate_corrected(counts, errors, label="gap:policy", clusters=400, level=0.95)
        refused += e.value is None
    assert refused / 200 <= 0.14


def test_languages_are_weighted_by_their_segments():
    weights = draw_weights(range(100)).astype(float)
    ones = np.ones(100)
    some = (np.arange(100) % 2).astype(float)
    perfect = ErrorCounts(tp=10_000, fn=0, fp=0, tn=10_000)
    counts = {
        "en": (replicate(weights, some), replicate(weights, ones)),
        "pl": (replicate(weights, ones), replicate(weights, 3 * ones)),
    }
    e = estimate_corrected(counts, {"en": perfect, "pl": perfect}, label="gap:delivery", clusters=200, level=0.95)
    assert e.value == pytest.approx((0.5 * 100 + 300 / 3) / 400)
    assert e.n == 400


def test_without_error_counts_there_is_no_corrected_share():
    counts, _, _ = simulate(np.random.default_rng(0), 0.2)
    e = estimate_corrected(counts, {}, label="gap:delivery", clusters=400, level=0.95)
    assert (e.value, e.low, e.high) == (None, None, None)
    assert e.n == counts["en"][1][0]
