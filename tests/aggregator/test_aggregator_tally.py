from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapnlp.aggregator.columns import COLUMNS, LANGUAGE_COLUMNS
from gapnlp.aggregator.rows import count_rows, sum_probabilities
from gapnlp.aggregator.tally import ALL, MOST_GROUPS, Tally
from gapnlp.aggregator.weights import draw_weights, item_key
from gapnlp.errors import InputError, StoreError
from gapnlp.records.feedback import Failure, Source
from gapnlp.records.labels import LABELS, Labels

KINDS = ("failed", "duplicate", "empty", "unsupported")


def failures(n):
    return [
        Failure(Source(f"f{i % 3}.csv", i), KINDS[i % 4], "not read", language="de" if i % 8 == 3 else None)
        for i in range(n)
    ]


def tally_of(items, lost=(), **options):
    tally = Tally(**{"by_group": True, "period": "month", **options})
    tally.add(items)
    tally.add_failures(lost)
    return tally


@st.composite
def partitions(draw, n=120):
    """The numbers below n in some order, cut into three lists."""
    order = draw(st.permutations(range(n)))
    first, second = sorted(draw(st.tuples(st.integers(0, n), st.integers(0, n))))
    return [list(order[:first]), list(order[first:second]), list(order[second:])]


@given(parts=partitions())
@settings(max_examples=25, deadline=None)
def test_merging_is_associative_commutative_and_equal_to_adding_at_once(some_items, parts):
    lost = failures(120)
    a, b, c = (tally_of([some_items[i] for i in part], [lost[i] for i in part]) for part in parts)
    at_once = tally_of(some_items[:120], lost).to_bytes()
    assert a.merge(b).merge(c).to_bytes() == at_once
    assert a.merge(b.merge(c)).to_bytes() == at_once
    assert c.merge(a).merge(b).to_bytes() == at_once
    in_chunks = Tally(by_group=True, period="month")
    for part in parts:
        in_chunks.add([some_items[i] for i in part])
        in_chunks.add_failures([lost[i] for i in part])
    assert in_chunks.to_bytes() == at_once


def test_merging_leaves_both_sides_alone_and_empty_is_neutral(some_items):
    left, right = tally_of(some_items[:50]), tally_of(some_items[50:90])
    before = left.to_bytes(), right.to_bytes()
    merged = left.merge(right)
    merged.add(some_items[90:100])
    assert (left.to_bytes(), right.to_bytes()) == before
    assert left.merge(Tally(by_group=True, period="month")).to_bytes() == before[0]


def test_large_additions_are_blocked_without_changing_anything(some_items, monkeypatch):
    at_once = tally_of(some_items).to_bytes()
    monkeypatch.setattr("gapnlp.aggregator.tally.BLOCK", 7)
    assert tally_of(some_items).to_bytes() == at_once


def test_round_trip_goes_on_counting(some_items):
    first = tally_of(some_items[:300], failures(40))
    resumed = Tally.from_bytes(first.to_bytes())
    resumed.add(some_items[300:])
    assert resumed.to_bytes() == tally_of(some_items, failures(40)).to_bytes()


def test_round_trip_keeps_the_dates(some_items):
    tally = tally_of(some_items)
    days = [a.feedback.date for a in some_items if a.feedback.date]
    stored = Tally.from_bytes(tally.to_bytes())
    assert (stored.first, stored.last) == (tally.first, tally.last) == (min(days), max(days))


def test_snapshots_are_small(some_items):
    assert len(tally_of(some_items).to_bytes()) < 400_000


@pytest.mark.parametrize("damage", [b"", b"PK", b"gapnlp tally 0\nabc", b"gapnlp tally 1\nabc"])
def test_damaged_or_foreign_snapshots_are_refused(damage):
    with pytest.raises(StoreError, match="delete the work file"):
        Tally.from_bytes(damage)


def test_cut_snapshot_is_refused(some_items):
    with pytest.raises(StoreError):
        Tally.from_bytes(tally_of(some_items[:20]).to_bytes()[:-100])


def test_snapshot_of_other_columns_is_refused(some_items, monkeypatch):
    stored = tally_of(some_items[:20]).to_bytes()
    monkeypatch.setattr("gapnlp.aggregator.snapshot._LAYOUT", "other")
    with pytest.raises(StoreError, match="another version"):
        Tally.from_bytes(stored)


