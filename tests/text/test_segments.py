import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gapnlp.records.feedback import Part
from gapnlp.text.segments import split_segments


def pieces(text, language="en", parts=()):
    return [s.text for s in split_segments(text, language, parts=parts)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Fast delivery. The box was torn! Why is that so? ok",
            ["Fast delivery.", "The box was torn!", "Why is that so? ok"],
        ),
        ("Mr. Brown paid 3.50 e.g. twice. Then he left.", ["Mr. Brown paid 3.50 e.g. twice.", "Then he left."]),
        ("They open at 5 p.m. on Monday. Closed today.", ["They open at 5 p.m. on Monday.", "Closed today."]),
        ("We left at 5 p.m. Nobody cared at all.", ["We left at 5 p.m.", "Nobody cared at all."]),
        (
            "See https://shop.example/a?b=1.html for more. Bad site.",
            ["See https://shop.example/a?b=1.html for more.", "Bad site."],
        ),
        ("Write to a.b@shop.example. They never answer.", ["Write to a.b@shop.example.", "They never answer."]),
        (
            "I waited ... and waited. Never again!!! Avoid them.",
            ["I waited ...", "and waited.", "Never again!!!", "Avoid them."],
        ),
        ("Lovely place! 😊 The staff smiled.", ["Lovely place! 😊", "The staff smiled."]),
        ("Lovely place :) The staff smiled. :) Again soon", ["Lovely place :) The staff smiled. :)", "Again soon"]),
        ("Salt &amp; pepper missing. Cold &amp; late; awful", ["Salt &amp; pepper missing.", "Cold &amp; late; awful"]),
        ('He said "we are closed." Then he left.', ['He said "we are closed."', "Then he left."]),
        ("1. Fast delivery\n2. Good price", ["1. Fast delivery", "2. Good price"]),
        ("- nice rooms\r\n\r\n- rude staff", ["- nice rooms", "- rude staff"]),
        ("Nice rooms<br/>Rude staff", ["Nice rooms<br/>", "Rude staff"]),
        ("Good.Cheap is another thing", ["Good.Cheap is another thing"]),
    ],
)
def test_english(text, expected):
    assert pieces(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Trzeba było dzwonić trzy razy . Potem czekam .", ["Trzeba było dzwonić trzy razy .", "Potem czekam ."]),
        ("Przyjęła nas dr . Nowak. Była miła .", ["Przyjęła nas dr . Nowak.", "Była miła ."]),
        ("Brak wyposażenia, np. czajnika. Nie polecam.", ["Brak wyposażenia, np. czajnika.", "Nie polecam."]),
        (
            "Sklep przy ul. Długiej 5 m. in. z butami. Drogo tam.",
            ["Sklep przy ul. Długiej 5 m. in. z butami.", "Drogo tam."],
        ),
        ("Od godz. 8. 30 do 16. 00 czekałam. Bez skutku.", ["Od godz. 8. 30 do 16. 00 czekałam.", "Bez skutku."]),
        (
            "Kubki, talerze itp. były brudne. Kubki itp. Polecam!",
            ["Kubki, talerze itp. były brudne.", "Kubki itp.", "Polecam!"],
        ),
        ("Pokój na 2. piętrze. Winda nie działa.", ["Pokój na 2. piętrze.", "Winda nie działa."]),
    ],
)
def test_polish(text, expected):
    assert pieces(text, "pl") == expected


def test_chinese_sentences_need_no_space():
    assert pieces("房间很干净。服务也很好！下次还会来吗?当然会来", "zh") == [
        "房间很干净。",
        "服务也很好！",
        "下次还会来吗?",
        "当然会来",
    ]


def test_short_chinese_sentence_keeps_its_commas():
    assert pieces("物流很快,包装也好,就是有点贵", "zh") == ["物流很快,包装也好,就是有点贵"]


