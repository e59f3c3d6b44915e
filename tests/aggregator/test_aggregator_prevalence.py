import numpy as np
import pytest
from scipy.special import expit, logit

from gapnlp.aggregator.prevalence import can_correct, correctable, estimate_corrected
from gapnlp.aggregator.weights import draw_weights
from gapnlp.records.error_counts import ShareError

SURE = ShareError(spread=0.0, positives=300, domains=10)
GOOD = ShareError(spread=0.4, positives=300, domains=10)


def replicate(weights, values):
    """The plain sum, then the bootstrap's."""
    return np.vstack([np.ones(len(values)), weights.T]) @ values


def counts_of(probabilities, sizes, *, first_key=0):
    """One language's counts from each item's sum of probabilities and its segments."""
    weights = draw_weights(range(first_key, first_key + len(sizes))).astype(float)
    return replicate(weights, probabilities), replicate(weights, np.asarray(sizes, dtype=float)).astype(np.int64)


def simulate(rng, share, *, n=400):
    """Items whose segments have probabilities around the item's own, which are around `share`: probabilities, items."""
    sizes = rng.integers(1, 5, size=n)
    item = np.repeat(rng.beta(4 * share, 4 * (1 - share), size=n), sizes)
    probabilities = rng.beta(3 * item + 1e-3, 3 * (1 - item) + 1e-3)
    return probabilities, np.repeat(np.arange(n), sizes)


def estimate(rng, probabilities, items, *, error):
    counts = counts_of(np.bincount(items, weights=probabilities), np.bincount(items), first_key=rng.integers(2**62))
    return estimate_corrected({"en": counts}, {"en": error}, label="gap:delivery", clusters=items[-1] + 1, level=0.95)


@pytest.mark.parametrize(
    ("error", "possible"),
    [
        (GOOD, True),
        (ShareError(0.4, 29, 10), False),
        (ShareError(0.4, 30, 10), True),
        (ShareError(0.0, 300, 0), False),
        (ShareError(0.4, 300, 1), False),
        (ShareError(3.0, 300, 2), True),
    ],
)
def test_an_error_that_rests_on_too_little_is_not_relied_on(error, possible):
    assert can_correct(error) is possible


def test_languages_are_left_out_only_when_stray():
    errors = {"en": GOOD, "pl": GOOD, "zh": ShareError(0.1, 12, 10)}
    assert correctable({"en": 900, "pl": 60, "zh": 40}, errors) == ("en", "pl")
    assert correctable({"en": 800, "pl": 60, "zh": 140}, errors) == ()
    assert correctable({"en": 10, "zh": 0}, errors) == ("en",)


def test_stray_languages_are_in_neither_share_nor_n():
    counts = {"en": counts_of(np.full(100, 0.2), np.ones(100)), "zh": counts_of(np.full(4, 1.0), np.ones(4))}
    e = estimate_corrected(counts, {"en": GOOD}, label="gap:delivery", clusters=104, level=0.95)
    assert e.value == pytest.approx(0.2)
    assert e.n == 100


@pytest.mark.parametrize("share", [0.03, 0.4])
def test_calibrated_probabilities_are_unbiased_where_decisions_are_not(share):
    rng = np.random.default_rng(5)
    decided, corrected, truth = [], [], []
    for _ in range(60):
        probabilities, items = simulate(rng, share)
        truth.append(np.mean(rng.binomial(20, probabilities)) / 20)
        decided.append(np.mean(probabilities >= 0.3))
        corrected.append(estimate(rng, probabilities, items, error=SURE).value)
    assert abs(np.mean(decided) / np.mean(truth) - 1) > 0.1
    assert abs(np.mean(corrected) / np.mean(truth) - 1) < 0.03


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_intervals_cover_shares_of_shifted_domains(share):
    rng = np.random.default_rng(8)
    covered, narrow, runs = 0, 0, 300
    for _ in range(runs):
        probabilities, items = simulate(rng, share)
        true = expit(logit(share) + GOOD.spread * rng.standard_normal())
        e = estimate(rng, probabilities, items, error=GOOD)
        unaware = estimate(rng, probabilities, items, error=SURE)
        covered += e.low <= true <= e.high
        narrow += unaware.low <= true <= unaware.high
    assert 0.92 <= covered / runs <= 0.98
    assert narrow / runs < 0.75


