"""Hold what a customer tells against what was promised: kept or broken, and by how much."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from gapnlp.promises.folding import fold
from gapnlp.promises.units import FREE, HOURS, METRES, kind_of, to_base
from gapnlp.records.promises import Quantity

_WORKING = re.compile(r"(?:business|working|work|week)[ -]?days?|robocz|(?<![a-z])rob\b|工作日")
_HOURS_A_DAY = re.compile(r"(?:a|per|each|every) day$|(?:na|w) dobe$|dziennie$|[/每一]天$")
# A month is no whole number of days: what is said in months or years is compared with this much leeway.
_COARSE = ("month", "year")
_LEEWAY = 0.02


@dataclass(frozen=True, slots=True)
class Comparison:
    """A promised quantity against a told one.

    kept: whether the told value lies within what was promised. difference: told less promised, in `unit`, the promised
    unit (the told currency where "free" was promised); below zero where less was given than promised. at_least: the
    customer named a lower bound ("over 2 hours"), so the true difference is larger. working_days: one of the two counts
    working days, which were turned into calendar days in the firm's favour.
    """

    kept: bool
    difference: float
    unit: str
    at_least: bool
    working_days: bool

    @property
    def by(self) -> float:
        """By how much the promise is broken, in `unit`; 0 where it is kept."""
        return 0.0 if self.kept else abs(self.difference)


def is_working_days(quantity: Quantity) -> bool:
    """Whether a quantity counts business days rather than calendar days, by its words."""
    return quantity.unit == "day" and _WORKING.search(fold(quantity.text)) is not None


def compare(promised: Quantity, told: Quantity) -> Comparison | None:
    """Compare two quantities of one kind, honouring both comparators; None where nothing can be said.

    None: other kinds or currencies, opening hours ("24 hours a day"), or a told bound that leaves both outcomes open
    ("over an hour" against "within 2 hours"). A told "<=" (a range's upper end) counts as its value. A promised "="
    is a most for money, as nobody complains of paying less, and exact for all else.
    """
    if _is_opening_time(promised):
        return None
    values = _same_unit(promised, told)
    if values is None:
        return None
    limit, value, factor = values
    comparator = "<=" if promised.comparator == "=" and kind_of(promised.unit) == "money" else promised.comparator
    leeway = _leeway(promised, told) * abs(limit)
    kept = _kept(comparator, (limit, value), told=told.comparator, leeway=leeway)
    if kept is None:
        return None
    unit = told.unit if promised.unit == FREE else promised.unit
    return Comparison(
        kept=kept,
        difference=round((value - limit) / factor, 6),
        unit=unit,
        at_least=told.comparator in (">", ">="),
        working_days=is_working_days(promised) or is_working_days(told),
    )


def _is_opening_time(quantity: Quantity) -> bool:
    """Whether hours say when something is open ("24 hours a day", "24小时热水") rather than how long it takes."""
    if quantity.unit != "hour" or quantity.comparator != "=":
        return False
    return quantity.value == 24 or _HOURS_A_DAY.search(fold(quantity.text)) is not None


def _same_unit(promised: Quantity, told: Quantity) -> tuple[float, float, float] | None:
    """Give both values in one base unit, and how much of it one promised unit is; None where they do not compare."""
    limit, base = to_base(promised)
    value, told_base = to_base(told)
    if kind_of(promised.unit) == kind_of(told.unit) == "money":
        free = promised.value == 0 or told.value == 0
        return (limit, value, 1.0) if base == told_base or free else None
    if base != told_base:
        return None
    if is_working_days(promised) and not is_working_days(told):
        limit = _calendar_days(promised) * HOURS["day"]
    elif is_working_days(told) and not is_working_days(promised) and promised.comparator in (">", ">="):
        value = _calendar_days(told) * HOURS["day"]
    return limit, value, HOURS.get(promised.unit) or METRES.get(promised.unit) or 1.0


def _calendar_days(quantity: Quantity) -> float:
    """Give the most calendar days that so many working days can take (5 of them: a week) or, for ">=", the fewest."""
    if quantity.comparator in (">", ">="):
        return quantity.value
    return quantity.value + 2 * math.ceil(quantity.value / 5)


def _leeway(promised: Quantity, told: Quantity) -> float:
    coarse = promised.unit != told.unit and (promised.unit in _COARSE or told.unit in _COARSE)
    return _LEEWAY if coarse else 1e-9


def _kept(comparator: str, values: tuple[float, float], *, told: str, leeway: float) -> bool | None:
    """Judge by the promised comparator; `told` is the told value's own, which may leave the question open."""
    limit, value = values
    above, below = value > limit + leeway, value < limit - leeway
    reaches = not below if told in (">", ">=") else above
    if comparator in ("<", "<="):
        return _judge_most(strict=comparator == "<", reaches=reaches or above, value_below=below, told=told)
    if comparator in (">", ">="):
        return _judge_least(strict=comparator == ">", at=not above and not below, value_above=above, told=told)
    if told == "=" or told == "<=":
        return not above and not below
    if told in (">", ">="):
        return False if above else None
    return False if below else None


def _judge_most(*, strict: bool, reaches: bool, value_below: bool, told: str) -> bool | None:
    if told in (">", ">="):
        return False if reaches else None
    if told == "<":
        return None if reaches else True
    return value_below if strict else not reaches


def _judge_least(*, strict: bool, at: bool, value_above: bool, told: str) -> bool | None:
    enough = value_above or (at and not strict)
    if told in (">", ">="):
        return True if enough or (at and told == ">") else None
    if told == "<":
        return None if value_above else False
    return enough
