import numpy as np
import pytest
from scipy import stats

from gapnlp.aggregator.columns import COLUMNS, INDEX
from gapnlp.aggregator.comparisons import adjust_p, compare_cells, hypergeometric_p, permutation_p, ratio_of, upper_tail
from gapnlp.aggregator.moments import MOMENT_INDEX, SHARES, item_moments
from gapnlp.aggregator.rows import _fill_items
from gapnlp.records.labels import DIMENSIONS, GAPS

# The example of Benjamini and Hochberg (1995), section 3: at 0.05 they reject the four smallest.
BH_P = [
    0.0001,
    0.0004,
    0.0019,
    0.0095,
    0.0201,
    0.0278,
    0.0298,
    0.0344,
    0.0459,
    0.324,
    0.4262,
    0.5719,
    0.6528,
    0.759,
    1.0,
]


def test_benjamini_hochberg_on_its_own_example():
    q = adjust_p(BH_P)
    assert [v <= 0.05 for v in q] == [True] * 4 + [False] * 11
    assert q[3] == pytest.approx(0.0095 * 15 / 4)
    assert q == sorted(q)


def test_adjusted_p_keeps_the_order_given():
    shuffled = np.random.default_rng(0).permutation(15)
    q = adjust_p(BH_P)
    assert adjust_p([BH_P[i] for i in shuffled]) == [q[i] for i in shuffled]
    assert adjust_p([]) == []


def test_adjusted_p_equals_scipy():
    p = np.random.default_rng(1).random(200) ** 2
    np.testing.assert_allclose(adjust_p(p), stats.false_discovery_control(p))


@pytest.mark.parametrize(
    ("hits", "n", "all_hits", "total"),
    [(3, 4, 4, 8), (0, 40, 60, 300), (25, 40, 60, 300), (900, 5000, 20_000, 100_000)],
)
def test_hypergeometric_p_equals_scipy(hits, n, all_hits, total):
    law = stats.hypergeom(total, all_hits, n)
    expected = min(1, 2 * min(law.cdf(hits), law.sf(hits - 1)))
    assert hypergeometric_p(hits, n, all_hits=all_hits, total=total) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("skewness", [-0.8, 0.3, 1.5])
def test_upper_tail_equals_scipy_in_the_long_tail(skewness):
    z = np.array([0.5, 2.0, 4.0]) * np.sign(skewness)
    for value in z:
        tail = upper_tail(value, skewness) if skewness > 0 else upper_tail(-value, -skewness)
        assert tail == pytest.approx(
            max(stats.pearson3.sf(abs(value), abs(skewness)), stats.norm.sf(abs(value))), rel=1e-6
        )


def random_rows(n, rng):
    """Items whose dimensions range from balanced to nearly always praised, and gaps from common to very rare."""
    rows = np.zeros((n, len(COLUMNS)), dtype=np.int64)
    sizes = rng.integers(1, 6, size=n)
    happy = rng.beta(0.6, 0.6, size=n)
    rows[:, INDEX["segments"]] = sizes
    rows[:, INDEX["sentiment:pos"]] = rng.binomial(sizes, happy)
    rows[:, INDEX["sentiment:neg"]] = sizes - rows[:, INDEX["sentiment:pos"]]
    for d, mentioned, praised in zip(DIMENSIONS, (0.5, 0.3, 0.2, 0.1, 0.05), (0.5, 0.9, 0.97, 0.05, 0.5), strict=True):
        judging = rng.binomial(sizes, mentioned)
        praise = rng.binomial(judging, np.clip(0.5 * happy + 0.75 * praised - 0.2, 0, 1))
        rows[:, INDEX[f"dimension:{d}:pos"]] = praise
        rows[:, INDEX[f"dimension:{d}:neg"]] = judging - praise
    for g, rate in zip(GAPS, (0.3, 0.1, 0.03, 0.01, 0.003), strict=True):
        rows[:, INDEX[f"gap:{g}"]] = rng.binomial(sizes, 2 * rate * (1 - happy))
    _fill_items(rows)
    return rows


def compare(moments, groups):
    cells = [(str(k), moments[groups == k].sum(axis=0)) for k in range(groups.max() + 1)]
    return compare_cells(cells, moments.sum(axis=0), evidence=lambda name: (), level=0.95)


