import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapnlp.promises.folding import fold
from gapnlp.promises.lexicon import load_lexicon
from gapnlp.promises.number_words import parse_chinese, parse_digits, parse_words

DIGITS = "零一二三四五六七八九"


def _in_chinese(number):
    """Write 0 to 99,999,999 by the rules of the language, independently of the parser."""
    if number >= 10_000:
        rest = number % 10_000
        return (
            _in_chinese(number // 10_000) + "万" + (("零" if rest < 1000 else "") + _in_chinese(rest) if rest else "")
        )
    written, gap = "", False
    for scale, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // scale % 10
        if digit:
            written += ("零" if gap and written else "") + DIGITS[digit] + name
            gap = False
        else:
            gap = True
    return written or "零"


@given(st.integers(0, 99_999_999))
def test_chinese_numerals(number):
    assert parse_chinese(_in_chinese(number)) == (number, None)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("十", 10),
        ("十五", 15),
        ("一百二", 120),
        ("两千五", 2500),
        ("一万二", 12000),
        ("两", 2),
        ("俩", 2),
        ("三百零五", 305),
    ],
)
def test_chinese_numerals_as_spoken(written, value):
    assert parse_chinese(written) == (value, None)


@pytest.mark.parametrize(
    ("written", "value"), [("两三", (3, 2)), ("三四十", (40, 30)), ("十五六", (16, 15)), ("三五", (5, 3))]
)
def test_chinese_neighbours_are_a_range(written, value):
    assert parse_chinese(written) == value


@pytest.mark.parametrize("written", ["二零一六", "万", "百", "一一", "二四"])
def test_what_is_no_chinese_number(written):
    assert parse_chinese(written) is None


@pytest.mark.parametrize(
    ("language", "written", "value"),
    [
        ("en", "twenty-five", 25),
        ("en", "two hundred and fifty", 250),
        ("en", "three thousand two hundred", 3200),
        ("en", "a couple of", 2),
        ("en", "a hundred", 100),
        ("pl", "dwadziescia piec", 25),
        ("pl", "sto dwadziescia", 120),
        ("pl", "dwa tysiace piecset", 2500),
        ("pl", "dwudziestu trzech", 23),
        ("pl", "poltorej", 1.5),
    ],
)
def test_number_words(language, written, value):
    assert parse_words(written, load_lexicon(language).numbers) == value


@pytest.mark.parametrize(("language", "written"), [("en", "five twenty"), ("en", "one two"), ("pl", "piec dwa")])
def test_number_words_that_are_no_one_number(language, written):
    assert parse_words(written, load_lexicon(language).numbers) is None


@pytest.mark.parametrize(
    ("language", "written", "value"),
    [
        ("en", "1,500", 1500),
        ("en", "1,500.25", 1500.25),
        ("en", "2,5", 2.5),
        ("en", "1½", 1.5),
        ("en", "1 1/2", 1.5),
        ("en", "3/4", 0.75),
        ("pl", "1 500,25", 1500.25),
        ("pl", "2.300", 2300),
        ("pl", "1.5", 1.5),
        ("pl", "1 , 5", 1.5),
        ("zh", "12,000", 12000),
        ("en", "1.2.3", None),
    ],
)
def test_digits(language, written, value):
    assert parse_digits(written, language) == value


@given(st.text())
def test_folding_keeps_every_offset(text):
    assert len(fold(text)) == len(text)


def test_folding_is_plain():
    assert fold("W CIĄGU ３０ MINUT, 兩個小時 – İ") == "w ciagu 30 minut, 两个小时 - İ"
