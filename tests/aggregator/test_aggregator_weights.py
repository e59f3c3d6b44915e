from math import exp, factorial

import numpy as np

from gapnlp.aggregator.weights import REPLICATES, WEIGHT_COUNTS, draw_weights, item_key
from gapnlp.records.feedback import Feedback, Source


def test_weight_table_is_poisson_with_mean_and_variance_exactly_one():
    counts = np.array(WEIGHT_COUNTS)
    values = np.arange(len(counts))
    assert counts.sum() == 65536
    assert (counts * values).sum() == 65536
    assert (counts * (values - 1) ** 2).sum() == 65536
    poisson = [65536 * exp(-1) / factorial(k) for k in values]
    np.testing.assert_allclose(counts, poisson, atol=16)


def test_drawn_weights_have_mean_and_variance_about_one():
    weights = draw_weights(range(5000)).astype(float)
    assert weights.shape == (5000, REPLICATES)
    assert abs(weights.mean() - 1) < 0.005
    assert abs(weights.var() - 1) < 0.01
    np.testing.assert_allclose(weights.mean(axis=0), 1, atol=0.08)


def test_replicates_and_items_are_uncorrelated():
    weights = draw_weights(range(2000)).astype(float)
    between_replicates = np.corrcoef(weights[:, :60].T)
    between_items = np.corrcoef(weights[:60])
    for correlations, n in ((between_replicates, 2000), (between_items, REPLICATES)):
        off = correlations[~np.eye(60, dtype=bool)]
        assert np.abs(off).max() < 5 / np.sqrt(n)
        assert abs(off.std() * np.sqrt(n) - 1) < 0.15


def test_a_weight_depends_on_its_item_alone():
    together = draw_weights([3, 1, 2])
    assert (together[1] == draw_weights([1])[0]).all()
    assert not (together[0] == together[1]).all()


def test_item_key_tells_file_row_and_id_apart():
    feedback = [
        Feedback("1", "", Source("a.csv", 11)),
        Feedback("11", "", Source("a.csv", 1)),
        Feedback("1", "", Source("b.csv", 11)),
        Feedback("2", "", Source("a.csv", 11)),
    ]
    assert len({item_key(f) for f in feedback}) == 4
    assert item_key(feedback[0]) == item_key(Feedback("1", "other text", Source("a.csv", 11)))