def test_bootstrap_rows_are_weighted_sums_of_the_items(some_items):
    tally = tally_of(some_items)
    rows = count_rows(some_items)
    weights = draw_weights([item_key(a.feedback) for a in some_items]).astype(np.int64)
    np.testing.assert_array_equal(tally.replicated[0], rows.sum(axis=0))
    np.testing.assert_array_equal(tally.replicated[1:], weights.T @ rows)


def test_cells_and_languages_add_up(some_items):
    tally = tally_of(some_items)
    whole = sum(sums for sums in tally.languages.values())
    np.testing.assert_array_equal(whole[:, 0], tally.column("segments"))
    np.testing.assert_array_equal(
        whole[:, LANGUAGE_COLUMNS.index("probability:gap:delivery")], tally.column("probability:gap:delivery")
    )
    undated = sum(a.feedback.date is None for a in some_items)
    periods = sum(sums for key, sums in tally.cells.items() if key[0] == "period")
    assert tally.cells[ALL][0] - periods[0] == undated == 600 - periods[0]


def test_counts_by_hand(make_analysis):
    bad = Labels("neg", {"reliability": "neg", "empathy": "pos"}, ("delivery", "customer"), "unmet", True)
    both = Labels("mixed", {"reliability": "neu"}, ("delivery",))
    good = Labels("pos", {"reliability": "pos"}, (), "met")
    tally = Tally()
    tally.add(
        [
            make_analysis(2, [("late again", bad, ()), ("well, so so", both, ())], satisfaction=0.25),
            make_analysis(3, [("on time", good, ())]),
            make_analysis(4, []),
        ]
    )
    expected = {
        "items": 3,
        "segments": 3,
        "dimension:reliability:neg": 1,
        "dimension:reliability:neu": 1,
        "items:dimension:reliability": 2,
        "expected:reliability": 2,
        "unmet:empathy": 1,
        "items:expected": 2,
        "gap:delivery": 2,
        "items:gap:delivery": 1,
        "unexplained:delivery": 2,
        "fault:delivery:reliability": 2,
        "fault:delivery:empathy": 0,
        "sentiment:mixed": 1,
        "expectation:met": 1,
        "items:churn": 1,
        "rating:n": 1,
        "rating:y": 25,
        "rating:yy": 625,
        "rating:x:reliability": -1,
        "rating:xy:empathy": 25,
        "sentiment:n": 2,
        "sentiment:y": 50,
        "sentiment:yy": 12_500,
        "sentiment:xx:reliability:reliability": 2,
        "sentiment:xx:reliability:empathy": -1,
    }
    assert {name: tally.count(name) for name in expected} == expected


def test_probabilities_are_summed_in_ten_thousandths(make_analysis):
    def part(delivery):
        return [delivery if label == "gap:delivery" else 0.25 for label in LABELS]

    items = [
        make_analysis(2, [("late again", Labels("neg", {}), ())] * 3, values=part(0.12346)),
        make_analysis(3, []),
        make_analysis(4, [("on time", Labels("pos", {}), ())], values=part(0.00004), language="pl"),
        make_analysis(5, [("so so", Labels("neu", {}), ())], values=part(1.0), language="pl"),
    ]
    rows = sum_probabilities(items)
    assert rows.dtype == np.int64
    assert rows[:, LABELS.index("gap:delivery")].tolist() == [3 * 1235, 0, 0, 10_000]
    assert rows[:, LABELS.index("gap:policy")].tolist() == [7500, 0, 2500, 2500]
    tally = Tally()
    tally.add(items)
    assert tally.count("probability:gap:delivery") == 13_705
    place = LANGUAGE_COLUMNS.index("probability:gap:delivery")
    assert {name: int(sums[0, place]) for name, sums in tally.languages.items()} == {"en": 3705, "pl": 10_000}
    assert sum_probabilities([make_analysis(6, [])]).tolist() == [[0] * len(LABELS)]
    assert sum_probabilities([]).shape == (0, len(LABELS))


def test_very_long_items_are_summed_exactly(make_analysis):
    words = [("late again", Labels("neg", {}), ())]
    items = [make_analysis(row, words * 20_000, values=0.99989) for row in (2, 3)]
    tally = Tally()
    tally.add(items)
    weights = draw_weights([item_key(a.feedback) for a in items]).astype(np.int64)
    expected = weights.sum(axis=0) * 20_000 * 9999
    np.testing.assert_array_equal(tally.column("probability:gap:policy")[1:], expected)


