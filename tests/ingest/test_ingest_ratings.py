import pytest

from gapnlp.ingest.ratings import decide_ratings, is_rating, read_number


@pytest.mark.parametrize(
    ("text", "number", "top"),
    [
        ("4", 4, None),
        ("4,5", 4.5, None),
        ("8.0", 8, None),
        ("five", 5, None),
        ("five stars", 5, None),
        ("1 star", 1, None),
        ("5/5", 5, 5),
        ("4 out of 5", 4, 5),
        ("rated 3 out of 5 stars", 3, 5),
        ("4 z 5", 4, 5),
        ("★★★★☆", 4, 5),
        ("⭐⭐⭐", 3, None),
        ("★★½☆☆", 2.5, 5),
        ("5星", 5, None),
        ("五星", 5, None),
        ("4 gwiazdki", 4, None),
        ("pięć gwiazdek", 5, None),
        ("80%", 80, 100),
        ("lovely", None, None),
    ],
)
def test_ways_to_write_a_rating(text, number, top):
    assert read_number(text) == (number, top)


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        (["1", "5", "3"], (1, 5)),
        (["0", "5"], (0, 5)),
        (["0,5", "4,5"], (0, 5)),
        (["2", "9.5"], (1, 10)),
        (["0", "10"], (0, 10)),
        (["35", "100"], (0, 100)),
        (["0", "1"], (0, 1)),
        (["-1", "0", "1"], (-1, 1)),
        (["好评", "差评"], (0, 1)),
        (["好評"], (0, 1)),
        (["7/10", "3/10"], (1, 10)),
        (["FIVE", "ONE"], (1, 5)),
        (["900"], None),
        (["words", "only"], None),
        ([], None),
    ],
)
def test_the_scale_is_told_from_the_first_values(values, scale):
    assert decide_ratings(values).scale == scale


@pytest.mark.parametrize(
    ("scale", "value", "rating", "satisfaction"),
    [
        ((1.0, 5.0), "FOUR", 4.0, 0.75),
        ((1.0, 5.0), 5.0, 5.0, 1.0),
        ((1.0, 10.0), "8,2", 8.2, 0.8),
        ((0.0, 1.0), "差评", 0.0, 0.0),
        ((1.0, 5.0), "negative", 1.0, 0.0),
        ((1.0, 10.0), "4/5", 8.0, 7 / 9),
        ((0.0, 1.0), True, 1.0, 1.0),
    ],
)
def test_a_rating_has_its_place_on_the_scale(scale, value, rating, satisfaction):
    read = decide_ratings([], scale=scale).read(value)
    assert read[0] == pytest.approx(rating)
    assert read[1] == pytest.approx(satisfaction)
    assert read[2] is None


def test_ratings_off_the_scale_or_unreadable_give_a_notice():
    rule = decide_ratings(["1", "5"])
    assert rule.read("7") == (None, None, "rating '7' is outside the scale 1 to 5")
    assert rule.read("eleven")[2] == "rating 'eleven' cannot be read"
    assert len(rule.read("x" * 500)[2]) < 80


@pytest.mark.parametrize("value", ["", None, "unoffered", "offered", "n/a", float("nan"), "STAR_RATING_UNSPECIFIED"])
def test_no_rating_is_no_fault(value):
    assert decide_ratings(["1", "5"]).read(value) == (None, None, None)


def test_an_exports_own_words_come_first():
    rule = decide_ratings([], scale=(1.0, 5.0), words={"bad": 2})
    assert rule.read("bad")[0] == 2


def test_values_that_cannot_be_hashed_are_unreadable_not_fatal():
    assert decide_ratings(["1", "5"]).read(["a"])[2] is not None


def test_ratings_are_told_from_texts():
    assert is_rating("好评")
    assert not is_rating("the room was good")
