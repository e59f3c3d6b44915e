from datetime import date

import pytest

from gapnlp.promises.ledger_build import LEDGER_CAVEATS, LedgerSettings, build_ledger
from gapnlp.promises.ledger_shares import MatcherError, correct_share, make_correction
from gapnlp.promises.ledger_tally import JudgedItem, LedgerTally
from gapnlp.promises.ledger_verdict import judge_promise
from gapnlp.records.analysis import Analysis, ScoredSegment, Segment
from gapnlp.records.feedback import Feedback, Source
from gapnlp.records.labels import LABELS, Labels
from gapnlp.records.promises import RELATIONS, CopyUnit, Quantity, Verdict
from gapnlp.records.report import Estimate

# Precision 3/4, recall 3/5: a decided item stands for 1.25 true ones.
ERROR = MatcherError(tp=60, fp=20, fn=40)
SURE = MatcherError(tp=10**7, fp=0, fn=0)


def settings(error=ERROR, **changes):
    return LedgerSettings(
        copy=("page.md",), inputs=(), models=(), matcher_error=dict.fromkeys(RELATIONS, error), **changes
    )


def unit(name, *, promise=True, entity=None, subject=None, quantity=None):
    return CopyUnit(name, f"Unit {name}.", "page.md", entity, "en", promise, False, 0.9, None, subject, quantity)


def judged(row, relations=(), *, sentiment="neu", day=None, entity=None, told=None, subjects=()):
    """One item of one segment. relations: (promise, relation) pairs. told: days."""
    text = f"Sentence {row} of a customer."
    scored = ScoredSegment(Segment(0, len(text), text), Labels(sentiment, {}), (0.5,) * len(LABELS))
    quantity = None if told is None else Quantity(float(told), "day", "=", f"{told} days", 0, 6)
    verdicts = tuple(Verdict(promise, relation, 0.9, quantity) for promise, relation in relations)
    feedback = Feedback(f"id{row}", text, Source("a.csv", row), date=day)
    return JudgedItem(Analysis(feedback, "en", (scored,), "v1"), entity, (verdicts,), (tuple(subjects),))


def tally_of(items, period=None):
    tally = LedgerTally(period=period)
    tally.add(items)
    return tally


def numbered(*parts):
    """Make items of (how many, keywords), each with its own row."""
    kinds = [keywords for n, keywords in parts for _ in range(n)]
    return [judged(row, **keywords) for row, keywords in enumerate(kinds)]


BREAK, KEEP = [("u1", "breaks")], [("u1", "keeps")]


def only_entry(ledger):
    (entry,) = ledger.entries
    return entry


def test_shares_counts_effect_and_evidence_by_hand():
    items = numbered(
        (12, {"relations": BREAK, "sentiment": "neg"}),
        (3, {"relations": KEEP, "sentiment": "pos"}),
        (1, {"relations": BREAK + KEEP}),
        (64, {"sentiment": "pos"}),
        (40, {"sentiment": "neg"}),
    )
    ledger = build_ledger(tally_of(items), units=(unit("u1"), unit("u2", promise=False)), settings=settings())
    entry = only_entry(ledger)
    assert (entry.breaks, entry.keeps, ledger.items, ledger.segments) == (13, 4, 120, 120)
    assert entry.break_share == correct_share(13, 120, correction=make_correction(ERROR, "breaks"), level=0.95)
    assert entry.break_share.value == pytest.approx(13 / 120 * 0.75 / 0.6)
    assert entry.keep_share.value == pytest.approx(4 / 120 * 0.75 / 0.6)
    assert entry.break_share.n == entry.keep_share.n == 120
    # (-12 + 3) / 16 for those who speak of it, (64 - 40) / 104 for the others.
    assert entry.effect == pytest.approx(-9 / 16 - 24 / 104)
    assert (len(entry.breaking), len(entry.keeping)) == (8, 4)
    assert (entry.told, entry.trend, entry.suggested) == (None, (), None)
    assert ledger.languages == {"en": 120}
    assert ledger.caveats == ("matcher_error", "self_selected", "no_dates")
    assert len(ledger.units) == 2


def test_effect_needs_five_who_speak_and_one_who_does_not():
    for spoken, others in ((4, 10), (9, 0)):
        tally = tally_of(numbered((spoken, {"relations": BREAK, "sentiment": "neg"}), (others, {})))
        assert only_entry(build_ledger(tally, units=(unit("u1"),), settings=settings())).effect is None


