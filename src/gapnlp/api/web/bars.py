"""The bars of the explorer: where each begins and ends, in percent of its track, and what is written beside it."""

from __future__ import annotations

from dataclasses import dataclass

from gapnlp.records.labels import POLARITIES
from gapnlp.records.report import DimensionResult, Estimate, GapReport, GapResult
from gapnlp.reporting.summary import best_share, rank_dimensions, rank_gaps
from gapnlp.reporting.words import Words

# Where a scale of shares may end.
_TOPS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
_LOWEST, _SPAN = 1.0, 6.0  # the scale of perception, 1 to 7


@dataclass(frozen=True, slots=True)
class Whisker:
    """An interval on a track. low, high: percent of the track's width."""

    low: str
    high: str


@dataclass(frozen=True, slots=True)
class GapBar:
    """One gap: its share as a bar. width: percent of the track; corrected: False when only the count is known."""

    key: str
    name: str
    value: str
    interval: str
    width: str
    whisker: Whisker | None
    segments: int
    corrected: bool
    attributed: bool


@dataclass(frozen=True, slots=True)
class Part:
    """One polarity of a dimension: where it lies on the track, and its share in words."""

    polarity: str
    share: str
    x: str
    width: str


@dataclass(frozen=True, slots=True)
class DimensionBar:
    """One dimension: praise, both and fault on one track, so that perception P lies where praise ends."""

    key: str
    name: str
    value: str
    interval: str
    parts: tuple[Part, ...]
    at: str | None
    whisker: Whisker | None
    segments: int


@dataclass(frozen=True, slots=True)
class Axis:
    """Marks under a track: position in percent and text."""

    marks: tuple[tuple[str, str], ...]


def gap_bars(report: GapReport, words: Words) -> tuple[tuple[GapBar, ...], Axis]:
    """Draw the gaps, largest first, on a scale that holds every interval."""
    gaps = rank_gaps(report)
    ends = [max(e.value or 0.0, e.high or 0.0) for e in (best_share(report, gap) for gap in gaps)]
    top = next((t for t in _TOPS if t >= max(ends, default=0.0) - 1e-9), 1.0)
    digits = 0 if top >= 0.1 else 1
    marks = tuple((_percent(share / top), _mark(share, digits, words)) for share in (0.0, top / 2, top))
    return tuple(_gap_bar(gap, best_share(report, gap), words=words, top=top) for gap in gaps), Axis(marks)


def dimension_bars(report: GapReport, words: Words) -> tuple[tuple[DimensionBar, ...], Axis]:
    """Draw the dimensions, those with most to win first, on the 1-7 scale."""
    marks = tuple((_percent((p - _LOWEST) / _SPAN), words.formats.number(p, 0)) for p in (1.0, 4.0, 7.0))
    return tuple(_dimension_bar(result, words) for result in rank_dimensions(report)), Axis(marks)


def _gap_bar(gap: GapResult, share: Estimate, *, words: Words, top: float) -> GapBar:
    return GapBar(
        key=gap.gap,
        name=words.name("gap", gap.gap),
        value="–" if share.value is None else words.formats.percent(share.value),
        interval=words.formats.share_interval(share),
        width=_percent((share.value or 0.0) / top),
        whisker=_whisker(share, 0.0, top),
        segments=gap.segments,
        corrected=share is not gap.raw_share,
        attributed=gap.attributed,
    )


def _dimension_bar(result: DimensionResult, words: Words) -> DimensionBar:
    perception = result.perception
    value = perception.value
    return DimensionBar(
        key=result.dimension,
        name=words.name("dimension", result.dimension),
        value="–" if value is None else words.formats.number(value),
        interval=words.formats.interval(perception),
        parts=_parts(result, words),
        at=None if value is None else _percent((value - _LOWEST) / _SPAN),
        whisker=_whisker(perception, _LOWEST, _SPAN),
        segments=result.segments,
    )


def _parts(result: DimensionResult, words: Words) -> tuple[Part, ...]:
    """Lay praise, both and fault end to end; a polarity that does not occur has no part."""
    parts, start, total = [], 0.0, sum(result.counts.values())
    for polarity in reversed(POLARITIES):
        share = result.counts.get(polarity, 0) / total if total else 0.0
        if share:
            parts.append(Part(polarity, words.formats.percent(share), _percent(start), _percent(share)))
        start += share
    return tuple(parts)


def _whisker(estimate: Estimate, lowest: float, span: float) -> Whisker | None:
    if estimate.low is None or estimate.high is None:
        return None
    return Whisker(_percent((estimate.low - lowest) / span), _percent((estimate.high - lowest) / span))


def _mark(share: float, digits: int, words: Words) -> str:
    return words.formats.percent_pattern.format(number=words.formats.number(share * 100, digits if share else 0))


def _percent(share: float) -> str:
    return f"{min(max(share, 0.0), 1.0) * 100:.2f}%"
