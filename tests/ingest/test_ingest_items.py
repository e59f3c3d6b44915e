import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapnlp.ingest.dates import decide_dates
from gapnlp.ingest.items import MAX_TEXT_CHARS, ItemPlan, build_item, read_language, starts_with
from gapnlp.ingest.layout import Row
from gapnlp.ingest.ratings import decide_ratings
from gapnlp.records.feedback import Failure, Feedback


def plan_for(*roles, **cells):
    texts = tuple(enumerate(roles))
    return ItemPlan("f.csv", "scope", texts, decide_dates([]), decide_ratings(["1", "5"]), **cells)


def built(*texts, roles):
    return build_item(Row(2, texts), plan_for(*roles))


TITLE_BODY = ("title", "body")
BOOKING = ("title", "positive", "negative")


def test_two_texts_become_two_parts():
    item = built("", "Kind staff", "Cold room", roles=BOOKING)
    assert item.text == "Kind staff\nCold room"
    assert [(p.role, item.text[p.start : p.end]) for p in item.parts] == [
        ("positive", "Kind staff"),
        ("negative", "Cold room"),
    ]


@pytest.mark.parametrize(
    ("title", "body"),
    [
        ("Parcel lost", "Parcel lost"),
        ("Parcel lost on", "Parcel lost on its way"),
        ("Parcel lost on…", "Parcel lost on its way"),
        ("Parcel lost...", "Parcel lost on its way"),
        ("Parcel  lost on", "Parcel lost\non its way"),
        ("包裹丢了", "包裹丢了,客服不理"),
    ],
)
def test_a_title_that_repeats_the_body_is_dropped(title, body):
    item = built(title, body, roles=TITLE_BODY)
    assert item.text == body
    assert [p.role for p in item.parts] == ["body"]


def test_another_title_stays():
    item = built("Never again", "Parcel lost", roles=TITLE_BODY)
    assert item.text == "Never again\nParcel lost"
    assert item.parts[1].start == 12


def test_a_title_alone_is_a_text():
    assert built("Never again", " ", roles=TITLE_BODY).parts[0].role == "title"


def test_equal_praise_and_fault_both_stay():
    assert built("", "Location", "Location", roles=BOOKING).text == "Location\nLocation"


def test_the_first_comment_replaces_the_same_description():
    assert built("Hello", "Hello\nAnd more", roles=("body", "body")).text == "Hello\nAnd more"
    assert built("Hello", "Hello", roles=("body", "body")).text == "Hello"


@pytest.mark.parametrize("text", ["", "   ", None, "\u200b\ufeff", "\x00", "NaN", float("nan"), "\n\t"])
def test_nothing_to_read_is_empty(text):
    failure = built(text, roles=("body",))
    assert isinstance(failure, Failure)
    assert failure.kind == "empty"


def test_the_longest_text():
    assert isinstance(built("x" * MAX_TEXT_CHARS, roles=("body",)), Feedback)
    failure = built("y" * (MAX_TEXT_CHARS + 1), roles=("body",))
    assert failure.kind == "failed"
    assert "20,001" in failure.reason
    assert "yy" not in failure.reason


def test_formulas_and_markup_are_text():
    assert built("=SUM(A1)", roles=("body",)).text == "=SUM(A1)"


def test_line_ends_become_line_feeds():
    assert built("a\r\nb\rc", roles=("body",)).text == "a\nb\nc"


def test_half_characters_are_replaced_with_a_notice():
    item = built("bad \ud83d end", roles=("body",))
    item.text.encode()
    assert "lost" in item.notices[0]


def test_all_fields():
    plan = plan_for("body", id=1, date=2, rating=3, language=4, group=5)
    item = build_item(Row(7, ["late", 12.0, "2025-01-02", "5", "pl-PL", " North "]), plan)
    assert (item.id, item.source.row, str(item.date), item.rating, item.satisfaction) == ("12", 7, "2025-01-02", 5, 1)
    assert (item.language, item.group, item.notices) == ("pl", "North", ())


def test_an_item_without_id_is_named_by_its_row():
    assert built("late", roles=("body",)).id == "f.csv:2"


def test_the_link_stands_in_for_the_id():
    plan = plan_for("body", id=1, link=2)
    assert build_item(Row(2, ["late", "", "https://r.example/1"]), plan).id == "https://r.example/1"


def test_notices_of_the_reader_are_kept():
    assert build_item(Row(2, ["late"], None, "mended"), plan_for("body")).notices == ("mended",)


@pytest.mark.parametrize(
    ("claim", "language"),
    [
        ("en", "en"),
        ("en-US", "en"),
        ("zh_TW", "zh"),
        ("PL", "pl"),
        ("polski", "pl"),
        ("中文", "zh"),
        ("", None),
        ("?", None),
    ],
)
def test_language_claims(claim, language):
    assert read_language(claim) == language


def test_starts_with_does_not_join_words():
    assert not starts_with("Parcelled out", "Parcel led")


texts = st.text(max_size=40)


@given(title=texts, body=texts, positive=texts, negative=texts)
def test_parts_are_ordered_disjoint_and_hold(title, body, positive, negative):
    item = built(title, body, positive, negative, roles=("title", "body", "positive", "negative"))
    if isinstance(item, Failure):
        assert item.kind == "empty"
        return
    assert item.text == "\n".join(item.text[p.start : p.end] for p in item.parts)
    ends = [0, *(p.end + 1 for p in item.parts)]
    assert all(p.start == end for p, end in zip(item.parts, ends, strict=False))
    assert all(item.text[p.start : p.end].strip() for p in item.parts)