def test_told_and_suggested():
    promised = Quantity(2.0, "day", "<=", "2 days", 0, 6)
    items = [judged(day, BREAK, told=day) for day in range(1, 13)]
    entry = only_entry(build_ledger(tally_of(items), units=(unit("u1", quantity=promised),), settings=settings()))
    assert (entry.told.low_quartile, entry.told.median, entry.told.high_quartile) == (3.75, 6.5, 9.25)
    assert entry.suggested == "most customers tell of 10 days or less"


def test_trend_is_by_period_as_decided():
    items = numbered(
        (2, {"relations": BREAK, "day": date(2025, 1, 3)}),
        (8, {"day": date(2025, 1, 9)}),
        (5, {"day": date(2025, 3, 9)}),
        (4, {}),
    )
    trend = only_entry(build_ledger(tally_of(items, "month"), units=(unit("u1"),), settings=settings())).trend
    assert [(p.label, p.share.value, p.share.n) for p in trend] == [("2025-01", 0.2, 10), ("2025-03", 0.0, 5)]
    # Wilson's interval of 2 of 10.
    assert (trend[0].share.low, trend[0].share.high) == pytest.approx((0.0567, 0.5098), abs=1e-4)
    once = tally_of(items[:10], "month")
    assert only_entry(build_ledger(once, units=(unit("u1"),), settings=settings())).trend == ()


def test_entities_have_their_own_denominators():
    units = (unit("u1", entity="A"), unit("u2", entity="B"), unit("u3", entity="B"), unit("u4"), unit("u5", entity="C"))
    items = numbered(
        (6, {"relations": BREAK, "entity": "A", "day": date(2025, 1, 1), "sentiment": "neg"}),
        (14, {"entity": "A", "day": date(2025, 2, 1)}),
        (1, {"relations": [("u2", "breaks"), ("u4", "breaks")], "entity": "B", "day": date(2025, 1, 1)}),
        (29, {"entity": "B", "day": date(2025, 4, 1), "sentiment": "pos"}),
        (5, {}),
    )
    ledger = build_ledger(tally_of(items, "quarter"), units=units, settings=settings(SURE))
    entries = {entry.promise.id: entry for entry in ledger.entries}
    assert {name: e.break_share.n for name, e in entries.items()} == {"u1": 20, "u2": 30, "u3": 30, "u4": 55, "u5": 0}
    assert entries["u1"].break_share.value == pytest.approx(0.3)
    assert entries["u1"].effect == pytest.approx(-1.0)
    assert [(p.label, p.share.value) for p in entries["u2"].trend] == [("2025-Q1", 1.0), ("2025-Q2", 0.0)]
    assert entries["u1"].trend == ()
    assert entries["u5"].break_share == Estimate(None, None, None, 0)
    rows = [(row.entity, row.promises, row.items, row.break_share.value) for row in ledger.entities]
    assert rows == [("A", 1, 20, pytest.approx(0.3)), ("B", 2, 30, pytest.approx(1 / 30)), ("C", 1, 0, None)]
    assert "entities_without_items" in ledger.caveats


@pytest.mark.parametrize(
    ("items", "verdict"),
    [
        ((0, 0, 0), "silent"),
        ((2, 0, 2), "silent"),
        ((2, 2, 2), "silent"),
        ((3, 0, 3), "at_risk"),
        ((4, 0, 4), "at_risk"),
        ((5, 0, 5), "at_risk"),
        ((6, 0, 6), "broken"),
        ((20, 20, 40), "at_risk"),
        ((40, 10, 50), "broken"),
        ((0, 3, 3), "kept"),
        ((1, 4, 5), "at_risk"),
        ((2, 38, 40), "kept"),
        ((14, 26, 40), "at_risk"),
    ],
)
def test_verdicts(items, verdict):
    corrections = {relation: make_correction(SURE, relation) for relation in RELATIONS}
    share = correct_share(items[0], 100, correction=corrections["breaks"], level=0.95)
    assert judge_promise(items, break_share=share, corrections=corrections, level=0.95) == verdict


def test_a_ratio_alone_does_not_break_a_promise():
    corrections = {relation: make_correction(SURE, relation) for relation in RELATIONS}
    share = correct_share(6, 100_000, correction=corrections["breaks"], level=0.95)
    assert judge_promise((6, 0, 6), break_share=share, corrections=corrections, level=0.95) == "at_risk"


