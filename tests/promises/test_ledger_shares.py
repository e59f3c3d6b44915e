import numpy as np
import pytest
from scipy.stats import beta

from gapnlp.promises.ledger_shares import (
    MatcherError,
    bound_ratio,
    correct_share,
    count_share,
    make_correction,
)

PRECISE = MatcherError(tp=10**7, fp=0, fn=0)


def corrections(error=PRECISE):
    return {relation: make_correction(error, relation) for relation in ("breaks", "keeps")}


def test_precision_and_recall():
    error = MatcherError(tp=60, fp=20, fn=40)
    assert (error.precision, error.recall) == (0.75, 0.6)
    assert make_correction(error, "breaks").factor == pytest.approx(1.25)


@pytest.mark.parametrize("counts", [(0, 3, 3), (5, -1, 0), (5, 0, -1)])
def test_a_matcher_of_which_nothing_is_known_is_refused(counts):
    with pytest.raises(ValueError, match="measure it again"):
        MatcherError(*counts)


def test_draws_have_the_moments_of_the_dirichlet_distribution():
    error = MatcherError(tp=60, fp=20, fn=40)
    draws = make_correction(error, "breaks").draws
    expected = np.random.default_rng(3).dirichlet((60.5, 20.5, 40.5), 400_000)
    ratio = (expected[:, 0] + expected[:, 2]) / (expected[:, 0] + expected[:, 1])
    assert np.quantile(draws, (0.025, 0.5, 0.975)) == pytest.approx(np.quantile(ratio, (0.025, 0.5, 0.975)), rel=0.01)


def test_share_is_decided_times_precision_by_recall():
    share = correct_share(20, 100, correction=make_correction(MatcherError(60, 20, 40), "breaks"), level=0.95)
    assert share.value == pytest.approx(0.25)
    assert share.n == 100
    assert 0.15 < share.low < 0.2 < 0.3 < share.high < 0.4


def test_a_perfect_matcher_leaves_the_sampling_alone():
    share = correct_share(20, 100, correction=corrections()["breaks"], level=0.95)
    low, high = beta(20.5, 80.5).ppf((0.025, 0.975))  # Jeffreys' interval
    assert (share.value, share.low, share.high) == pytest.approx((0.2, low, high), abs=1e-3)


def test_shares_keep_inside_the_unit_interval_and_know_their_ends():
    much = make_correction(MatcherError(tp=20, fp=0, fn=60), "breaks")
    full = correct_share(90, 100, correction=much, level=0.95)
    assert (full.value, full.high) == (1.0, 1.0)
    none = correct_share(0, 100, correction=corrections()["breaks"], level=0.95)
    assert (none.value, none.low) == (0.0, 0.0)
    assert none.high == pytest.approx(1 - 0.025 ** (1 / 100), abs=1e-3)
    assert correct_share(0, 0, correction=much, level=0.95).value is None
    assert count_share(0, 0, level=0.95).value is None


def test_counted_share_is_wilsons():
    share = count_share(81, 263, level=0.95)
    assert (share.low, share.high) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_a_higher_level_is_wider():
    narrow, wide = (correct_share(20, 100, correction=corrections()["breaks"], level=level) for level in (0.8, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_ratio_is_corrected_by_both_relations():
    low, high = bound_ratio(30, 30, corrections=corrections(), level=0.95)
    assert (low, high) == pytest.approx((0.376, 0.624), abs=5e-3)
    # Half of the breaks are missed: the true ratio is 2/3, and it lies surely above one half.
    half = {
        "breaks": make_correction(MatcherError(10**5, 0, 10**5), "breaks"),
        "keeps": make_correction(PRECISE, "keeps"),
    }
    low, high = bound_ratio(30, 30, corrections=half, level=0.95)
    assert 0.5 < low < 2 / 3 < high


def test_ratio_ends():
    assert bound_ratio(0, 0, corrections=corrections(), level=0.95) == (0.0, 1.0)
    assert bound_ratio(0, 5, corrections=corrections(), level=0.95)[0] == 0.0
    assert bound_ratio(5, 0, corrections=corrections(), level=0.95)[1] == 1.0


def simulate(rng, *, n, share, precision, recall, held_out):
    """One data set under a matcher of known error, and held-out counts measured on that same matcher."""
    true = rng.random(n) < share
    hits = true & (rng.random(n) < recall)
    # False decisions that give that precision: they come at random among items where nothing is true.
    false_rate = share * recall * (1 - precision) / precision / (1 - share)
    decided = hits | (~true & (rng.random(n) < false_rate))
    kinds = np.array([recall, recall * (1 - precision) / precision, 1 - recall])
    tp, fp, fn = rng.multinomial(held_out, kinds / kinds.sum())
    return int(decided.sum()), MatcherError(max(1, int(tp)), int(fp), int(fn))


@pytest.mark.parametrize(("n", "share", "held_out"), [(400, 0.2, 300), (2000, 0.03, 300), (300, 0.05, 80)])
def test_corrected_share_is_unbiased_and_its_interval_holds_the_truth(n, share, held_out):
    rng = np.random.default_rng(11)
    values, raw, held, runs = [], [], 0, 300
    for _ in range(runs):
        decided, error = simulate(rng, n=n, share=share, precision=0.8, recall=0.6, held_out=held_out)
        found = correct_share(decided, n, correction=make_correction(error, "breaks"), level=0.95)
        values.append(found.value)
        raw.append(decided / n)
        held += found.low <= share <= found.high
    error_of_mean = np.std(values) / np.sqrt(runs)
    assert abs(np.mean(values) - share) < 3 * error_of_mean + 0.01 * share
    assert abs(np.mean(raw) - share) > 0.15 * share
    assert 0.92 <= held / runs <= 0.985
