"""The charts of periods and groups: trend lines with intervals, and a grid of groups and figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import altair as alt

from gapnlp.records.report import Breakdown, Cell, Comparison
from gapnlp.reporting.anchors import cell_anchor
from gapnlp.reporting.chart_style import (
    COUNTED,
    FAULT,
    FAULT_SOFT,
    GRID,
    INK,
    ON_BAR,
    PAPER,
    PRAISE,
    PRAISE_SOFT,
    Size,
    label_axis,
    percent_expr,
    rows_as_data,
    style,
    wrap,
)
from gapnlp.reporting.formats import clean, clip
from gapnlp.reporting.measures import by_measure, is_share, kind_of, measures_of, shown_cells, verdict, write_value
from gapnlp.reporting.words import Words

_PERIODS, _GROUPS, _MEASURES = 53, 40, 12
_FILLS = {"worse_sure": FAULT, "better_sure": PRAISE, "worse": FAULT_SOFT, "better": PRAISE_SOFT, "same": PAPER}
# The same room for every panel's ticks, so that panels stand in line.
_TICKS: Mapping[str, Any] = {"labelFontSize": 11, "minExtent": 34, "maxExtent": 34}
# Marks that tell direction and certainty without colour.
MARKS: Mapping[str, str] = {"worse_sure": "▼", "better_sure": "▲", "worse": "", "better": "", "same": ""}


def plot_periods(index: int, breakdown: Breakdown, words: Words, size: Size) -> alt.Chart | None:
    """Plot one small line chart per measure, with intervals; filled dots differ from the rest of the data."""
    cells = shown_cells(breakdown, _PERIODS)
    measures = measures_of(cell for _, cell in cells)[:_MEASURES]
    if not measures or len(cells) < 2:
        return None
    columns = 2 if size.narrow else 4
    width = int((size.width - columns * 52) / columns)
    line = 22 if size.narrow else 30
    panels = [_panel(index, cells, measure, words) for measure in measures]
    titles = [wrap(words.measure(measure), line).split("\n") for measure in measures]
    panels = [
        panel.properties(width=width, height=92, title=title) for panel, title in zip(panels, titles, strict=True)
    ]
    spacing = {"row": 74, "column": 50}
    return style(alt.concat(*panels, columns=columns, bounds="flush", spacing=spacing))


def plot_groups(index: int, breakdown: Breakdown, words: Words, size: Size) -> alt.Chart | None:
    """Plot groups down, measures across, coloured by direction, marked where a difference is more than chance."""
    cells = [(place, cell) for place, cell in shown_cells(breakdown, _GROUPS) if cell.comparisons]
    measures = measures_of(cell for _, cell in cells)[:_MEASURES]
    if not measures:
        return None
    rows = [row for place, cell in cells for row in _grid_rows(index, place, cell, measures, words)]
    names = list(dict.fromkeys(row["name"] for row in rows))
    labels = [wrap(words.measure(measure), 16) for measure in measures]
    head = alt.Axis(
        orient="top",
        title=None,
        labelAngle=-40,
        labelAlign="left",
        labelLimit=190,
        labelExpr="replace(datum.label, /\\n/g, ' ')",
        ticks=False,
        domain=False,
        labelPadding=6,
    )
    base = alt.Chart(rows_as_data(rows)).encode(
        x=alt.X("measure:N", sort=labels, axis=head),
        y=alt.Y("name:N", sort=names, axis=label_axis(size, keyed=True)),
        href="href:N",
    )
    tiles = base.mark_rect(stroke=GRID, strokeWidth=1).encode(fill=alt.Fill("fill:N", scale=None))
    text = base.mark_text(fontSize=11).encode(text="text:N", color=alt.Color("ink:N", scale=None))
    width = max(size.width - size.label, 46 * len(measures))
    return style((tiles + text).properties(width=width, height=28 * len(names)))


CELL_PLOTS: Mapping[str, Callable[[int, Breakdown, Words, Size], alt.Chart | None]] = {
    "period": plot_periods,
    "group": plot_groups,
}


def _panel(index: int, cells: Iterable[tuple[int, Cell]], measure: str, words: Words) -> Any:
    cells = list(cells)
    rows = _points(index, cells, measure)
    last, ends = len(cells) - 1, (cells[0][1].name, cells[-1][1].name)
    labels = f"datum.value == 0 ? '{_literal(ends[0])}' : '{_literal(ends[1])}'"
    x = alt.X(
        "at:Q",
        scale=alt.Scale(domain=[-0.2, last + 0.2], nice=False),
        axis=alt.Axis(title=None, values=[0, last], labelExpr=labels, labelFlush=60, grid=False, labelFontSize=11),
    )
    base = alt.Chart(rows_as_data(rows)).encode(x=x, href="href:N")
    whiskers = base.mark_rule(color=COUNTED, strokeWidth=1.5).encode(y=_y(rows, measure, words, "low"), y2="high:Q")
    line = base.mark_line(color=COUNTED, strokeWidth=1.5, opacity=0.7).encode(y="value:Q", detail="run:N")
    dots = base.mark_point(size=42, opacity=1, strokeWidth=1.6, filled=False).encode(
        y="value:Q", fill=alt.Fill("fill:N", scale=None), stroke=alt.Stroke("stroke:N", scale=None)
    )
    return whiskers + line + dots


def _y(rows: list[dict[str, Any]], measure: str, words: Words, field: str) -> alt.Y:
    tops = [row["high"] for row in rows] or [1.0]
    if is_share(measure):
        top = max(*tops, 0.01)
        axis = alt.Axis(title=None, tickCount=3, labelExpr=percent_expr(words, top), **_TICKS)
        return alt.Y(f"{field}:Q", axis=axis, scale=alt.Scale(domain=[0, top], nice=True))
    domain = [1, 7] if kind_of(measure) == "perception" else [-1, 1]
    middle = sum(domain) / 2
    axis = alt.Axis(title=None, values=[domain[0], middle, domain[1]], format="d", **_TICKS)
    return alt.Y(f"{field}:Q", axis=axis, scale=alt.Scale(domain=domain, nice=False))


def _points(index: int, cells: Iterable[tuple[int, Cell]], measure: str) -> list[dict[str, Any]]:
    """List the points of one measure; a period without a figure starts a new run, so that no line crosses it."""
    rows: list[dict[str, Any]] = []
    run = 0
    for at, (place, cell) in enumerate(cells):
        found = list(_point(at, cell_anchor(index, place), by_measure(cell).get(measure)))
        run += not found
        rows.extend(row | {"run": run} for row in found)
    return rows


def _point(at: int, anchor: str, comparison: Comparison | None) -> Iterable[dict[str, Any]]:
    if comparison is None or comparison.estimate.value is None:
        return
    estimate, mark = comparison.estimate, verdict(comparison)
    colour = {"worse_sure": FAULT, "better_sure": PRAISE}.get(mark)
    yield {
        "at": at,
        "value": estimate.value,
        "low": estimate.value if estimate.low is None else estimate.low,
        "high": estimate.value if estimate.high is None else estimate.high,
        "fill": colour or PAPER,
        "stroke": colour or INK,
        "href": f"#{anchor}",
    }


def _grid_rows(index: int, place: int, cell: Cell, measures: Iterable[str], words: Words) -> Iterable[dict[str, Any]]:
    found = by_measure(cell)
    for measure in measures:
        comparison = found.get(measure)
        mark = verdict(comparison) if comparison else "same"
        value = write_value(words, measure, comparison.estimate.value if comparison else None)
        yield {
            "name": f"{place}|{wrap(clip(clean(cell.name), 44), 24)}",
            "measure": wrap(words.measure(measure), 16),
            "text": f"{MARKS[mark]}{value}",
            "fill": _FILLS[mark],
            "ink": ON_BAR if mark.endswith("_sure") else INK,
            "href": f"#{cell_anchor(index, place)}",
        }


def _literal(text: str) -> str:
    """Keep only what a period's ISO label is made of, so that nothing can leave a Vega expression's quotes."""
    return "".join(char for char in text if char.isalnum() or char in "-/ .")[:20]