def test_entries_are_ordered_worst_first():
    parts = {"u1": (0, 10), "u2": (0, 0), "u3": (20, 1), "u4": (40, 2), "u5": (6, 6), "u6": (1, 0)}
    items, row = [], 0
    for name, (broken, kept) in parts.items():
        for relation, n in (("breaks", broken), ("keeps", kept)):
            for _ in range(n):
                items.append(judged(row := row + 1, [(name, relation)]))
    for draft in (False, True):
        ledger = build_ledger(
            tally_of(items), units=tuple(unit(name) for name in parts), settings=settings(SURE, draft=draft)
        )
        assert [(e.promise.id, e.verdict) for e in ledger.entries] == [
            ("u4", "broken"),
            ("u3", "broken"),
            ("u5", "at_risk"),
            ("u1", "kept"),
            ("u6", "silent"),
            ("u2", "silent"),
        ]
        assert ledger.draft is draft


def test_what_no_promise_covers():
    fault, praise = {"sentiment": "neg"}, {"sentiment": "pos"}
    items = numbered(
        (5, {"subjects": [("noise", "fault"), ("view", "fault")], **fault}),
        (3, {"subjects": [("parking", "fault"), ("delivery_time", "fault")], **fault}),
        (2, {"subjects": [("queues", "fault")], **fault}),
        (4, {"subjects": [("view", "praise"), ("noise", "topic")], **praise}),
        (6, {"subjects": [("courtesy", "praise")], **praise}),
    )
    units = (unit("u1", subject="delivery_time"), unit("u2", promise=False, subject="view"))
    ledger = build_ledger(tally_of(items), units=units, settings=settings())
    assert [(u.subject, u.items) for u in ledger.complaints] == [("noise", 5), ("view", 5), ("parking", 3)]
    assert [(u.subject, u.items) for u in ledger.praised] == [("courtesy", 6), ("view", 4)]
    assert (ledger.praised[0].share.value, ledger.praised[0].share.n) == (0.3, 20)
    assert len(ledger.praised[0].evidence) == 5


def test_at_most_twelve_subjects():
    items = numbered((3, {"subjects": [(f"s{i}", "fault") for i in range(20)], "sentiment": "neg"}))
    ledger = build_ledger(tally_of(items), units=(), settings=settings())
    assert [u.subject for u in ledger.complaints] == sorted(f"s{i}" for i in range(20))[:12]


@pytest.mark.parametrize(
    ("items", "units", "caveats"),
    [
        ([], (), ("no_promises", "no_items")),
        ([], ("u1",), ("no_items",)),
        ([judged(1)], (), ("no_promises", "one_item", "few_items", "matcher_error", "self_selected", "no_dates")),
        (
            [judged(1, BREAK, day=date(2025, 1, 1)), judged(2)],
            ("u1",),
            ("few_items", "matcher_error", "self_selected"),
        ),
    ],
)
def test_empty_input_gives_no_figures_but_caveats(items, units, caveats):
    ledger = build_ledger(tally_of(items), units=tuple(map(unit, units)), settings=settings())
    assert ledger.caveats == caveats
    assert set(caveats) <= set(LEDGER_CAVEATS)
    assert len(ledger.entries) == len(units)
    for entry in ledger.entries:
        assert entry.verdict == "silent"
        assert (entry.told, entry.effect, entry.suggested, entry.trend) == (None, None, None, ())
        assert (entry.break_share.value is None) == (not items)
    assert (ledger.praised, ledger.complaints, ledger.entities) == ((), (), ())


def test_another_language_is_told():
    ledger = build_ledger(LedgerTally(), units=(unit("u1"),), settings=settings(other_language=True))
    assert ledger.caveats == ("no_items", "other_language")


def test_settings_are_checked():
    with pytest.raises(ValueError, match="keeps"):
        LedgerSettings(copy=(), inputs=(), models=(), matcher_error={"breaks": ERROR})
    with pytest.raises(ValueError, match="level"):
        settings(level=95)


def test_building_twice_gives_the_same():
    tally = tally_of(numbered((9, {"relations": BREAK}), (50, {})))
    built = [build_ledger(tally, units=(unit("u1"),), settings=settings()) for _ in range(2)]
    assert built[0] == built[1]
    assert tally.to_bytes() == LedgerTally.from_bytes(tally.to_bytes()).to_bytes()
