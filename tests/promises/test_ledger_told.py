import pytest

from gapnlp.promises.ledger_counts import TOLD_SAMPLE, ToldSample
from gapnlp.promises.ledger_told import measure_told, suggest_wording
from gapnlp.records.promises import Quantity


def quantity(value, unit, *, comparator="=", text=""):
    return Quantity(float(value), unit, comparator, text, 0, len(text))


def sample_of(*told):
    sample = ToldSample()
    for i, one in enumerate(told):
        sample.add(one, f"place {i}")
    return sample.values()


def days(*values, text=""):
    return sample_of(*(quantity(v, "day", text=text) for v in values))


TWO_DAYS = quantity(2, "day", comparator="<=", text="2 days")


def test_quartiles_in_the_promised_unit():
    told = measure_told(TWO_DAYS, days(1, 2, 3, 4, 9))
    assert (told.low_quartile, told.median, told.high_quartile, told.n) == (2.0, 3.0, 4.0, 5)
    assert told.promised is TWO_DAYS
    mixed = sample_of(quantity(48, "hour"), quantity(1, "week"), quantity(3, "day"))
    assert measure_told(TWO_DAYS, mixed).median == 3.0
    assert measure_told(quantity(24, "hour", comparator="<="), mixed).median == 72.0


def test_too_few_or_other_kinds_tell_nothing():
    assert measure_told(TWO_DAYS, days(1, 2)) is None
    assert measure_told(TWO_DAYS, []) is None
    assert measure_told(TWO_DAYS, sample_of(*(quantity(v, "EUR") for v in (3, 4, 5)))) is None


def test_working_days_are_turned_into_calendar_days_on_average():
    working = quantity(5, "day", comparator="<=", text="5 working days")
    assert measure_told(working, days(7, 7, 7, text="7 days")).median == 5.0
    assert measure_told(working, days(7, 7, 7, text="7 business days")).median == 7.0
    assert measure_told(TWO_DAYS, days(5, 5, 5, text="5 dni roboczych")).median == 7.0


def test_free_takes_the_currency_told_most_often():
    told = sample_of(quantity(4, "EUR"), quantity(6, "EUR"), quantity(0, "price"), quantity(9, "PLN"))
    measured = measure_told(quantity(0, "price", text="free"), told)
    assert (measured.promised.unit, measured.median, measured.n) == ("EUR", 4.0, 3)
    assert measure_told(quantity(0, "price"), sample_of(*[quantity(0, "price")] * 3)).promised.unit == "price"


def test_a_sample_is_bounded_and_the_same_in_any_order():
    told = [(quantity(i, "day"), f"place {i}") for i in range(3 * TOLD_SAMPLE)]
    forth, back = ToldSample(), ToldSample()
    for one in told:
        forth.add(*one)
    for one in reversed(told):
        back.add(*one)
    assert forth == back
    assert len(forth.values()) == TOLD_SAMPLE
    assert measure_told(TWO_DAYS, forth.values()).median == pytest.approx(3 * TOLD_SAMPLE / 2, rel=0.1)


@pytest.mark.parametrize(
    ("language", "text", "wording"),
    [
        ("en", "2 days", "most customers tell of 5 days or less"),
        ("pl", "2 dni", "u większości klientów do 5 dni"),
        ("zh", "2天", "多数顾客为5天以内"),
        ("en", "2 working days", "most customers tell of 4 working days or less"),
        ("pl", "2 dni robocze", "u większości klientów do 4 dni roboczych"),
        ("zh", "2个工作日", "多数顾客为4个工作日以内"),
    ],
)
def test_wording_is_the_third_quartile_rounded_up(language, text, wording):
    promised = quantity(2, "day", comparator="<=", text=text)
    # The third quartile is 4.45 days, or 3.2 working days.
    told = measure_told(promised, days(1, 1, 2, 3, 3, 4, 4.45, 4.45, 4.45, 9, 12, 1, 1))
    assert suggest_wording(told, language) == wording


@pytest.mark.parametrize(
    ("language", "wording"),
    [
        ("en", "most customers tell of 31 Mbit/s or more"),
        ("pl", "u większości klientów co najmniej 31 Mbit/s"),
        ("zh", "多数顾客为31Mbit/s以上"),
    ],
)
def test_a_lower_limit_takes_the_first_quartile_rounded_down(language, wording):
    promised = quantity(50, "Mbit/s", comparator=">=", text="50 Mbit/s")
    told = measure_told(promised, sample_of(*(quantity(31.5 + i, "Mbit/s") for i in (0, 0, 0, *range(10)))))
    assert suggest_wording(told, language) == wording


def test_wording_for_money_where_free_was_promised():
    told = measure_told(quantity(0, "price", text="free"), sample_of(*[quantity(4.99, "EUR")] * 10))
    assert suggest_wording(told, "en") == "most customers tell of €5 or less"
    assert suggest_wording(told, "pl") == "u większości klientów do 5 EUR"


@pytest.mark.parametrize("unit", ["count", "frequency"])
def test_counts_and_frequencies_are_left_to_people(unit):
    promised = quantity(1, unit, comparator="<=", text="1 transfer")
    assert suggest_wording(measure_told(promised, sample_of(*[quantity(3, unit)] * 12)), "en") is None


def test_nothing_is_suggested_without_grounds():
    nine, kept = days(*range(1, 10)), days(*[1] * 12)
    assert suggest_wording(None, "en") is None
    assert suggest_wording(measure_told(TWO_DAYS, nine), "en") is None
    assert suggest_wording(measure_told(TWO_DAYS, kept), "en") is None
    assert suggest_wording(measure_told(TWO_DAYS, days(*range(1, 15))), "de") is None
    exact = quantity(30, "m2", text="30 m2")
    assert suggest_wording(measure_told(exact, sample_of(*[quantity(20, "m2")] * 12)), "en") is None
