"""The charts of gaps and dimensions: figures of the report as Altair charts, nothing computed but positions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import altair as alt

from gapnlp.records.report import DimensionResult, GapReport, GapResult
from gapnlp.reporting.anchors import dimension_anchor, gap_anchor
from gapnlp.reporting.chart_style import (
    BOTH,
    COUNTED,
    FAULT,
    INK,
    ON_BAR,
    PRAISE,
    Size,
    ends,
    label_axis,
    percent_expr,
    rows_as_data,
    style,
    wrap,
)
from gapnlp.reporting.plots_quadrant import plot_quadrant
from gapnlp.reporting.summary import rank_gaps
from gapnlp.reporting.words import Words

Builder = Callable[[GapReport, Words, Size], alt.Chart | None]
_POLARITY_COLOURS = {"neg": FAULT, "neu": BOTH, "pos": PRAISE}


def plot_gaps(report: GapReport, words: Words, size: Size) -> alt.Chart | None:
    """Plot dots with intervals: each gap's share as counted and corrected."""
    ranked = [gap for gap in rank_gaps(report) if gap.raw_share.value is not None]
    if not ranked:
        return None
    rows = [row for gap in ranked for row in _gap_rows(gap, words, size)]
    top = max(max(row["high"], row["value"]) for row in rows)
    kinds = [kind for kind in (words.say("gaps.corrected"), words.say("gaps.raw")) if _has(rows, kind)]
    axis = alt.Axis(
        title=words.say("gaps.segments_axis"), tickCount=5 if not size.narrow else 3, labelExpr=percent_expr(words, top)
    )
    color = alt.Color("kind:N", scale=alt.Scale(domain=kinds, range=[FAULT, COUNTED][-len(kinds) :]))
    base = alt.Chart(rows_as_data(rows)).encode(
        y=alt.Y("name:N", sort=_names(rows), axis=label_axis(size)),
        yOffset=alt.YOffset("kind:N", sort=kinds, scale=alt.Scale(paddingInner=0.1, paddingOuter=0.35)),
        color=color,
        href="href:N",
    )
    scale = alt.Scale(domain=[0, top * 1.04], nice=False)
    bars = base.mark_rule(strokeWidth=3, strokeCap="round").encode(
        x=alt.X("low:Q", axis=axis, scale=scale), x2="high:Q"
    )
    shape = alt.Shape("kind:N", scale=alt.Scale(domain=kinds, range=["circle", "diamond"][-len(kinds) :]))
    dots = base.mark_point(filled=True, size=110, opacity=1).encode(x=alt.X("value:Q", scale=scale), shape=shape)
    side = 58 if size.narrow else 150
    width = size.width - size.label - side
    text = base.mark_text(align="left", baseline="middle").encode(
        x=alt.value(width + 12), text="text:N", color=alt.value(INK)
    )
    chart = (bars + dots + text).properties(width=width, height=54 * len(ranked))
    return style(chart)


def plot_dimensions(report: GapReport, words: Words, size: Size) -> alt.Chart | None:
    """Plot bars of fault, both and praise around a common middle, and perception P with its interval."""
    judged = [result for result in _by_perception(report) if sum(result.counts.values())]
    if not judged:
        return None
    names = [_dimension_name(result, words, size) for result in judged]
    bars_width, dots_width = _panel_widths(size)
    bars = _sentiment_bars(judged, names, words, size).properties(width=bars_width, height=46 * len(judged))
    dots = _perception_dots(judged, names, words, size).properties(width=dots_width, height=46 * len(judged))
    chart = alt.vconcat(bars, dots) if size.narrow else alt.hconcat(bars, dots)
    return style(chart)


PLOTS: Mapping[str, Builder] = {
    "gaps": plot_gaps,
    "dimensions": plot_dimensions,
    "quadrant": plot_quadrant,
}


def _has(rows: Iterable[Mapping[str, Any]], kind: str) -> bool:
    return any(row["kind"] == kind for row in rows)


def _names(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(str(row["name"]) for row in rows))


