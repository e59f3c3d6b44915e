"""Packing is lossless for whatever a record can hold."""

from __future__ import annotations

import zlib
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapnlp.errors import StoreError
from gapnlp.records.analysis import Analysis, ScoredSegment, Segment
from gapnlp.records.feedback import FAILURE_KINDS, Failure, Feedback, Part, Source
from gapnlp.records.labels import DIMENSIONS, EXPECTATIONS, GAPS, LABELS, POLARITIES, SENTIMENTS, Labels
from gapnlp.store.packing import pack, unpack

TEXT = st.text(st.characters(), max_size=40)  # with surrogates: names of files can hold them
SOURCES = st.builds(Source, TEXT, st.integers(0, 2**40))
PROBABILITIES = st.floats(0, 1).map(lambda x: round(x, 4))
LABELLED = st.builds(
    Labels,
    st.sampled_from(SENTIMENTS),
    st.dictionaries(st.sampled_from(DIMENSIONS), st.sampled_from(POLARITIES)),
    st.lists(st.sampled_from(GAPS), unique=True).map(tuple),
    st.sampled_from(EXPECTATIONS),
    st.booleans(),
)
FEEDBACK = st.builds(
    Feedback,
    id=TEXT,
    text=st.text(st.characters(), min_size=3, max_size=60),
    source=SOURCES,
    parts=st.lists(st.builds(Part, st.sampled_from(["title", "body"]), st.integers(0, 9), st.integers(9, 60))).map(
        tuple
    ),
    date=st.none() | st.dates(),
    rating=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    satisfaction=st.none() | st.floats(0, 1),
    language=st.none() | st.sampled_from(["en", "pl", "zh"]),
    group=st.none() | TEXT,
    notices=st.lists(TEXT, max_size=2).map(tuple),
)


@st.composite
def analyses(draw: st.DrawFn) -> Analysis:
    feedback = draw(FEEDBACK)
    cuts = sorted(draw(st.sets(st.integers(0, len(feedback.text)), min_size=2, max_size=4)))
    segments = tuple(
        ScoredSegment(
            Segment(a, b, feedback.text[a:b]),
            draw(LABELLED),
            tuple([draw(PROBABILITIES)] * len(LABELS)),
            draw(st.sampled_from([(), ("courier_failure",), ("no_answer", "rigid_rules")])),
        )
        for a, b in zip(cuts, cuts[1:], strict=False)
    )
    return Analysis(feedback, draw(st.sampled_from(["en", "pl", "zh"])), segments, "linear-en-1.0.0+abc")


FAILURES = st.builds(Failure, SOURCES, st.sampled_from(FAILURE_KINDS), TEXT, st.none() | TEXT, st.none() | TEXT)


@settings(max_examples=60, deadline=None)
@given(st.lists(analyses() | FAILURES, max_size=5))
def test_unpack_gives_what_was_packed(results):
    assert unpack(pack(results)) == results


def test_the_same_results_give_the_same_bytes():
    results = [Failure(Source("a.csv", 2), "empty", "no text", "7", None)]
    assert pack(results) == pack(list(results))


def test_types_come_back():
    feedback = Feedback("1", "Late.", Source("a.csv", 2), date=date(2025, 2, 3), notices=("x",))
    scored = ScoredSegment(
        Segment(0, 5, "Late."), Labels("neg", {}, ("delivery",)), (0.5,) * len(LABELS), ("no_answer",)
    )
    (found,) = unpack(pack([Analysis(feedback, "en", (scored,), "v")]))
    assert isinstance(found, Analysis)
    assert found.feedback.date == date(2025, 2, 3)
    assert isinstance(found.segments[0].labels.gaps, tuple)
    assert isinstance(found.segments[0].probabilities, tuple)


@pytest.mark.parametrize(
    "payload", [b"", b"nonsense", zlib.compress(b"{"), zlib.compress(b'[{"item": 3}]'), zlib.compress(b"[7]")]
)
def test_a_damaged_payload_is_a_store_error(payload):
    with pytest.raises(StoreError, match="damaged; delete the work file"):
        unpack(payload)
