from itertools import permutations

import numpy as np
import pytest

from gapnlp.aggregator.importance import Moments, choose_outcome, derive_importance, fit_effects, lmg_parts, lmg_shares
from gapnlp.aggregator.tally import Tally
from gapnlp.records.labels import DIMENSIONS, Labels


def moments_of(correlations, with_outcome):
    return Moments(np.array([correlations], float), np.array([with_outcome], float), np.ones(1))


def test_lmg_of_two_dimensions_by_hand():
    # r12 = 0.5, ry1 = 0.6, ry2 = 0.4: R2 = (0.36 + 0.16 - 2 * 0.6 * 0.4 * 0.5) / 0.75 = 0.37333.
    moments = moments_of([[1, 0.5], [0.5, 1]], [0.6, 0.4])
    parts = lmg_parts(moments)
    both = 0.28 / 0.75
    np.testing.assert_allclose(parts, [[(0.36 + both - 0.16) / 2, (0.16 + both - 0.36) / 2]])
    shares, explained = lmg_shares(moments)
    assert explained[0] == pytest.approx(both)
    assert shares.sum() == pytest.approx(1)


def test_lmg_equals_the_mean_over_all_orders_of_entry():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 4)) @ rng.normal(size=(4, 4))
    y = x @ [1.0, -0.5, 0.0, 0.3] + rng.normal(size=300)
    x, y = x - x.mean(axis=0), y - y.mean()
    parts = lmg_parts(Moments((x.T @ x / 300)[None], (x.T @ y / 300)[None], np.array([y @ y / 300])))

    def r2(chosen):
        fit = x[:, chosen] @ np.linalg.lstsq(x[:, chosen], y, rcond=None)[0] if chosen else 0 * y
        return fit @ fit / (y @ y)

    by_order = np.zeros(4)
    for order in permutations(range(4)):
        for i, k in enumerate(order):
            by_order[k] += (r2(list(order[: i + 1])) - r2(list(order[:i]))) / 24
    np.testing.assert_allclose(parts[0], by_order, atol=1e-10)


def test_effects_are_least_squares_coefficients():
    np.testing.assert_allclose(fit_effects(moments_of([[2, 0], [0, 4]], [1, 1])), [[0.5, 0.25]])


def labelled(**dimensions):
    return Labels("neg" if "neg" in dimensions.values() else "pos", dimensions)


def rated_items(make_analysis, n=400, *, rated=1.0, seed=0):
    """Ratings that reliability moves by 0.3 and empathy by 0.1 of the scale; tangibles do nothing."""
    rng = np.random.default_rng(seed)
    items = []
    for row in range(n):
        x = {d: int(rng.integers(-1, 2)) for d in ("reliability", "empathy", "tangibles")}
        labels = labelled(**{d: "neg" if v < 0 else "pos" for d, v in x.items() if v})
        y = 0.5 + 0.3 * x["reliability"] + 0.1 * x["empathy"] + rng.normal(0, 0.05)
        satisfaction = float(np.clip(y, 0, 1)) if rng.random() < rated else None
        items.append(make_analysis(row, [("the driver left it", labels, ())], satisfaction=satisfaction))
    return items


def test_planted_effects_are_found(make_analysis):
    tally = Tally()
    tally.add(rated_items(make_analysis))
    found = derive_importance(tally.replicated, level=0.95)
    assert (found.outcome, found.items) == ("rating", 400)
    assert set(found.importances) == {"reliability", "empathy", "tangibles"}
    reliability, empathy, tangibles = (found.importances[d] for d in ("reliability", "empathy", "tangibles"))
    assert reliability.effect.value == pytest.approx(30, abs=1)
    assert empathy.effect.low < 10 < empathy.effect.high
    assert tangibles.effect.low < 0 < tangibles.effect.high
    assert reliability.share.value == pytest.approx(0.9, abs=0.03)
    assert sum(i.share.value for i in found.importances.values()) == pytest.approx(1)
    assert found.explained > 0.9
    assert found.caveats == ()


def test_few_ratings_fall_back_on_sentiment_with_a_caveat(make_analysis):
    tally = Tally()
    tally.add(rated_items(make_analysis, rated=0.1))
    found = derive_importance(tally.replicated, level=0.95)
    assert (found.outcome, found.items) == ("sentiment", 400)
    assert "importance_from_sentiment" in found.caveats


def test_ratings_that_never_vary_are_not_an_outcome(make_analysis):
    tally = Tally()
    tally.add([make_analysis(i, [("fine by me", labelled(empathy="pos"), ())], satisfaction=1.0) for i in range(50)])
    assert choose_outcome(tally.replicated[0]) == "sentiment"


def test_too_few_items_give_none(make_analysis):
    tally = Tally()
    tally.add(rated_items(make_analysis, n=29))
    found = derive_importance(tally.replicated, level=0.95)
    assert found.importances == {}
    assert found.explained is None
    assert found.caveats == ("importance_too_few",)


def test_dimensions_always_judged_together_are_inseparable(make_analysis):
    tally = Tally()
    rows = [labelled(empathy=p, assurance=p) for p in ("neg", "pos")]
    items = [make_analysis(i, [("as ever", rows[i % 2], ())], satisfaction=(i % 4) / 3) for i in range(80)]
    tally.add(items)
    found = derive_importance(tally.replicated, level=0.95)
    assert found.importances == {}
    assert "importance_inseparable" in found.caveats


def test_pure_noise_is_called_weak(make_analysis):
    rng = np.random.default_rng(2)
    items = []
    for row in range(1000):
        labels = labelled(**{str(rng.choice(DIMENSIONS)): str(rng.choice(["neg", "pos"]))})
        items.append(make_analysis(row, [("so it was", labels, ())], satisfaction=float(rng.random())))
    tally = Tally()
    tally.add(items)
    found = derive_importance(tally.replicated, level=0.95)
    assert "importance_weak" in found.caveats
    assert sum(i.effect.low < 0 < i.effect.high for i in found.importances.values()) >= 4