def test_polarity_column_agrees_with_the_record(some_items):
    rows = count_rows(some_items)
    y = rows[:, COLUMNS.index("sentiment:y")]
    np.testing.assert_allclose(y / 100, [a.polarity for a in some_items], atol=0.0051)


def test_explained_segments_are_not_counted_as_unexplained(make_analysis):
    from gapnlp.taxonomy.catalogue import load_structure

    cause = next(c.key for c in load_structure().causes.values() if c.gap == "delivery")
    labels = Labels("neg", {}, ("delivery", "policy"))
    tally = Tally()
    tally.add([make_analysis(2, [("nobody at the desk", labels, (cause,))])])
    assert tally.count("unexplained:delivery") == 0
    assert tally.count("unexplained:policy") == 1
    assert tally.cause(cause)[0] == 1


def test_too_many_groups_stop_and_leave_the_tally_as_it_was(make_analysis):
    labels = Labels("neg", {})
    items = [make_analysis(i, [("a plain word", labels, ())], group=f"shop {i}") for i in range(MOST_GROUPS + 1)]
    tally = Tally(by_group=True)
    tally.add(items[:-1])
    before = tally.to_bytes()
    with pytest.raises(InputError, match="choose one with fewer"):
        tally.add(items[-1:])
    assert tally.to_bytes() == before
    other = Tally(by_group=True)
    other.add(items[-1:])
    with pytest.raises(InputError, match="choose one with fewer"):
        tally.merge(other)


def test_groups_are_ignored_unless_asked_for(make_analysis):
    tally = Tally()
    tally.add([make_analysis(2, [("a plain word", Labels("neu", {}), ())], group="x", date=date(2025, 1, 1))])
    assert set(tally.cells) == {ALL}
    assert (tally.first, tally.last) == (date(2025, 1, 1), date(2025, 1, 1))


@pytest.mark.parametrize(
    ("period", "day", "label"),
    [
        ("week", date(2024, 12, 30), "2025-W01"),
        ("week", date(2025, 2, 10), "2025-W07"),
        ("week", date(2021, 1, 3), "2020-W53"),
        ("month", date(2025, 3, 31), "2025-03"),
        ("quarter", date(2025, 3, 31), "2025-Q1"),
        ("quarter", date(2025, 12, 1), "2025-Q4"),
    ],
)
def test_period_labels(make_analysis, period, day, label):
    tally = Tally(period=period)
    tally.add([make_analysis(2, [("a plain word", Labels("neu", {}), ())], date=day)])
    assert ("period", label) in tally.cells


def test_unknown_period_is_refused():
    with pytest.raises(InputError, match="week, month, quarter"):
        Tally(period="day")


def test_tallies_of_different_breakdowns_do_not_merge():
    with pytest.raises(ValueError, match="different groups or periods"):
        Tally(period="week").merge(Tally(period="month"))


def test_every_row_is_accounted_for(some_items):
    tally = tally_of(some_items, failures(44))
    intake = tally.intake()
    assert intake.scored + intake.failed + intake.duplicate + intake.empty + intake.unsupported == intake.read == 644
    assert intake.unsupported == 11
    assert intake.unsupported_languages == {"de": 6, "unknown": 5}
    assert sum(intake.languages.values()) == 600
    assert intake.notices == sum(bool(a.feedback.notices) for a in some_items) == len(intake.noticed)


def test_first_failures_are_named_and_the_rest_counted():
    tally = Tally()
    lost = [Failure(Source("a.csv", row), "failed", "no text") for row in range(2500, 0, -1)]
    tally.add_failures(lost[:1300])
    tally.add_failures(lost[1300:])
    intake = tally.intake()
    assert intake.failed == 2500
    assert [f.source.row for f in intake.failures] == list(range(1, 501))


def test_one_kind_of_failure_does_not_hide_another():
    tally = Tally()
    tally.add_failures([Failure(Source("a.csv", row), "unsupported", "other", language="da") for row in range(2, 2002)])
    tally.add_failures([Failure(Source("z.csv", 9), "failed", "too long")])
    assert Failure(Source("z.csv", 9), "failed", "too long") in tally.intake().failures


def test_unknown_kinds_of_failure_are_refused():
    with pytest.raises(ValueError, match="lost"):
        Tally().add_failures([Failure(Source("a.csv", 2), "lost", "no text")])