@pytest.mark.parametrize(("n", "groups"), [(600, 2), (2000, 25)])
def test_random_groups_rarely_differ(n, groups):
    rng = np.random.default_rng(3)
    runs, tables, p_values = 120, 0, []
    for _ in range(runs):
        found = compare(item_moments(random_rows(n, rng)), rng.choice(groups, size=n))
        tables += any(c.differs for cell in found for c in cell.comparisons)
        p_values += [c.p for cell in found for c in cell.comparisons if c.p is not None]
    assert tables / runs <= 0.11
    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.04, abs=0.02)
    assert np.mean(np.array(p_values) < 0.001) < 0.002


def test_permutation_p_equals_a_simulated_permutation_test():
    rng = np.random.default_rng(9)
    moments = item_moments(random_rows(400, rng))
    judging = moments[moments[:, MOMENT_INDEX["perception:reliability:n"]] > 0]
    everything = ratio_of(judging.sum(axis=0), "perception:reliability")
    a, b = (judging[:, MOMENT_INDEX[f"perception:reliability:{x}"]] for x in "ab")
    residuals = a - everything.value * b
    order = np.argsort(residuals + rng.normal(0, 6, size=len(residuals)))[:40]
    p = permutation_p(ratio_of(judging[order].sum(axis=0), "perception:reliability"), everything)
    drawn = np.array([rng.choice(residuals, 40, replace=False).sum() for _ in range(20_000)])
    simulated = 2 * min(np.mean(drawn <= residuals[order].sum()), np.mean(drawn >= residuals[order].sum()))
    assert 0.001 < p < 0.9
    assert p == pytest.approx(simulated, rel=0.15, abs=0.003)


def test_half_of_skewed_items_is_as_likely_high_as_low():
    # The sums of two halves mirror each other, however skewed the items are.
    rows = random_rows(2, np.random.default_rng(0))
    moments = np.repeat(item_moments(rows)[:1], 200, axis=0)
    first = MOMENT_INDEX["perception:empathy:n"]
    praised = np.arange(200) % 20 > 0
    a, b = np.where(praised, 1, -1), np.ones(200, dtype=np.int64)
    moments[:, first : first + 10] = np.stack([b, a, b, a * a, a, b, a * a * a, a * a, a, b], axis=1)
    everything = ratio_of(moments.sum(axis=0), "perception:empathy")
    faults = np.flatnonzero(~praised)
    half = np.concatenate([faults[:8], np.flatnonzero(praised)[:92]])
    rest = np.setdiff1d(np.arange(200), half)
    p = [permutation_p(ratio_of(moments[part].sum(axis=0), "perception:empathy"), everything) for part in (half, rest)]
    assert p[0] == pytest.approx(p[1])
    tail = np.random.default_rng(1).hypergeometric(10, 190, 100, size=50_000)
    # Without continuity correction the approximation lies between P(X >= 8) and P(X > 8).
    assert 2 * np.mean(tail > 8) < p[0] < 2 * np.mean(tail >= 8)


def test_planted_differences_are_found_with_their_direction():
    rng = np.random.default_rng(4)
    rows = random_rows(900, rng)
    groups = np.arange(900) % 3
    bad = groups == 1
    rows[bad, INDEX["dimension:reliability:neg"]] += 1
    rows[bad, INDEX["gap:delivery"]] = 1
    _fill_items(rows)
    worse = {c.measure: c for c in compare(item_moments(rows), groups)[1].comparisons}
    assert worse["perception:reliability"].differs
    assert worse["perception:reliability"].difference < -0.5
    assert worse["gap:delivery"].differs
    assert worse["gap:delivery"].estimate.value == 1
    assert not worse["perception:empathy"].differs


def test_small_cells_do_not_speak_and_do_not_count_as_tests():
    rng = np.random.default_rng(5)
    moments = item_moments(random_rows(329, rng))
    groups = np.array([1] * 29 + [0] * 300)
    large, small = compare(moments, groups)
    assert large.enough
    assert not small.enough
    assert (small.items, small.comparisons) == (29, ())


def test_the_only_group_has_nothing_to_compare_with():
    moments = item_moments(random_rows(100, np.random.default_rng(6)))
    (cell,) = compare(moments, np.zeros(100, dtype=int))
    assert all(c.rest is None and c.p is None and not c.differs for c in cell.comparisons)
    assert all(c.estimate.value is not None for c in cell.comparisons if c.measure in SHARES)
