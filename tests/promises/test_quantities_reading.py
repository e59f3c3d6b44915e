import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapnlp.errors import InputError
from gapnlp.promises.quantities import read_absolutes, read_quantities
from gapnlp.records.promises import COMPARATORS

HERE = Path(__file__).parent
LANGUAGES = ("en", "pl", "zh")
PIECES = [
    *"0 1 2 24 7 / : . , - + % £ $ € ¥ 30 1,500 ½ İ ẞ 💡 \n".split(" "),
    *"within a an half hour hours and days free not 24/7 week same day the at least twice times to".split(" "),
    *"w ciągu co najmniej pół godziny dni zł do tygodnia dwa razy bezpłatnie nie İle".split(" "),
    *"三 十 天 小时 半 个 内 多 百分之 元 块 每 次 第 免费 两 以上 當天 ３０ 分鐘".split(" "),
]


def _expected(language):
    with (HERE / f"quantities_{language}.tsv").open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)


def _without(language):
    return (HERE / f"quantities_{language}_none.txt").read_text(encoding="utf-8").splitlines()


EXPRESSIONS = [
    pytest.param(language, row, id=f"{language}:{row['text']}") for language in LANGUAGES for row in _expected(language)
]
NONE = [pytest.param(language, text, id=f"{language}:{text}") for language in LANGUAGES for text in _without(language)]


@pytest.mark.parametrize(("language", "row"), EXPRESSIONS)
def test_expression_reads_as_in_the_table(language, row):
    read = [(q.value, q.unit, q.comparator, q.text) for q in read_quantities(row["text"], language)]
    assert read == [(float(row["value"]), row["unit"], row["comparator"], row["span"])]


@pytest.mark.parametrize(("language", "text"), NONE)
def test_what_only_looks_like_a_quantity_is_left_alone(language, text):
    assert read_quantities(text, language) == ()


@pytest.mark.parametrize("language", LANGUAGES)
def test_tables_are_as_large_as_promised(language):
    assert len(list(_expected(language))) >= 150
    assert len(_without(language)) >= 60


def _assert_spans_hold(text, language):
    quantities = read_quantities(text, language)
    end = 0
    for quantity in quantities:
        assert text[quantity.start : quantity.end] == quantity.text
        assert end <= quantity.start < quantity.end
        assert quantity.comparator in COMPARATORS
        assert quantity.value >= 0
        end = quantity.end


@given(st.text(max_size=60), st.sampled_from(LANGUAGES))
def test_spans_hold_on_any_text(text, language):
    _assert_spans_hold(text, language)


@given(st.lists(st.sampled_from(PIECES), max_size=14), st.sampled_from(["", " "]), st.sampled_from(LANGUAGES))
def test_spans_hold_on_texts_made_of_quantities(pieces, space, language):
    _assert_spans_hold(space.join(pieces), language)


@pytest.mark.parametrize(
    ("language", "text", "read"),
    [
        ("en", "We promise 2 days, it took 9 days and cost £12.", [(2, "day"), (9, "day"), (12, "GBP")]),
        ("en", "Free parking for 3 hours.", [(0, "price"), (3, "hour")]),
        ("pl", "Obiecano 2 dni, czekałam 9 dni, a zwrotu 12 zł nie ma.", [(2, "day"), (9, "day"), (12, "PLN")]),
        ("pl", "Bezpłatny parking do 3 godzin.", [(0, "price"), (3, "hour")]),
        ("zh", "说好2天，等了9天，还多收12元", [(2, "day"), (9, "day"), (12, "CNY")]),
        ("zh", "免费停车3小时", [(0, "price"), (3, "hour")]),
    ],
)
def test_several_quantities_come_in_order(language, text, read):
    assert [(q.value, q.unit) for q in read_quantities(text, language)] == read


@pytest.mark.parametrize(
    ("language", "text", "keys"),
    [
        ("en", "Someone is always at the desk, 24 hours a day.", ("always", "around_the_clock")),
        ("en", "We never close: 24/7.", ("never", "every_day", "around_the_clock")),
        ("en", "Open 7 days a week and parking is free.", ("every_day", "free")),
        ("en", "They are not always on time.", ()),
        ("en", "We reply within 24 hours.", ()),
        ("pl", "Recepcja całodobowa, sprzątanie codziennie.", ("every_day", "around_the_clock")),
        ("pl", "Zawsze na czas, nigdy drożej.", ("always", "never")),
        ("pl", "Dostawa za 0 zł.", ("free",)),
        ("pl", "Odpowiadamy w ciągu 24 godzin.", ()),
        ("zh", "24小时热水，每天打扫", ("every_day", "around_the_clock")),
        ("zh", "从不涨价，永远免费", ("always", "never", "free")),
        ("zh", "24小时内回复", ()),
        ("zh", "一直很好", ("always",)),
    ],
)
def test_absolutes(language, text, keys):
    assert read_absolutes(text, language) == keys


def test_unknown_language_is_refused():
    with pytest.raises(InputError, match="en, pl, zh"):
        read_quantities("3 Tage", "de")
    with pytest.raises(InputError):
        read_absolutes("immer", "de")
