"""The index of segments: filters, order, pages and what comes back."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapnlp.errors import InputError, StoreError
from gapnlp.records.analysis import Analysis, ScoredSegment, Segment
from gapnlp.records.feedback import Feedback, Source
from gapnlp.records.labels import DIMENSIONS, GAPS, LABEL_INDEX, LABELS, POLARITIES, SENTIMENTS, Labels
from gapnlp.records.service import SegmentFilter
from gapnlp.store.segments import SegmentWriter, read_review_queue, read_segment, read_segments

TEXT = "Paczka przyszła późno. 评论很好\ud800! End."


def scored(start: int, end: int, labels: Labels, probability: float = 0.5, **chances: float) -> ScoredSegment:
    values = [probability] * len(LABELS)
    for label, chance in chances.items():
        values[LABEL_INDEX[label.replace("_", ":")]] = chance
    return ScoredSegment(Segment(start, end, TEXT[start:end]), labels, tuple(values), ("staff",), abstained=True)


def item(
    number: int, *segments: ScoredSegment, day: date | None = date(2025, 3, 9), group: str | None = "A"
) -> Analysis:
    feedback = Feedback(f"id{number}", TEXT, Source("x.csv", number), date=day, rating=2.0, group=group)
    return Analysis(feedback, "pl", segments, "v1")


LATE = Labels("neg", {"reliability": "neg"}, ("delivery",), "unmet", True)
GOOD = Labels("pos", {"tangibles": "pos", "empathy": "pos"})
BOTH = Labels("mixed", {"reliability": "pos", "empathy": "neg"}, ("delivery", "policy"))


@pytest.fixture
def index(tmp_path):
    path = tmp_path / "with ?#% signs.sqlite"
    with SegmentWriter(path, period="month") as writer:
        writer.add([item(1, scored(0, 22, LATE, gap_delivery=0.7), scored(23, 29, GOOD, 0.6))])
        writer.add([])
        writer.add([item(2, scored(0, 22, BOTH, gap_delivery=0.9), day=None, group=None)])
        writer.add([item(3, scored(0, 22, LATE, gap_delivery=0.7), day=date(2025, 4, 1), group="B")])
    return path


def found(index, limit=10, cursor=None, **wanted):
    page = read_segments(index, SegmentFilter(**wanted), cursor=cursor, limit=limit)
    return [(s.item, s.number) for s in page.items]


def test_a_segment_comes_back_with_all_that_is_shown(index):
    first, second, *_ = read_segments(index, SegmentFilter(), cursor=None, limit=10).items
    assert (first.item, first.row, first.number, first.start, first.end) == ("id1", 1, 0, 0, 22)
    assert (first.text, first.before) == ("Paczka przyszła późno.", "")
    assert first.after == " 评论很好\ufffd! End."  # a lone surrogate cannot be sent; offsets stay true
    assert first.labels == LATE
    assert first.probabilities == {
        "dimension:reliability:neg": 0.5,
        "gap:delivery": 0.7,
        "sentiment:neg": 0.5,
        "expectation:unmet": 0.5,
        "churn": 0.5,
    }
    assert (first.causes, first.abstained, first.language) == (("staff",), True, "pl")
    assert (first.date, first.period, first.group, first.rating) == (date(2025, 3, 9), "2025-03", "A", 2.0)
    assert (second.number, second.text, second.before) == (1, TEXT[23:29].replace("\ud800", "\ufffd"), TEXT[:23])


def test_filters(index):
    assert found(index) == [("id1", 0), ("id1", 1), ("id2", 0), ("id3", 0)]
    assert found(index, gap="delivery") == [("id2", 0), ("id1", 0), ("id3", 0)]  # strongest first
    assert found(index, gap="knowledge") == []
    assert found(index, dimension="reliability") == [("id1", 0), ("id2", 0), ("id3", 0)]
    assert found(index, dimension="reliability", polarity="pos") == [("id2", 0)]
    assert found(index, polarity="neg") == [("id1", 0), ("id2", 0), ("id3", 0)]
    assert found(index, sentiment="pos") == [("id1", 1)]
    assert found(index, group="B") == [("id3", 0)]
    assert found(index, period="2025-03") == [("id1", 0), ("id1", 1)]
    assert found(index, gap="delivery", period="2025-04", group="B", sentiment="neg", dimension="reliability") == [
        ("id3", 0)
    ]
    assert found(index, gap="policy", polarity="neg", dimension="empathy") == [("id2", 0)]
    assert found(index, gap="policy", group="A") == []


@pytest.mark.parametrize("name", ["gap", "dimension", "polarity", "sentiment"])
def test_unknown_labels_are_refused(index, name):
    with pytest.raises(InputError, match=name):
        found(index, **{name: "delivery ' OR 1"})


def test_unknown_groups_and_periods_have_no_segments(index):
    assert found(index, group="' OR 1=1 --") == found(index, period="2031-01") == []
    assert found(index, group="\ud800") == []


@pytest.mark.parametrize("wanted", [{}, {"gap": "delivery"}, {"polarity": "neg"}, {"gap": "delivery", "group": "A"}])
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_follow_each_other(index, wanted, limit):
    whole = found(index, **wanted)
    pages, cursor = [], None
    while True:
        page = read_segments(index, SegmentFilter(**wanted), cursor=cursor, limit=limit)
        pages.append([(s.item, s.number) for s in page.items])
        cursor = page.next
        if cursor is None:
            break
    assert sum(pages, []) == whole
    assert all(len(p) == limit for p in pages[:-1])


@pytest.mark.parametrize("cursor", ["", "MQ", "x y", "LTEgMg", "é" * 3, "OTk5OTk5OTk5IDE"])
def test_cursors_that_were_not_handed_out_are_refused(index, cursor):
    with pytest.raises(InputError, match="cursor"):
        found(index, cursor=cursor)


def test_without_an_index_it_is_a_store_error(tmp_path):
    with pytest.raises(StoreError):
        found(tmp_path / "none.sqlite")
    (tmp_path / "broken.sqlite").write_bytes(b"no database" * 500)
    with pytest.raises(StoreError):
        found(tmp_path / "broken.sqlite")


LABELLED = st.builds(
    Labels,
    st.sampled_from(SENTIMENTS),
    st.dictionaries(st.sampled_from(DIMENSIONS), st.sampled_from(POLARITIES), max_size=3),
    st.lists(st.sampled_from(GAPS), unique=True, max_size=3).map(tuple),
)
WANTED = st.builds(
    SegmentFilter,
    gap=st.none() | st.sampled_from(GAPS),
    dimension=st.none() | st.sampled_from(DIMENSIONS),
    polarity=st.none() | st.sampled_from(POLARITIES),
    sentiment=st.none() | st.sampled_from(SENTIMENTS),
)


def fits(labels: Labels, wanted: SegmentFilter) -> bool:
    judged = {(d, p) for d, p in labels.dimensions.items()}
    return (
        (wanted.gap is None or wanted.gap in labels.gaps)
        and (wanted.sentiment is None or wanted.sentiment == labels.sentiment)
        and (
            (wanted.dimension is None and wanted.polarity is None)
            or any(wanted.dimension in (None, d) and wanted.polarity in (None, p) for d, p in judged)
        )
    )


@settings(max_examples=25, deadline=None)
@given(labelled=st.lists(LABELLED, min_size=1, max_size=12), wanted=st.lists(WANTED, min_size=1, max_size=6))
def test_any_filter_finds_the_segments_that_fit_it(tmp_path_factory, labelled, wanted):
    path = tmp_path_factory.mktemp("index") / "segments.sqlite"
    with SegmentWriter(path, period=None) as writer:
        writer.add([item(n, scored(0, 5, labels)) for n, labels in enumerate(labelled)])
    for one in wanted:
        rows = {s.row for s in read_segments(path, one, cursor=None, limit=100).items}
        assert rows == {n for n, labels in enumerate(labelled) if fits(labels, one)}


def test_a_segment_is_found_by_its_place(index):
    for stored in read_segments(index, SegmentFilter(), cursor=None, limit=10).items:
        assert read_segment(index, stored.place) == stored
    assert stored.model_version == "v1"
    assert read_segment(index, 99) is None


def test_the_review_queue_begins_with_the_least_sure_and_shows_a_text_once(tmp_path):
    path = tmp_path / "queue.sqlite"
    sure, doubtful = scored(0, 22, LATE, 0.9), scored(23, 29, GOOD, 0.9, dimension_empathy_pos=0.3)
    again, middle = scored(23, 29, GOOD, 0.2), scored(30, 34, GOOD, 0.5)
    with SegmentWriter(path, period=None) as writer:
        writer.add([item(1, sure, doubtful), item(2, again, middle)])
    assert read_review_queue(path, 10) == (3, 4, 1)
    assert read_review_queue(path, 2) == (3, 4)


def test_a_text_that_comes_again_and_again_does_not_crowd_out_the_others(tmp_path):
    path = tmp_path / "queue.sqlite"
    repeated, others = scored(0, 22, LATE, 0.2), [scored(30, 34, GOOD, 0.5), scored(23, 29, GOOD, 0.6)]
    with SegmentWriter(path, period=None) as writer:
        writer.add([item(n, repeated) for n in range(1_500)])
        writer.add([item(1_500, *others)])
    assert read_review_queue(path, 2) == (1, 1_501)
    assert read_review_queue(path, 10) == (1, 1_501, 1_502)
