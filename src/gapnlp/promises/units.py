"""Units: under which name each is kept, what it is worth in its kind's base unit, and what counts as the same kind."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gapnlp.records.promises import Quantity

# Hours. A month is a twelfth of a Julian year, so twelve of them are a year.
HOURS: Mapping[str, float] = MappingProxyType(
    {
        "second": 1 / 3600,
        "minute": 1 / 60,
        "hour": 1.0,
        "day": 24.0,
        "week": 168.0,
        "month": 730.5,
        "year": 8766.0,
    }
)
METRES: Mapping[str, float] = MappingProxyType({"metre": 1.0, "km": 1000.0})
# A price of nothing where no currency is named ("free", "gratis", "免费").
FREE = "price"
FREQUENCY = "frequency"
PLAIN_UNITS = ("percent", "count", "kg", "Mbit/s", "m2", FREQUENCY, FREE)
# Codes that are words in folded text ("try") are left out.
CURRENCIES = tuple(
    "AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF INR JPY KRW MXN MYR NOK NZD PLN SEK SGD THB TWD UAH USD ZAR".split()
)

# What a language's word stands for: group of the lexicon -> (unit, how many of it).
NAMED: Mapping[str, tuple[str, float]] = MappingProxyType(
    {unit: (unit, 1.0) for unit in (*HOURS, *METRES, "percent", "count", "kg", "m2")}
    | {code.lower(): (code, 1.0) for code in CURRENCIES}
    | {
        "quarter_hour": ("minute", 15.0),
        "night_and_day": ("day", 1.0),
        "working_day": ("day", 1.0),
        "fortnight": ("week", 2.0),
        "quarter_year": ("month", 3.0),
        "decade": ("year", 10.0),
        "tenth": ("percent", 10.0),
        "mile": ("km", 1.609344),
        "yard": ("metre", 0.9144),
        "foot": ("metre", 0.3048),
        "centimetre": ("metre", 0.01),
        "gram": ("kg", 0.001),
        "pound_weight": ("kg", 0.45359237),
        "jin": ("kg", 0.5),
        "kbit": ("Mbit/s", 0.001),
        "mbit": ("Mbit/s", 1.0),
        "gbit": ("Mbit/s", 1000.0),
        "pence": ("GBP", 0.01),
        "cent": ("USD", 0.01),
        "grosz": ("PLN", 0.01),
        "jiao": ("CNY", 0.1),
    }
)

# Half of these is said in a smaller unit: half an hour is 30 minutes.
HALVES: Mapping[str, tuple[str, float]] = MappingProxyType(
    {"hour": ("minute", 30.0), "day": ("hour", 12.0), "year": ("month", 6.0), "minute": ("second", 30.0)}
)


def kind_of(unit: str) -> str:
    """Say what a unit measures: "time", "distance", "money" or the unit itself where it is alone of its kind."""
    if unit in HOURS:
        return "time"
    if unit in METRES:
        return "distance"
    return "money" if unit in CURRENCIES or unit == FREE else unit


def to_base(quantity: Quantity) -> tuple[float, str]:
    """Give the value in its kind's base unit: times in hours, distances in metres, all else as it is."""
    if quantity.unit in HOURS:
        return quantity.value * HOURS[quantity.unit], "hour"
    if quantity.unit in METRES:
        return quantity.value * METRES[quantity.unit], "metre"
    return quantity.value, quantity.unit