def test_comma_chained_chinese_is_cut_into_clauses():
    clause = "客服说今天一定会把退款打到卡里，"
    text = clause * 5
    assert pieces(text, "zh") == [clause] * 5
    assert (
        pieces("价格是1,000元的那个套餐其实根本就不值得买因为里面什么都没有而且还要另外再加钱才能用这些功能", "zh")
        != []
    )


def test_decimal_comma_and_entity_are_no_clause_ends():
    text = (
        "这个套餐一共花了我1,000元可是里面的东西&ldquo;根本没有&rdquo;宣传的那么好看那么好用而且还要另外再加500元才能用"
    )
    assert pieces(text, "zh") == [text]


def test_long_english_sentence_is_cut_at_commas():
    text = ", ".join(["we waited at the desk for another long hour with our children"] * 12) + "."
    cut = pieces(text)
    assert len(cut) > 1
    assert all(piece.endswith((",", ".")) for piece in cut)


def test_a_wrapped_line_is_no_border():
    text = "The staff at the desk were lovely and everything in our room was just what\nwe had hoped for."
    assert pieces(text) == [text]


def test_parts_are_hard_borders():
    text = "Nice\nwe came back"
    parts = (Part("title", 0, 4), Part("body", 5, len(text)))
    assert pieces(text, parts=parts) == ["Nice", "we came back"]
    assert pieces("ok\nno", parts=(Part("positive", 0, 2), Part("negative", 3, 5))) == ["ok", "no"]


@pytest.mark.parametrize("text", ["", "  \n ", "...", "\u200b\ufeff", "-- !! --"])
def test_nothing_said_is_no_segment(text):
    assert pieces(text) == []


def test_emoji_alone_is_one_segment():
    assert pieces("😡😡😡") == ["😡😡😡"]


@pytest.mark.parametrize("language", ["en", "pl", "zh"])
@pytest.mark.parametrize(
    "text",
    [
        "x" * 20_000,
        "word " * 20_000,
        "好" * 20_000,
        "." * 50_000 + "x",
        ". " * 30_000 + "x",
        "!)" * 30_000 + "x",
        "a." + " " * 60_000 + "b",
        "a, " * 20_000,
        "\n" * 50_000 + "x",
        "&amp;" * 10_000,
        "😀" * 30_000,
        "<br>" * 20_000,
    ],
)
def test_monsters_are_bounded_and_take_linear_time(text, language):
    began = time.perf_counter()
    segments = split_segments(text, language)
    assert time.perf_counter() - began < 2.0
    assert max((len(s.text) for s in segments), default=0) <= 600


def test_words_are_not_broken_where_there_is_white_space():
    words = "nieustannie " * 2_000
    assert {word for piece in pieces(words, "pl") for word in piece.split()} == {"nieustannie"}


def test_hard_cuts_spare_entities_and_joined_characters():
    assert all(p.endswith(";") and p.startswith("&") for p in pieces("&eacute;" * 500))
    family = "👩\u200d👧"
    assert all(p.endswith("👧") for p in pieces("a" + family * 500)[:-1])


TEXTS = st.text(max_size=400) | st.text(alphabet="aąŻ好,，.。!？ \n\t'\")(;:&#0159-…\u200b\u200d😡👍", max_size=800)


@settings(max_examples=400, deadline=None)
@given(
    TEXTS,
    st.sampled_from(["en", "pl", "zh", "ja", "und"]),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), max_size=3),
)
@example("a. b. c\u0301. 1", "pl", [(1, 3)])
def test_offsets_hold_and_nothing_said_is_lost(text, language, borders):
    parts = tuple(Part("body", min(b), max(b)) for b in borders)
    segments = split_segments(text, language, parts=parts)
    last = 0
    for segment in segments:
        assert text[segment.start : segment.end] == segment.text == segment.text.strip() != ""
        assert segment.start >= last
        assert not any(c.isalnum() for c in text[last : segment.start])
        for part in parts:
            for border in (part.start, part.end):
                assert not segment.start < border < segment.end
        last = segment.end
    assert not any(c.isalnum() for c in text[last:])
    assert segments == split_segments(text, language, parts=parts)
