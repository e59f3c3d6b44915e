import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapnlp.promises.comparing import compare
from gapnlp.promises.quantities import read_quantities
from gapnlp.promises.units import CURRENCIES, HOURS, METRES, PLAIN_UNITS, to_base
from gapnlp.records.promises import COMPARATORS, Quantity

UNITS = [*HOURS, *METRES, *PLAIN_UNITS, *CURRENCIES]
values = st.integers(0, 10_000).map(float)


def _quantity(value, unit, comparator="=", text=""):
    return Quantity(float(value), unit, comparator, text, 0, len(text))


def _one(text, language="en"):
    (quantity,) = read_quantities(text, language)
    return quantity


@pytest.mark.parametrize(
    ("promised", "told", "kept", "by"),
    [
        ("within 2 days", "9 days", False, 7),
        ("within 2 days", "2 days", True, 0),
        ("within 48 hours", "7 days", False, 120),
        ("at least 20 minutes", "5 minutes", False, 15),
        ("at least 20 minutes", "half an hour", True, 0),
        ("under five minutes", "5 minutes", False, 0),
        ("more than 200 machines", "200 machines", False, 0),
        ("more than 200 machines", "over 200 machines", True, 0),
        ("within 20 minutes", "over an hour", False, 40),
        ("within 3 days", "less than 2 hours", True, 0),
        ("within 24 hours", "24+ hours", False, 0),
        ("within 3 days", "3-5 days", False, 2),
        ("£20", "£35", False, 15),
        ("£20", "£15", True, 0),
        ("free of charge", "$37", False, 37),
        ("up to £5", "free of charge", True, 0),
        ("45-minute", "40 minutes", False, 5),
        ("45-minute", "45 minutes", True, 0),
        ("within 30 days", "1 month", True, 0),
        ("the same day", "the next day", False, 1),
        ("up to 5 km", "800 metres", True, 0),
        ("twice a week", "once a week", False, 52.142857),
        ("within 5 working days", "7 days", True, 0),
        ("within 5 working days", "9 days", False, 2),
    ],
)
def test_kept_or_broken_by_how_much(promised, told, kept, by):
    comparison = compare(_one(promised), _one(told))
    assert comparison is not None
    assert (comparison.kept, comparison.by) == (kept, pytest.approx(by))


@pytest.mark.parametrize(
    ("promised", "told"),
    [
        ("within 2 hours", "over an hour"),
        ("within 1 hour", "less than 2 hours"),
        ("at least 20 minutes", "under an hour"),
        ("within 2 hours", "£20"),
        ("£20", "€20"),
        ("24 hours a day", "2 hours"),
        ("24/7", "20 minutes"),
        ("2 lifts are working", "50%"),
    ],
)
def test_what_cannot_be_said_is_not_said(promised, told):
    assert compare(_one(promised), _one(told)) is None


def test_the_difference_has_a_sign_and_the_promised_unit():
    late = compare(_one("within 2 days"), _one("over a week"))
    assert (late.difference, late.unit, late.at_least) == (5, "day", True)
    short = compare(_one("at least 20 minutes"), _one("5 minutes"))
    assert (short.difference, short.by, short.at_least) == (-15, 15, False)
    paid = compare(_one("free of charge"), _one("£12"))
    assert (paid.difference, paid.unit) == (12, "GBP")


def test_working_days_are_noted():
    assert compare(_one("within 5 working days"), _one("9 days")).working_days
    assert compare(_one("w ciągu 2 dni roboczych", "pl"), _one("9 dni", "pl")).working_days
    assert compare(_one("5个工作日内", "zh"), _one("9天", "zh")).working_days
    assert not compare(_one("within 5 days"), _one("9 days")).working_days


@given(values, st.sampled_from(UNITS), st.sampled_from(("<=", "=", ">=")))
def test_an_equal_value_keeps(value, unit, comparator):
    comparison = compare(_quantity(value, unit, comparator), _quantity(value, unit))
    assert comparison is not None
    assert comparison.kept
    assert comparison.difference == 0


@given(values, values, st.sampled_from(sorted(HOURS)), st.sampled_from(COMPARATORS), st.sampled_from(COMPARATORS))
def test_more_is_never_better_against_a_most(promised, told, unit, comparator, told_comparator):
    limit = _quantity(promised, unit, "<=")
    first = compare(limit, _quantity(told, unit, told_comparator))
    more = compare(limit, _quantity(told + 1, unit, told_comparator))
    if first is not None and not first.kept:
        assert more is not None
        assert not more.kept
        assert more.by >= first.by


@pytest.mark.parametrize(
    ("text", "base"),
    [("90 minutes", (1.5, "hour")), ("2 days", (48, "hour")), ("5 km", (5000, "metre")), ("£7", (7, "GBP"))],
)
def test_base_units(text, base):
    assert to_base(_one(text)) == base