def _gap_rows(gap: GapResult, words: Words, size: Size) -> Iterable[dict[str, Any]]:
    name = wrap(words.name("gap", gap.gap), 14 if size.narrow else 24)
    for key, estimate in (("corrected", gap.corrected_share), ("raw", gap.raw_share)):
        if estimate.value is None:
            continue
        low, high = ends(estimate)
        text = words.formats.percent(estimate.value)
        interval = words.formats.share_interval(estimate)
        if interval and not size.narrow:
            text = words.say("format.bracket", text=text, inner=interval)
        kind, href = words.say(f"gaps.{key}"), f"#{gap_anchor(gap.gap)}"
        yield {
            "name": name,
            "kind": kind,
            "value": estimate.value,
            "low": low,
            "high": high,
            "text": text,
            "href": href,
        }


def _by_perception(report: GapReport) -> list[DimensionResult]:
    return sorted(report.dimensions, key=lambda result: result.perception.value or 0.0)


def _dimension_name(result: DimensionResult, words: Words, size: Size) -> str:
    return wrap(words.name("dimension", result.dimension), 14 if size.narrow else 24)


def _panel_widths(size: Size) -> tuple[int, int]:
    room = size.width - size.label
    return (room - 14, room - 14) if size.narrow else (int(room * 0.58), int(room * 0.36))


def _bar_rows(result: DimensionResult, name: str, words: Words) -> Iterable[dict[str, Any]]:
    total = sum(result.counts.values())
    shares = {polarity: result.counts.get(polarity, 0) / total for polarity in _POLARITY_COLOURS}
    start = -shares["neg"] - shares["neu"] / 2
    for polarity, share in shares.items():
        yield {
            "name": name,
            "polarity": words.say(f"polarity.{polarity}"),
            "from": start,
            "to": start + share,
            "middle": start + share / 2,
            "text": words.formats.percent(share) if share >= 0.11 else "",
            "ink": INK if polarity == "neu" else ON_BAR,
            "href": f"#{dimension_anchor(result.dimension)}",
        }
        start += share


def _sentiment_bars(judged: list[DimensionResult], names: list[str], words: Words, size: Size) -> Any:
    rows = [row for result, name in zip(judged, names, strict=True) for row in _bar_rows(result, name, words)]
    polarities = [words.say(f"polarity.{polarity}") for polarity in _POLARITY_COLOURS]
    axis = alt.Axis(
        title=words.say("dimensions.share_axis"),
        labelExpr=percent_expr(words, 1, absolute=True),
        values=[-1, -0.5, 0, 0.5, 1],
    )
    low, high = min(row["from"] for row in rows), max(row["to"] for row in rows)
    base = alt.Chart(rows_as_data(rows)).encode(
        y=alt.Y("name:N", sort=names, axis=label_axis(size)),
        href="href:N",
    )
    bars = base.mark_bar(height=24).encode(
        x=alt.X("from:Q", axis=axis, scale=alt.Scale(domain=[low, high], nice=False)),
        x2="to:Q",
        color=alt.Color("polarity:N", scale=alt.Scale(domain=polarities, range=list(_POLARITY_COLOURS.values()))),
    )
    ink = alt.Color("ink:N", scale=None)
    return bars + base.mark_text().encode(x="middle:Q", text="text:N", color=ink)


def _perception_dots(judged: list[DimensionResult], names: list[str], words: Words, size: Size) -> Any:
    rows = []
    for result, name in zip(judged, names, strict=True):
        if result.perception.value is not None:
            low, high = ends(result.perception)
            text, href = words.formats.number(result.perception.value), f"#{dimension_anchor(result.dimension)}"
            rows.append(
                {"name": name, "value": result.perception.value, "low": low, "high": high, "text": text, "href": href}
            )
    axis = label_axis(size) if size.narrow else None
    scale = alt.Scale(domain=[1, 7], nice=False)
    ticks = alt.Axis(title=words.say("dimensions.perception_axis"), values=[1, 2, 3, 4, 5, 6, 7])
    base = alt.Chart(rows_as_data(rows)).encode(
        y=alt.Y("name:N", sort=names, axis=axis, scale=alt.Scale(domain=names)), href="href:N"
    )
    bars = base.mark_rule(strokeWidth=3, color=INK, strokeCap="round").encode(
        x=alt.X("low:Q", scale=scale, axis=ticks), x2="high:Q"
    )
    dots = base.mark_point(filled=True, size=110, opacity=1, color=INK).encode(x="value:Q")
    return bars + dots + base.mark_text(dy=-15, fontWeight=600).encode(x="value:Q", text="text:N")
