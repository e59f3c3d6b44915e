"""Marketing copy, the promises in it, and what customers tell of them."""

from __future__ import annotations

from dataclasses import dataclass

RELATIONS = ("breaks", "keeps")
# What a promise's quantity says of the value: promised "within 24 hours" is "<=", "at least 2 lifts" is ">=".
COMPARATORS = ("<", "<=", "=", ">=", ">")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with a unit, as written and normalised.

    value: in `unit`. unit: "second", "minute", "hour", "day", "week", "month", "year", "percent", "count", "metre",
    "km", "kg", "Mbit/s", a currency by ISO 4217 ("EUR", "PLN", "CNY" ...) or "frequency" (times a year).
    comparator: one of COMPARATORS. text: the words, `source[start:end]`, offsets in code points of the text read.
    """

    value: float
    unit: str
    comparator: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class CopyBlock:
    """One heading, paragraph, bullet or table cell of marketing copy, in order.

    kind: "heading", "paragraph", "bullet" or "cell". entity: which listing it belongs to, where copy has many.
    source: file name, and place in it for people ("page 2", "row 7").
    """

    text: str
    kind: str
    source: str
    entity: str | None = None
