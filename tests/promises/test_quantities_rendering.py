import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapnlp.errors import InputError
from gapnlp.promises.quantities import read_quantities
from gapnlp.promises.rendering import render
from gapnlp.promises.units import CURRENCIES
from gapnlp.records.promises import COMPARATORS, Quantity

LANGUAGES = ("en", "pl", "zh")
UNITS = [
    *["second", "minute", "hour", "day", "week", "month", "year", "percent", "metre", "km", "kg", "Mbit/s", "m2"],
    *CURRENCIES,
]
WORKING_DAYS = {"en": "working days", "pl": "dni roboczych", "zh": "个工作日"}
COUNTED = {"en": "{} lifts", "pl": "{} hoteli", "zh": "{}家"}
numbers = st.one_of(st.integers(1, 1899), st.integers(2100, 99_999), st.integers(1, 999).map(lambda n: n + 0.5))


def _quantity(value, unit, comparator="=", text=""):
    return Quantity(float(value), unit, comparator, text, 0, len(text))


def _read_back(written, language):
    (quantity,) = read_quantities(written, language)
    assert quantity.text == written
    return quantity.value, quantity.unit, quantity.comparator


@settings(max_examples=400)
@given(numbers, st.sampled_from(UNITS), st.sampled_from(COMPARATORS), st.sampled_from(LANGUAGES))
def test_what_is_written_reads_back(value, unit, comparator, language):
    written = render(_quantity(value, unit, comparator), language)
    assert _read_back(written, language) == (value, unit, comparator)


@given(st.integers(1, 365), st.sampled_from(COMPARATORS), st.sampled_from(LANGUAGES))
def test_working_days_stay_working_days(value, comparator, language):
    written = render(_quantity(value, "day", comparator, WORKING_DAYS[language]), language)
    assert "roboc" in written or "working" in written or "工作日" in written
    assert _read_back(written, language) == (value, "day", comparator)


@given(st.integers(2, 1899), st.sampled_from(COMPARATORS), st.sampled_from(LANGUAGES))
def test_counts_keep_their_noun(value, comparator, language):
    text = COUNTED[language].format(value)
    written = render(_quantity(value, "count", comparator, text), language)
    assert _read_back(written, language) == (value, "count", comparator)


@given(
    st.integers(1, 6),
    st.sampled_from([365.0, 365 / 7, 12.0, 1.0]),
    st.sampled_from(COMPARATORS),
    st.sampled_from(LANGUAGES),
)
def test_frequencies_read_back(times, a_year, comparator, language):
    value, unit, read = _read_back(render(_quantity(times * a_year, "frequency", comparator), language), language)
    assert math.isclose(value, times * a_year, rel_tol=1e-6)
    assert (unit, read) == ("frequency", comparator)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("value", "unit", "comparator"), [(0, "price", "="), (0, "day", "<="), (0, "PLN", "=")])
def test_nothing_reads_back(language, value, unit, comparator):
    assert _read_back(render(_quantity(value, unit, comparator), language), language) == (value, unit, comparator)


@pytest.mark.parametrize(
    ("value", "unit", "comparator", "written"),
    [
        (24, "hour", "<=", "w ciągu 24 godzin"),
        (1, "hour", "<=", "w ciągu 1 godziny"),
        (2, "hour", ">", "ponad 2 godziny"),
        (1, "minute", ">=", "co najmniej 1 minutę"),
        (1, "minute", "=", "1 minuta"),
        (5, "week", "=", "5 tygodni"),
        (22, "month", "=", "22 miesiące"),
        (12, "month", "=", "12 miesięcy"),
        (112, "second", "=", "112 sekund"),
        (3, "year", "=", "3 lata"),
        (5, "year", "=", "5 lat"),
        (1.5, "hour", "=", "1,5 godziny"),
        (29.99, "PLN", "=", "29,99 zł"),
        (50, "PLN", "<=", "do 50 zł"),
        (0, "price", "=", "bezpłatnie"),
        (104.285714, "frequency", "=", "2 razy w tygodniu"),
    ],
)
def test_polish_forms(value, unit, comparator, written):
    assert render(_quantity(value, unit, comparator), "pl") == written


@pytest.mark.parametrize(
    ("language", "value", "unit", "comparator", "written"),
    [
        ("en", 24, "hour", "<=", "within 24 hours"),
        ("en", 1, "day", "<=", "within 1 day"),
        ("en", 20, "GBP", "<=", "up to £20"),
        ("en", 12.5, "EUR", "=", "€12.50"),
        ("en", 90, "percent", ">=", "at least 90%"),
        ("en", 0, "day", "<=", "the same day"),
        ("en", 365 / 7, "frequency", "=", "once a week"),
        ("zh", 24, "hour", "<=", "24小时内"),
        ("zh", 3, "day", ">", "超过3天"),
        ("zh", 25, "m2", ">=", "至少25平方米"),
        ("zh", 1095, "frequency", "=", "每天3次"),
        ("zh", 9.9, "CNY", "=", "9.90元"),
    ],
)
def test_other_forms(language, value, unit, comparator, written):
    assert render(_quantity(value, unit, comparator), language) == written


def test_a_changed_count_keeps_its_noun():
    assert render(_quantity(5, "count", ">=", "at least 2 lifts"), "en") == "at least 5 lifts"
    assert render(_quantity(30, "count", "=", "40种以上"), "zh") == "30种"


def test_unknown_language_is_refused():
    with pytest.raises(InputError, match="en, pl, zh"):
        render(_quantity(1, "day"), "de")
