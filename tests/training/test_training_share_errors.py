"""How far shares lie from the truth, on data where the answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from gapnlp.records.labels import HEADS, LABELS
from training.share_errors import SMALLEST_GROUP, held_out_domains, measure_share_errors

DOMAINS = ("bank", "clinic", "hotel", "shop")


def spreads(truth: np.ndarray, known: float, new: float) -> set[float]:
    """Spreads when every label has this truth in each domain, and these mean probabilities in known and new ones."""
    rows = len(truth) * len(DOMAINS)
    targets = np.tile(truth, len(DOMAINS)).reshape(rows, 1).repeat(len(HEADS), axis=1).astype(np.int8)
    values = [np.full((rows, len(LABELS)), p) for p in (known, new)]
    groups = (np.repeat(DOMAINS, len(truth)), np.ones(rows, dtype=bool))
    errors = measure_share_errors(values, targets, groups=groups)
    assert set(errors) == set(LABELS)
    assert {e.positives for e in errors.values()} == {len(DOMAINS) * int(truth.sum())}
    return {e.spread for e in errors.values()}


def share(part: float, n: int = 20_000) -> np.ndarray:
    return np.arange(n) < part * n


ONE_UNIT_DOWN = 1 / (1 + np.e)  # log-odds of -1; those of one half are 0


def test_held_out_domains_say_something_and_leave_enough():
    small, large = ["a"] * (SMALLEST_GROUP - 1), ["b"] * SMALLEST_GROUP
    rest = ["c"] * 10 * SMALLEST_GROUP
    assert held_out_domains(np.array([*small, *large, *rest])) == ["b"]
    assert held_out_domains(np.array(rest)) == []


def test_right_shares_have_no_spread():
    assert spreads(share(0.2), 0.2, 0.2) == {0.0}


@pytest.mark.parametrize(("part", "said"), [(0.5, ONE_UNIT_DOWN), (ONE_UNIT_DOWN, 0.5)])
def test_shares_one_unit_of_log_odds_off_have_a_spread_of_one(part, said):
    (spread,) = spreads(share(part), said, said)
    assert spread == pytest.approx(1.0, abs=0.01)


def test_known_and_new_domains_count_half_each():
    (spread,) = spreads(share(0.5), 0.5, ONE_UNIT_DOWN)
    assert spread == pytest.approx(0.5**0.5, abs=0.01)


def test_what_sampling_explains_is_no_error():
    truth = np.random.default_rng(5).random(SMALLEST_GROUP) < 0.3
    (spread,) = spreads(truth, 0.3, 0.3)
    assert spread < 0.2


def test_without_a_large_domain_nothing_stops():
    assert spreads(share(0.5, n=SMALLEST_GROUP // 2), 0.5, 0.5) == {0.0}
