"""Everything after aggregation. Renderers take a GapReport and compute nothing; its words come from the taxonomy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from gapnlp.records.feedback import Failure, Recognition

SCHEMA_VERSION = "2.0"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with what it rests on: value and `level` interval (None where too little is known), and n.

    n: the number of items or segments that the value is a mean or share of (its denominator).
    """

    value: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """A customer's own sentence behind a figure, traceable to its row and offsets.

    kind: "strongest" (highest probability) or "typical" (central among a random sample). probability: of the label
    that it is evidence of, in [0, 1]. start, end: code points in the item's text. before, after: up to 80
    characters of the item around it.
    """

    item_id: str
    file: str
    row: int
    start: int
    end: int
    text: str
    before: str
    after: str
    language: str
    kind: str
    probability: float
    date: date | None = None
    rating: float | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """The expectation E that a perception is compared with, on the 1-7 scale, and where it comes from."""

    expectation: float
    source: str


@dataclass(frozen=True, slots=True)
class Importance:
    """How much a dimension moves the overall judgement, beside how often it is mentioned.

    share: its part of the explained variance (Lindeman, Merenda and Gold 1980), in [0, 1], summing to 1.
    effect: change of the outcome, on its 0-100 scale, when the item's polarity toward the dimension goes up by one
    (from fault to silence, or silence to praise).
    """

    share: Estimate
    effect: Estimate


@dataclass(frozen=True, slots=True)
class DimensionResult:
    """One SERVQUAL dimension.

    segments, items: how many judge it. counts: polarity -> segments. perception: P on the 1-7 scale.
    breach_rate: unmet / (unmet + met + exceeded) among its segments that refer to an expectation.
    servqual_gap: P - E, only with a reference.
    """

    dimension: str
    segments: int
    items: int
    counts: Mapping[str, int]
    segment_share: Estimate
    item_share: Estimate
    perception: Estimate
    breach_rate: Estimate
    reference: Reference | None
    servqual_gap: Estimate | None
    importance: Importance | None
    negative: tuple[Evidence, ...]
    positive: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class CauseResult:
    """A cause of a gap by cue evidence: share is of the gap's segments; remedies are taxonomy keys."""

    cause: str
    segments: int
    share: Estimate
    remedies: tuple[str, ...]
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class GapResult:
    """One service gap.

    raw_share: segments labelled with it among all. corrected_share: mean calibrated probability of the gap over all
    segments (Bella et al. 2010); its interval adds the error measured over known and held-out domains.
    item_share: items with at least one such segment. attributed: only attributed by customers (knowledge, policy).
    unexplained: its segments without any cause's cue. dimensions: dimension -> segments of this gap that fault it.
    """

    gap: str
    segments: int
    items: int
    raw_share: Estimate
    corrected_share: Estimate
    item_share: Estimate
    attributed: bool
    dimensions: Mapping[str, int]
    causes: tuple[CauseResult, ...]
    unexplained: int
    remedies: tuple[str, ...]
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One cell's figure against the rest of the data.

    measure: "perception:reliability", "gap:delivery", "sentiment" ... p: two-sided; q: after Benjamini and Hochberg
    (1995) over all comparisons of the table; differs: q below the stated rate.
    """

    measure: str
    estimate: Estimate
    rest: float | None
    difference: float | None
    p: float | None
    q: float | None
    differs: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """One group or period: its size, whether it is large enough to speak, and its comparisons.

    name: the group's value, or the period's ISO label ("2025-03", "2025-W07", "2025-Q1"). comparisons is empty when
    the cell is too small. evidence: strongest fault and praise in it.
    """

    name: str
    items: int
    segments: int
    enough: bool
    comparisons: tuple[Comparison, ...]
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Breakdown:
    """All groups of a column, or all periods in order of time.

    kind: "group" or "period". by: the column's name, or "week", "month", "quarter". smallest: items that a cell needs
    to speak. without: items that had no value. fdr: the false-discovery rate held.
    """

    kind: str
    by: str
    smallest: int
    without: int
    fdr: float
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Intake:
    """Every row accounted for: scored + failed + duplicate + empty + unsupported = read.

    languages: language -> scored items. unsupported_languages: language -> items left out. failures: the first
    ones, with file and row. notices: rows kept with a problem, counted; noticed: the first ones.
    """

    read: int
    scored: int
    failed: int
    duplicate: int
    empty: int
    unsupported: int
    languages: Mapping[str, int]
    unsupported_languages: Mapping[str, int]
    failures: tuple[Failure, ...]
    notices: int
    noticed: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class ModelUsed:
    """Which bundle judged which language, and how good it was measured to be (headline of the development set)."""

    language: str
    name: str
    version: str
    headline: float | None


@dataclass(frozen=True, slots=True)
class LabelShare:
    """One label's share of all segments, in each way that it can be stated, and which to go by.

    label: of records.labels.HEADS ("gap:delivery", "dimension:reliability:neg", "presence:reliability" for any
    polarity ...). counted: segments decided to have it. corrected: mean calibrated probability, with the known error;
    None where that is not known. audited: from segments that people labelled, helped by the classifier
    (prediction-powered); None without enough of them. weight: of the classifier's answers in it, 0 to 1. positives:
    audited segments with the label. rare: too few of them, or of those without it, for an interval that is as narrow as
    it could be. used: "audited", "corrected" or "counted".
    """

    label: str
    counted: Estimate
    corrected: Estimate | None
    audited: Estimate | None
    weight: float
    positives: int
    rare: bool
    used: str


@dataclass(frozen=True, slots=True)
class AuditUsed:
    """The audit that shares were stated with.

    file: its table. segments, items: audited ones that were found among the scored. waiting: rows not labelled yet.
    unmatched: labelled rows that were not found. enough: whether there are enough for audited shares. left_out: rows
    that were not drawn at random (those of a review queue) and play no part.
    """

    file: str
    segments: int
    items: int
    waiting: int
    unmatched: int
    enough: bool
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Overall:
    """The item-wide figures: sentiment shares over segments, churn over items, explicit expectations over segments."""

    sentiment: Mapping[str, Estimate]
    churn: Estimate
    breach_rate: Estimate
    expectations: Mapping[str, int]
    mean_satisfaction: Estimate | None


@dataclass(frozen=True, slots=True)
class GapReport:
    """The report: what a manager acts on and an analyst defends.

    level: of every interval. outcome: what importance was derived from, "rating" or "sentiment".
    first, last: dates of the items. shares: every label's share of segments, and what it rests on. audit: the audit
    that was given, or None. caveats: keys of the wording's caveats that apply.
    """

    schema_version: str
    inputs: tuple[Recognition, ...]
    intake: Intake
    models: tuple[ModelUsed, ...]
    level: float
    items: int
    segments: int
    first: date | None
    last: date | None
    overall: Overall
    outcome: str
    outcome_items: int
    explained: float | None
    dimensions: tuple[DimensionResult, ...]
    gaps: tuple[GapResult, ...]
    shares: tuple[LabelShare, ...]
    audit: AuditUsed | None
    breakdowns: tuple[Breakdown, ...]
    caveats: tuple[str, ...]
