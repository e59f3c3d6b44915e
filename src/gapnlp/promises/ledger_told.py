"""What customers tell of a promised quantity, in the promised unit, and the wording that it would support."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import ceil
from statistics import quantiles
from types import MappingProxyType

from gapnlp.promises.comparing import is_working_days
from gapnlp.promises.ledger_counts import ToldValue
from gapnlp.promises.rendering import render
from gapnlp.promises.units import FREE, kind_of, to_base
from gapnlp.records.promises import Quantity, ToldQuantity

LEAST_TOLD = 3
LEAST_TO_SUGGEST = 10

# Five working days are a week, wherever in it they begin on average.
_CALENDAR_DAYS = 7 / 5
_LOOSER: Mapping[str, str] = MappingProxyType({"<": "<=", "<=": "<=", ">": ">=", ">=": ">="})
_WORDINGS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("en", "<="): "most customers tell of {amount} or less",
        ("en", ">="): "most customers tell of {amount} or more",
        ("pl", "<="): "u większości klientów {limit}",
        ("pl", ">="): "u większości klientów {limit}",
        ("zh", "<="): "多数顾客为{amount}以内",
        ("zh", ">="): "多数顾客为{amount}以上",
    }
)


def measure_told(promised: Quantity, sample: Sequence[ToldValue]) -> ToldQuantity | None:
    """Give median and quartiles of what is told; None with fewer than LEAST_TOLD values of the promised kind.

    "Over an hour" counts as an hour. Where "free" was promised, the currency told most often stands in for its unit.
    """
    promised = _with_currency(promised, sample)
    values = [value for told in sample if (value := _in_unit_of(promised, told)) is not None]
    if len(values) < LEAST_TOLD:
        return None
    low, median, high = (round(value, 6) for value in quantiles(values, n=4, method="inclusive"))
    return ToldQuantity(promised, median, low, high, len(values))


def suggest_wording(told: ToldQuantity | None, language: str) -> str | None:
    """Say in the copy's language what three quarters of the told values support, rounded to whole units.

    None with fewer than LEAST_TO_SUGGEST values, where they support the promise as it is, or where the promise sets no
    limit; counts and frequencies are left to people, as their nouns would have to change with the number.
    """
    if told is None or told.n < LEAST_TO_SUGGEST or told.promised.unit in ("count", "frequency"):
        return None
    promised = told.promised
    comparator = _LOOSER.get(promised.comparator) or ("<=" if kind_of(promised.unit) in ("time", "money") else "")
    wording = _WORDINGS.get((language, comparator))
    if wording is None or (promised.unit == FREE and told.high_quartile > 0):
        return None
    value = float(ceil(told.high_quartile)) if comparator == "<=" else float(told.low_quartile // 1)
    supported = value <= promised.value if comparator == "<=" else value >= promised.value
    if supported or value <= 0:
        return None
    amount = render(replace(promised, value=value, comparator="="), language)
    limit = render(replace(promised, value=value, comparator=comparator), language)
    return wording.format(amount=amount, limit=limit.replace("w ciągu ", "do ", 1))


def _with_currency(promised: Quantity, sample: Sequence[ToldValue]) -> Quantity:
    if promised.unit != FREE:
        return promised
    currencies = Counter(unit for _, _, unit, _ in sample if kind_of(unit) == "money" and unit != FREE)
    if not currencies:
        return promised
    return replace(promised, unit=min(currencies, key=lambda unit: (-currencies[unit], unit)))


def _in_unit_of(promised: Quantity, told: ToldValue) -> float | None:
    """Give a told value in the promised unit; None where it is of another kind or currency."""
    _, value, unit, working = told
    one, base = to_base(replace(promised, value=1.0))
    if unit == FREE and kind_of(promised.unit) == "money":
        return 0.0
    if unit != base:
        return None
    if base == "hour" and working != is_working_days(promised):
        value = value * _CALENDAR_DAYS if working else value / _CALENDAR_DAYS
    return value / one
