from datetime import date

import pytest

from gapnlp.aggregator.evidence import SAMPLE, STRONGEST
from gapnlp.aggregator.tally import Tally
from gapnlp.aggregator.typical import pick_evidence, pick_typical, trigram_similarity
from gapnlp.records.labels import LABEL_INDEX, LABELS, Labels
from gapnlp.records.quotes import CONTEXT, LONGEST

LATE = Labels("neg", {"reliability": "neg"}, ("delivery",))
TOPIC = ("gap", "delivery")


def values(probability):
    given = [0.5] * len(LABELS)
    given[LABEL_INDEX["gap:delivery"]] = probability
    return given


def tally_of(items, **options):
    tally = Tally(**options)
    tally.add(items)
    return tally


def strongest(tally, topic=TOPIC):
    return [e for _, e in tally.evidence.strongest[topic].ranked()]


def test_offsets_point_at_the_customers_words(some_items):
    tally = tally_of(some_items, by_group=True, period="month")
    texts = {a.feedback.id: a.feedback.text for a in some_items}
    for sketches in (tally.evidence.strongest, tally.evidence.sample):
        for topic, sketch in sketches.items():
            limit = (STRONGEST if sketches is tally.evidence.strongest else SAMPLE)[topic[0]]
            assert 0 < len(sketch.entries) <= limit
            for _, e in sketch.ranked():
                text = texts[e.item_id]
                assert text[e.start : e.end] == e.text
                assert text[: e.start].endswith(e.before)
                assert text[e.end :].startswith(e.after)
                assert max(len(e.before), len(e.after)) <= CONTEXT


def test_strongest_come_by_probability_and_texts_once(make_analysis):
    items = [
        make_analysis(i, [(f"the parcel came {i} days late", LATE, ())], values=values(i / 100)) for i in range(40)
    ]
    items.append(make_analysis(50, [("The parcel  came 39 days LATE", LATE, ())], values=values(0.99)))
    found = strongest(tally_of(items))
    assert [e.probability for e in found] == [0.99] + [i / 100 for i in range(38, 27, -1)]
    assert found[0].text == "The parcel  came 39 days LATE"


def test_ties_do_not_depend_on_the_order_of_arrival(make_analysis):
    items = [make_analysis(i, [(f"the parcel came {i} days late", LATE, ())]) for i in range(30)]
    assert strongest(tally_of(items)) == strongest(tally_of(items[::-1]))
    twins = [make_analysis(i, [("the parcel came very late", LATE, ())]) for i in (9, 4, 7)]
    assert [e.row for e in strongest(tally_of(twins))] == [4]


def test_poor_lengths_come_last(make_analysis):
    items = [
        make_analysis(2, [("late!", LATE, ())], values=values(0.99)),
        make_analysis(3, [("late " * 100, LATE, ())], values=values(0.98)),
        make_analysis(4, [("the parcel came a week late", LATE, ())], values=values(0.5)),
        make_analysis(5, [("晚了一个星期才到", LATE, ())], values=values(0.4), language="zh"),
    ]
    assert [e.row for e in strongest(tally_of(items))] == [4, 5, 2, 3]


def test_long_sentences_are_cut_with_true_offsets(make_analysis):
    long = "so late that " * 60
    tally = tally_of([make_analysis(2, [("first of all", Labels("neu", {}), ()), (long, LATE, ())])])
    (e,) = strongest(tally)
    assert len(e.text) == LONGEST == e.end - e.start
    assert e.text == long[:LONGEST]
    assert e.before == "first of all "
    assert e.after == long[LONGEST : LONGEST + CONTEXT]


def test_evidence_carries_what_traces_it(make_analysis):
    item = make_analysis(
        7, [("the parcel came a week late", LATE, ())], date=date(2025, 5, 1), rating=2.0, group="north", id="A-7"
    )
    (e,) = strongest(tally_of([item]))
    assert (e.item_id, e.file, e.row, e.language) == ("A-7", "reviews.csv", 7, "en")
    assert (e.date, e.rating, e.group, e.kind) == (date(2025, 5, 1), 2.0, "north", "strongest")


def test_typical_sentences_come_from_the_largest_families():
    def evidence(i, text):
        from gapnlp.records.report import Evidence

        return ((0, i), Evidence(str(i), "f", i, 0, len(text), text, "", "", "en", "typical", 0.9))

    late = [evidence(i, f"the courier brought it {i} days too late") for i in range(12)]
    rude = [evidence(20 + i, f"staff at desk {i} shouted at us rudely") for i in range(6)]
    odd = [evidence(40, "zyx vwu tsr qpo nml")]
    chosen = pick_typical(odd + rude + late, count=2)
    assert ["late" in e.text for e in chosen] == [True, False]
    assert "rudely" in chosen[1].text
    assert len(pick_typical(odd, count=3)) == 1
    assert pick_typical([]) == ()


def test_similarity_is_symmetric_and_bounded():
    matrix = trigram_similarity(["late parcel", "Late  parcel", "ok", "rude"])
    assert (matrix == matrix.T).all()
    assert matrix[0, 1] == 1
    assert matrix[0, 3] == 0
    assert matrix.diagonal() == pytest.approx(1)


def test_no_sentence_is_shown_twice_for_a_topic(some_items):
    tally = tally_of(some_items)
    shown = pick_evidence(tally.evidence, TOPIC)
    assert [e.kind for e in shown].count("typical") == 3
    assert len(shown) >= 12
    assert len({e.text for e in shown}) == len(shown)
    assert pick_evidence(tally.evidence, ("gap", "nothing")) == ()


def test_cells_keep_their_strongest_fault_and_praise(some_items):
    tally = tally_of(some_items, by_group=True)
    for polarity in ("neg", "pos"):
        mine = [a for a in some_items if a.feedback.group == "g1"]
        best = max(
            s.probabilities[LABEL_INDEX[f"sentiment:{polarity}"]]
            for a in mine
            for s in a.segments
            if s.labels.sentiment == polarity
        )
        found = strongest(tally, ("group", "g1", polarity))
        assert len(found) == 2
        assert found[0].probability == best
