"""Targets, thresholds and error counts on examples counted by hand."""

from __future__ import annotations

import numpy as np

from gapnlp.classifier.decision import head_matrix
from gapnlp.records.error_counts import ErrorCounts
from gapnlp.records.labels import DIMENSIONS, GAPS, HEADS, LABELS, Labels
from training.operating_points import best_threshold, choose_thresholds, count_errors


def heads(labels: Labels) -> set[str]:
    (row,) = head_matrix([labels])
    return {HEADS[j] for j in np.flatnonzero(row)}


def test_targets_of_a_full_segment():
    labels = Labels("neg", {"empathy": "neg", "tangibles": "pos"}, ("policy", "delivery"), "unmet", True)
    expected = {"sentiment:neg", "gap:policy", "gap:delivery", "expectation:unmet", "churn"}
    expected |= {"dimension:empathy:neg", "presence:empathy", "dimension:tangibles:pos", "presence:tangibles"}
    assert heads(labels) == expected


def test_no_expectation_and_no_gap_have_no_head():
    assert heads(Labels("mixed", {})) == {"sentiment:mixed"}
    assert head_matrix([]).shape == (0, len(HEADS))


def test_threshold_at_the_peak_of_f1():
    # 60 positives above 0.5, all 140 others below: the smoothed F1 peaks near the border.
    probabilities = np.concatenate([np.linspace(0.99, 0.5, 60), np.linspace(0.49, 0.01, 140)])
    positive = np.array([1] * 60 + [0] * 140, dtype=np.int8)
    assert 0.44 <= best_threshold(probabilities, positive) <= 0.56
    shuffled = np.random.default_rng(0).permutation(200)
    assert best_threshold(probabilities[shuffled], positive[shuffled]) == best_threshold(probabilities, positive)


def test_few_positives_are_never_said():
    assert best_threshold(np.linspace(1, 0, 100), np.array([1] * 9 + [0] * 91, dtype=np.int8)) == 1.01


def test_few_rows_do_not_stop_the_choice():
    assert 0 <= best_threshold(np.linspace(1, 0, 12), np.array([1] * 10 + [0] * 2, dtype=np.int8)) <= 1


def test_thresholds_for_every_label():
    rng = np.random.default_rng(3)
    gold = [
        Labels(
            str(rng.choice(["neg", "neu", "pos", "mixed"])),
            {d: str(rng.choice(["neg", "pos"])) for d in DIMENSIONS if rng.random() < 0.4},
            tuple(g for g in GAPS if rng.random() < 0.4),
            str(rng.choice(["none", "unmet", "met", "exceeded"])),
            bool(rng.random() < 0.3),
        )
        for _ in range(300)
    ]
    targets = head_matrix(gold).astype(np.int8)
    values = 0.6 * targets[:, : len(LABELS)] + 0.2 * rng.random((300, len(LABELS)))
    chosen = choose_thresholds(values, targets)
    assert set(chosen.presence) == set(DIMENSIONS)
    assert set(chosen.gaps) == set(GAPS)
    assert set(chosen.expectations) == {"unmet", "met", "exceeded"}
    assert all(0.1 < t < 0.85 for t in (*chosen.presence.values(), *chosen.gaps.values(), chosen.churn))
    assert len(chosen.sentiment) == 4
    assert chosen.sentiment[0] == chosen.sentiment[2] == 1.0


def delivery(present: bool) -> Labels:
    return Labels("neg", {}, ("delivery",) if present else ())


def test_error_counts_with_few_positives_at_random_use_all_items_for_hits():
    #         hit    hit    miss   alarm  alarm  right
    gold = [delivery(x) for x in (True, True, True, False, False, False)]
    guess = [delivery(x) for x in (True, True, False, True, True, False)]
    random = [True, False, False, True, False, True]
    # Hits and misses over all; alarms and right refusals at random only.
    assert count_errors(gold, guess, random)["gap:delivery"] == ErrorCounts(tp=2, fn=1, fp=1, tn=1)


def test_error_counts_with_enough_positives_at_random_use_these_alone():
    gold = [delivery(True)] * 30 + [delivery(True)] * 10 + [delivery(False)] * 5
    guess = [delivery(True)] * 20 + [delivery(False)] * 10 + [delivery(False)] * 10 + [delivery(False)] * 5
    random = [True] * 30 + [False] * 10 + [True] * 5
    assert count_errors(gold, guess, random)["gap:delivery"] == ErrorCounts(tp=20, fn=10, fp=0, tn=5)


def test_error_counts_hold_every_head():
    assert set(count_errors([delivery(True)], [delivery(True)], [True])) == set(HEADS)
