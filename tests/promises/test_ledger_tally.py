import zlib
from datetime import date
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapnlp.errors import InputError, StoreError
from gapnlp.promises.ledger_tally import JudgedItem, LedgerTally
from gapnlp.records.analysis import Analysis, ScoredSegment, Segment
from gapnlp.records.feedback import Feedback, Source
from gapnlp.records.labels import LABELS, Labels
from gapnlp.records.promises import Quantity, Verdict
from gapnlp.records.quotes import CONTEXT, LONGEST

PROBABILITIES = (0.5,) * len(LABELS)


def item(segments, *, row=1, day=None, entity=None, language="en"):
    """Segments: (text, sentiment, verdicts, subjects)."""
    text, scored = "", []
    for words, sentiment, _, _ in segments:
        start = len(text)
        text += words + " "
        scored.append(
            ScoredSegment(
                Segment(start, start + len(words), words), Labels(sentiment=sentiment, dimensions={}), PROBABILITIES
            )
        )
    feedback = Feedback(f"id{row}", text, Source("a.csv", row), date=day, rating=2.0, group=entity)
    analysis = Analysis(feedback, language, tuple(scored), "v1")
    return JudgedItem(analysis, entity, tuple(tuple(s[2]) for s in segments), tuple(tuple(s[3]) for s in segments))


def breaks(promise="u1", probability=0.9, told=None):
    return Verdict(promise, "breaks", probability, told)


def keeps(promise="u1", probability=0.9):
    return Verdict(promise, "keeps", probability)


def tally_of(items, period="month"):
    tally = LedgerTally(period=period)
    tally.add(items)
    return tally


VERDICTS = st.builds(
    Verdict,
    st.sampled_from(["u1", "u2", "u3"]),
    st.sampled_from(["breaks", "keeps"]),
    st.floats(0, 1),
    st.none()
    | st.builds(lambda v, u: Quantity(v, u, "=", "", 0, 0), st.floats(0, 99), st.sampled_from(["day", "EUR"])),
)
SEGMENTS = st.tuples(
    st.sampled_from(
        ["The parcel was late again.", "Short.", "THE parcel  was late again.", "Rooms \ud800 were so cold."]
    )
    | st.text(max_size=30),
    st.sampled_from(["neg", "pos", "neu", "mixed"]),
    st.lists(VERDICTS, max_size=2),
    st.lists(st.tuples(st.sampled_from(["noise", "view"]), st.sampled_from(["topic", "fault", "praise"])), max_size=2),
)
ITEMS = st.lists(
    st.tuples(
        st.lists(SEGMENTS, max_size=3),
        st.none() | st.dates(date(2024, 1, 1), date(2024, 6, 1)),
        st.sampled_from([None, "Hotel A", "Hotel B"]),
        st.sampled_from(["en", "pl", "zh"]),
    ),
    max_size=14,
).map(lambda raw: [item(s, row=i, day=d, entity=e, language=g) for i, (s, d, e, g) in enumerate(raw)])


@settings(max_examples=60, deadline=None)
@given(ITEMS, st.integers(0, 14), st.integers(0, 14))
def test_merging_is_associative_and_commutative_and_adding_in_parts_is_adding_at_once(items, one, two):
    first, second = sorted((one, two))
    a, b, c = (tally_of(part) for part in (items[:first], items[first:second], items[second:]))
    whole = tally_of(items).to_bytes()
    before = a.to_bytes(), b.to_bytes()
    assert a.merge(b).merge(c).to_bytes() == whole
    assert a.merge(b.merge(c)).to_bytes() == whole
    assert c.merge(b).merge(a).to_bytes() == whole
    assert (a.to_bytes(), b.to_bytes()) == before
    a.add(items[first:])
    assert a.to_bytes() == whole
    assert tally_of(items[::-1]).to_bytes() == whole


@settings(max_examples=40, deadline=None)
@given(ITEMS, ITEMS)
def test_bytes_read_back_can_be_added_to(items, more):
    tally = tally_of(items)
    back = LedgerTally.from_bytes(tally.to_bytes())
    assert back.to_bytes() == tally.to_bytes()
    for each in (tally, back):
        each.add(more)
    assert back.to_bytes() == tally.to_bytes()


def test_a_merged_tally_shares_nothing_with_its_parts():
    part = tally_of([item([("The parcel was late.", "neg", [breaks()], [])], day=date(2024, 1, 1), entity="A")])
    stored = part.to_bytes()
    part.merge(LedgerTally(period="month")).add(
        [item([("Never came at all.", "neg", [breaks()], [])], row=2, entity="A")]
    )
    assert part.to_bytes() == stored


