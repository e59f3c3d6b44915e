"""Marketing copy, the promises in it, and what customers tell of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gapnlp.records.feedback import Recognition
from gapnlp.records.report import Estimate, Evidence, ModelUsed

RELATIONS = ("breaks", "keeps")
# What a promise's quantity says of the value: promised "within 24 hours" is "<=", "at least 2 lifts" is ">=".
COMPARATORS = ("<", "<=", "=", ">=", ">")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with a unit, as written and normalised.

    value: in `unit`. unit: "second", "minute", "hour", "day", "week", "month", "year", "percent", "count", "metre",
    "km", "kg", "Mbit/s", "m2", a currency by ISO 4217 ("EUR", "PLN", "CNY" ...), "price" (free, no currency
    named) or "frequency" (times a year).
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


@dataclass(frozen=True, slots=True)
class CopyUnit:
    """One sentence, clause or bullet of copy, and what it is.

    id: "u1", "u2" ... in order. is_promise: it commits to something a customer could find broken. puffery: a slogan,
    praise of oneself without anything to check. probability: of being a promise, in [0, 1]. dimension: SERVQUAL
    dimension that it speaks of, or None. subject: key of the subject lexicon, or None.
    """

    id: str
    text: str
    source: str
    entity: str | None
    language: str
    is_promise: bool
    puffery: bool
    probability: float
    dimension: str | None
    subject: str | None
    quantity: Quantity | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one customer segment says of one promise.

    promise: CopyUnit.id. relation: one of RELATIONS. probability: of that relation, in [0, 1]. told: the quantity that
    the customer names, where it decides; excess: by how much it misses the promised one, in the promised unit
    (positive: worse than promised).
    """

    promise: str
    relation: str
    probability: float
    told: Quantity | None = None
    excess: float | None = None


@dataclass(frozen=True, slots=True)
class ToldQuantity:
    """What customers tell of a promised quantity: median and quartiles in the promised unit, over n segments."""

    promised: Quantity
    median: float
    low_quartile: float
    high_quartile: float
    n: int


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """Share of a period's items that break a promise; label as in Breakdown ("2025-03")."""

    label: str
    share: Estimate


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One promise and how it fares.

    breaks, keeps: items. break_share, keep_share: of all items that could speak (same entity, where there are
    entities), corrected for the matcher's known error. effect: mean sentiment of items that break or keep it, less the
    mean of the others, in points of [-1, 1]. verdict: one of VERDICTS. suggested: wording that the evidence would
    support, or None.
    """

    promise: CopyUnit
    breaks: int
    keeps: int
    break_share: Estimate
    keep_share: Estimate
    told: ToldQuantity | None
    trend: tuple[TrendPoint, ...]
    effect: float | None
    verdict: str
    suggested: str | None
    breaking: tuple[Evidence, ...]
    keeping: tuple[Evidence, ...]


VERDICTS = ("broken", "at_risk", "kept", "silent")


@dataclass(frozen=True, slots=True)
class Uncovered:
    """What customers speak of and no promise covers: a subject, how many items fault or praise it, their sentences."""

    subject: str
    items: int
    share: Estimate
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class EntityRow:
    """One entity (listing, hotel ...): its promises, items, and share of items that break at least one promise."""

    entity: str
    promises: int
    items: int
    break_share: Estimate


LEDGER_SCHEMA_VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class Ledger:
    """Promises against complaints.

    copy: names of the copy files. units: all units of the copy, promises or not. items, segments: customers' that were
    judged. entries: worst first. praised: praised and in no promise; complaints: complained of and in no promise.
    entities: only where copy has many. draft: whether the copy is a draft (entries are then ranked by risk). caveats:
    keys of the wording's caveats.
    """

    schema_version: str
    copy: tuple[str, ...]
    inputs: tuple[Recognition, ...]
    models: tuple[ModelUsed, ...]
    level: float
    units: tuple[CopyUnit, ...]
    items: int
    segments: int
    languages: Mapping[str, int]
    entries: tuple[LedgerEntry, ...]
    praised: tuple[Uncovered, ...]
    complaints: tuple[Uncovered, ...]
    entities: tuple[EntityRow, ...]
    draft: bool
    caveats: tuple[str, ...]
