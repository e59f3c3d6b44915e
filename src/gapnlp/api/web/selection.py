"""What is known about the bar, group or period that was chosen: figures, causes, how it stands out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gapnlp.records.report import Cell, Comparison, DimensionResult, Estimate, GapReport, GapResult
from gapnlp.records.service import SegmentFilter
from gapnlp.reporting.measures import is_worse, weight, write_interval, write_value
from gapnlp.reporting.summary import write_basis
from gapnlp.reporting.words import Words

_CAUSES, _REMEDIES, _DIFFERENCES = 4, 3, 6


@dataclass(frozen=True, slots=True)
class Fact:
    """A figure with its name and what it rests on."""

    name: str
    value: str
    note: str


@dataclass(frozen=True, slots=True)
class Cause:
    """A cause of the chosen gap: its share of the gap's statements, and what closes it."""

    name: str
    share: str
    remedies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure of a group or period beside the rest of the data. worse: which way it differs."""

    name: str
    value: str
    rest: str
    worse: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """A chosen group or period beside the rest of the data.

    own: its figure of the chosen gap or dimension, where there is one. enough: whether it is large enough to compare.
    """

    name: str
    own: Difference | None
    items: int
    enough: bool
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """What was chosen. explanation, note: of the gap or dimension; total: its statements, where the count is known."""

    explanation: str = ""
    note: str = ""
    facts: tuple[Fact, ...] = ()
    causes: tuple[Cause, ...] = ()
    standings: tuple[Standing, ...] = ()
    total: int | None = None


def describe(report: GapReport, wanted: SegmentFilter, words: Words) -> Selection:
    """Collect what the report says about the filters; a gap goes before a dimension where both are chosen."""
    standings = tuple(_standings(report, wanted, words))
    if wanted.gap:
        gap = next(g for g in report.gaps if g.gap == wanted.gap)
        return Selection(
            explanation=words.explain("gap", gap.gap),
            note=words.say("gaps.attributed_long") if gap.attributed else "",
            facts=_gap_facts(gap, words),
            causes=_causes(gap, words),
            standings=standings,
            total=_total(wanted, gap.segments, only="gap"),
        )
    if wanted.dimension:
        result = next(d for d in report.dimensions if d.dimension == wanted.dimension)
        count = result.counts.get(wanted.polarity, 0) if wanted.polarity else result.segments
        return Selection(
            explanation=words.explain("dimension", result.dimension),
            facts=_dimension_facts(result, words),
            standings=standings,
            total=_total(wanted, count, only="dimension"),
        )
    return Selection(standings=standings, total=_total(wanted, report.segments, only=""))


def _total(wanted: SegmentFilter, count: int, *, only: str) -> int | None:
    """Give the count that the report knows: of one gap, of one dimension (and polarity), or of everything."""
    given = {name for name in ("gap", "dimension", "polarity", "group", "period") if getattr(wanted, name)}
    allowed = {only, "polarity"} if only == "dimension" else {only} - {""}
    return count if given <= allowed else None


def _gap_facts(gap: GapResult, words: Words) -> tuple[Fact, ...]:
    say = words.say
    corrected = gap.corrected_share
    if corrected.value is None:
        first = Fact(say("gaps.corrected_share"), "–", say("figure.not_corrected"))
    else:
        first = _share(say("gaps.corrected_share"), corrected, words)
    return (
        first,
        _share(say("gaps.raw_share"), gap.raw_share, words),
        _share(say("gaps.item_share"), gap.item_share, words),
    )


def _dimension_facts(result: DimensionResult, words: Words) -> tuple[Fact, ...]:
    say, perception = words.say, result.perception
    value = "–" if perception.value is None else words.formats.number(perception.value)
    basis = write_basis(words, words.formats.interval(perception), perception.n)
    facts = [Fact(say("dimensions.perception"), value, basis)]
    if result.importance is not None:
        facts.append(_share(say("dimensions.importance"), result.importance.share, words))
    facts.append(_share(say("dimensions.breach_rate"), result.breach_rate, words))
    return tuple(facts)


def _share(name: str, estimate: Estimate, words: Words) -> Fact:
    if estimate.value is None:
        return Fact(name, "–", words.say("figure.too_few_n", n=words.formats.whole(estimate.n)))
    basis = write_basis(words, words.formats.share_interval(estimate), estimate.n)
    return Fact(name, words.formats.percent(estimate.value), basis)


def _causes(gap: GapResult, words: Words) -> tuple[Cause, ...]:
    return tuple(
        Cause(
            words.name("cause", cause.cause),
            words.formats.percent(cause.share.value or 0.0),
            tuple(words.name("remedy", key) for key in cause.remedies[:_REMEDIES]),
        )
        for cause in gap.causes[:_CAUSES]
        if cause.segments
    )


def _standings(report: GapReport, wanted: SegmentFilter, words: Words) -> Iterable[Standing]:
    for breakdown in report.breakdowns:
        chosen = wanted.group if breakdown.kind == "group" else wanted.period
        cell = next((c for c in breakdown.cells if c.name == chosen), None)
        if cell is not None:
            yield Standing(cell.name, _own(cell, wanted, words), cell.items, cell.enough, _differences(cell, words))


def _own(cell: Cell, wanted: SegmentFilter, words: Words) -> Difference | None:
    """Find the cell's own figure of what was chosen."""
    measure = f"gap:{wanted.gap}" if wanted.gap else f"perception:{wanted.dimension}"
    found = next((c for c in cell.comparisons if c.measure == measure and c.estimate.value is not None), None)
    return None if found is None else _difference(found, words)


def _differences(cell: Cell, words: Words) -> tuple[Difference, ...]:
    """Find what differs from the rest by more than chance, largest difference first."""
    found = sorted((c for c in cell.comparisons if c.differs), key=lambda c: -weight(c))
    return tuple(_difference(comparison, words) for comparison in found[:_DIFFERENCES])


def _difference(comparison: Comparison, words: Words) -> Difference:
    value = write_value(words, comparison.measure, comparison.estimate.value)
    interval = write_interval(words, comparison.measure, comparison.estimate)
    return Difference(
        words.measure(comparison.measure),
        words.say("format.bracket", text=value, inner=interval) if interval else value,
        write_value(words, comparison.measure, comparison.rest),
        is_worse(comparison),
    )