def test_many_sentences_merge_exactly():
    rows = count(1)
    items = [
        item(
            [(f"Parcel {i % 37} came far too late.", "neg", [breaks(probability=(i * 7 % 50) / 50)], [])],
            row=next(rows),
        )
        for i in range(200)
    ]
    whole = tally_of(items)
    assert tally_of(items[:90]).merge(tally_of(items[90:])).to_bytes() == whole.to_bytes()
    best = whole.promises["u1"].spoken["breaks"].sentences.evidence()
    assert len(best) == 8
    assert len({e.text for e in best}) == 8
    assert [e.probability for e in best] == sorted((e.probability for e in best), reverse=True)
    assert best[0].probability == 0.98


def test_an_item_counts_once_for_each_relation():
    told = Quantity(9.0, "day", "=", "9 days", 4, 10)
    tally = tally_of(
        [
            item(
                [
                    ("It took 9 days to come.", "neg", [breaks(probability=0.7, told=told)], []),
                    ("Nine days, I say it again.", "neg", [breaks(probability=0.8, told=told), keeps("u2")], []),
                    ("The second one came in time.", "pos", [keeps(probability=0.6)], []),
                ],
                day=date(2024, 3, 5),
                entity="A",
            )
        ]
    )
    counts = tally.promises["u1"]
    assert (counts.spoken["breaks"].items, counts.spoken["breaks"].probability) == (1, 8000)
    assert (counts.spoken["keeps"].items, counts.spoken["keeps"].probability) == (1, 6000)
    assert (counts.speaking, counts.sentiment, dict(counts.periods)) == (1, -33, {"2024-03": 1})
    assert [value[1:] for value in counts.told.values()] == [(216.0, "hour", False)] * 2
    assert (tally.items, tally.segments, tally.dated, dict(tally.languages)) == (1, 3, 1, {"en": 1})
    for audience in (tally.everyone, tally.entities["A"]):
        assert (audience.items, audience.breaking, audience.sentiment) == (1, 1, -33)
        assert dict(audience.periods) == {"2024-03": 1}


def test_subjects_count_only_where_no_promise_is_spoken_of():
    tally = tally_of(
        [
            item([("The bar was noisy all night.", "neg", [breaks()], [("noise", "fault")])], row=1),
            item([("The bar was noisy all night.", "neg", [], [("noise", "fault"), ("bar", "topic")])], row=2),
            item(
                [
                    ("So noisy, really so noisy.", "neg", [], [("noise", "fault")] * 2),
                    ("Noisy!", "neg", [], [("noise", "fault")]),
                ],
                row=3,
            ),
            # A cue that the sentence's sentiment contradicts: "no noise at all", "the view was not nice".
            item([("No noise at all, lovely.", "pos", [], [("noise", "fault")])], row=4),
            item([("The view was not nice.", "neg", [], [("view", "praise")])], row=5),
        ]
    )
    assert {key: spoken.items for key, spoken in tally.subjects.items()} == {("noise", "fault"): 2}
    texts = [e.text for e in tally.subjects["noise", "fault"].sentences.evidence()]
    assert texts[-1] == "Noisy!"  # too short to be shown before others
    assert len(texts) == 3


def test_evidence_can_be_traced():
    words = "The parcel was late. " * 30
    judged = item(
        [("x" * 100, "neu", [], []), (words, "neg", [breaks()], []), ("y" * 100, "neu", [], [])],
        row=7,
        day=date(2024, 1, 2),
    )
    (found,) = tally_of([judged]).promises["u1"].spoken["breaks"].sentences.evidence()
    text = judged.analysis.feedback.text
    assert text[found.start : found.end] == found.text == words[:LONGEST]
    assert (found.before, found.after) == (text[21:101], text[found.end : found.end + CONTEXT])
    assert (found.item_id, found.file, found.row, found.language) == ("id7", "a.csv", 7, "en")
    assert (found.date, found.rating, found.kind, found.probability) == (date(2024, 1, 2), 2.0, "strongest", 0.9)


def test_what_does_not_fit_is_refused_and_changes_nothing():
    tally = LedgerTally()
    good = item([("Fine.", "pos", [], [])])
    bad = JudgedItem(good.analysis, None, (), ((),))
    with pytest.raises(ValueError, match="one tuple of each"):
        tally.add([good, bad])
    with pytest.raises(ValueError, match="relation"):
        tally.add([good, item([("Fine.", "pos", [Verdict("u1", "exceeds", 1.0)], [])])])
    assert tally.items == 0
    with pytest.raises(InputError, match="month"):
        LedgerTally(period="day")
    with pytest.raises(ValueError, match="periods"):
        tally.merge(LedgerTally(period="week"))


@pytest.mark.parametrize(
    "damage",
    [
        lambda b: b"",
        lambda b: b[:-9],
        lambda b: b[:22] + zlib.compress(b"[1]"),
        lambda b: b[:22] + zlib.compress(b"{}"),
    ],
)
def test_damaged_bytes_are_told(damage):
    stored = tally_of([item([("It was late.", "neg", [breaks()], [])])]).to_bytes()
    with pytest.raises(StoreError, match="run again"):
        LedgerTally.from_bytes(damage(stored))