def test_spread_widens_the_interval_and_leaves_the_share():
    rng = np.random.default_rng(2)
    probabilities, items = simulate(rng, 0.2)
    counts = {"en": counts_of(np.bincount(items, weights=probabilities), np.bincount(items))}
    errors = [ShareError(spread, 300, 10) for spread in (0.0, 0.2, 0.5, 1.0)]
    found = [
        estimate_corrected(counts, {"en": error}, label="gap:delivery", clusters=400, level=0.95) for error in errors
    ]
    assert {e.value for e in found} == {found[0].value}
    assert found[0].value == pytest.approx(probabilities.mean())
    widths = [e.high - e.low for e in found]
    assert widths == sorted(widths)
    assert widths[1] > 1.3 * widths[0] > 0


def test_without_sampling_error_the_interval_is_that_of_the_spread():
    counts = {"en": counts_of(np.full(5000, 0.1), np.ones(5000))}
    e = estimate_corrected(counts, {"en": GOOD}, label="gap:policy", clusters=5000, level=0.95)
    low, high = expit(logit(0.1) + np.array([-1.96, 1.96]) * 0.4)
    assert e.low == pytest.approx(low, rel=0.08)
    assert e.high == pytest.approx(high, rel=0.08)


def test_the_same_counts_give_the_same_interval_and_labels_differ():
    counts = {"en": counts_of(np.linspace(0, 1, 200), np.ones(200))}
    first, again, other = (
        estimate_corrected(counts, {"en": GOOD}, label=label, clusters=200, level=0.95)
        for label in ("gap:policy", "gap:policy", "gap:delivery")
    )
    assert first == again
    assert first.value == other.value
    assert first.low != other.low


def test_languages_are_weighted_by_their_segments_and_err_by_their_own_spread():
    counts = {
        "en": counts_of(np.full(100, 0.5), np.ones(100)),
        "pl": counts_of(np.full(100, 0.3), np.full(100, 3), first_key=100),
    }
    wide = ShareError(1.0, 300, 10)

    def width(**errors):
        e = estimate_corrected(counts, errors, label="gap:delivery", clusters=200, level=0.95)
        assert e.value == pytest.approx((0.5 * 100 + 0.1 * 300) / 400)
        assert e.n == 400
        return e.high - e.low

    assert width(en=SURE, pl=SURE) < width(en=GOOD, pl=SURE) < width(en=wide, pl=SURE)
    assert width(en=SURE, pl=GOOD) < width(en=GOOD, pl=GOOD)


@pytest.mark.parametrize(("probability", "error"), [(0.0, SURE), (0.0, GOOD), (1.0, SURE), (1.0, GOOD)])
def test_shares_of_nothing_and_all_still_have_an_interval(probability, error):
    counts = {"en": counts_of(np.full(50, probability), np.ones(50))}
    e = estimate_corrected(counts, {"en": error}, label="gap:policy", clusters=50, level=0.95)
    assert e.value == probability
    assert 0 <= e.low <= e.value <= e.high <= 1
    assert 0.01 < e.high - e.low < 0.1


def test_a_single_item_breaks_nothing():
    counts = {"en": counts_of(np.array([1.2]), np.array([3]))}
    e = estimate_corrected(counts, {"en": GOOD}, label="gap:policy", clusters=1, level=0.95)
    assert e.value == pytest.approx(0.4)
    assert e.low < 0.3 < 0.5 < e.high


@pytest.mark.parametrize("errors", [{}, {"en": ShareError(0.1, 29, 10)}, {"pl": GOOD}])
def test_without_a_known_error_there_is_no_corrected_share(errors):
    counts = {"en": counts_of(np.full(80, 0.5), np.full(80, 2))}
    e = estimate_corrected(counts, errors, label="gap:delivery", clusters=80, level=0.95)
    assert (e.value, e.low, e.high, e.n) == (None, None, None, 160)
