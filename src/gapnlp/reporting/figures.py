"""The charts of a report, drawn for the page (wide and narrow) and for files."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import altair as alt

from gapnlp.records.report import GapReport
from gapnlp.reporting.chart_style import NARROW, WIDE, Size, to_inline_svg, to_png, to_svg
from gapnlp.reporting.fonts import has_chinese_font, needs_chinese_font
from gapnlp.reporting.formats import clean, clip
from gapnlp.reporting.plots import PLOTS
from gapnlp.reporting.plots_compare import CELL_PLOTS
from gapnlp.reporting.words import Words

logger = logging.getLogger(__name__)

Draw = Callable[[Size], alt.Chart | None]
# A chart: its name, its description for those who do not see it, and how it is drawn.
Chart = tuple[str, str, Draw]
_BY = 80
_TITLES = {"gaps": "gaps.chart_alt", "dimensions": "dimensions.chart_alt", "quadrant": "dimensions.quadrant_alt"}


@dataclass(frozen=True, slots=True)
class Figure:
    """One chart as inline SVG for a wide and a narrow page."""

    wide: str
    narrow: str


def draw_figures(report: GapReport, words: Words) -> dict[str, Figure]:
    """Draw every chart that the report has figures for, for use inside the page. Groups are a table there."""
    return draw_inline(chart for chart in _charts(report, words) if not chart[0].startswith("group"))


def draw_inline(charts: Iterable[Chart]) -> dict[str, Figure]:
    """Draw charts for use inside the page, wide and narrow; those without figures are left out."""
    figures = {}
    for name, title, draw in charts:
        wide = draw(WIDE)
        narrow = None if wide is None else draw(NARROW)
        if wide is not None and narrow is not None:
            figures[name] = Figure(
                to_inline_svg(wide, name=f"{name}-wide", title=title),
                to_inline_svg(narrow, name=f"{name}-narrow", title=title),
            )
    return figures


def draw_files(report: GapReport, words: Words) -> Iterator[tuple[str, bytes]]:
    """Draw every chart as file name and bytes: SVG and PNG. Warns where PNGs would show boxes for Chinese."""
    yield from draw_each(_charts(report, words), chinese=needs_chinese_font(report, words.ui))


def draw_each(charts: Iterable[Chart], *, chinese: bool) -> Iterator[tuple[str, bytes]]:
    """Draw charts as files. chinese: whether they hold Chinese, for which PNGs need a font of this machine."""
    if chinese and not has_chinese_font():
        logger.warning(
            "no font with Chinese characters was found on this machine: plots/*.png show boxes instead of them; "
            "install one (on Debian or Ubuntu the package fonts-noto-cjk). HTML pages and plots/*.svg are not affected"
        )
    for name, _, draw in charts:
        chart = draw(WIDE)
        if chart is not None:
            svg = to_svg(_without_links(chart))
            yield f"{name}.svg", svg.encode("utf-8")
            yield f"{name}.png", to_png(svg)


def _charts(report: GapReport, words: Words) -> Iterator[Chart]:
    for name, build in PLOTS.items():
        yield name, words.say(_TITLES[name]), partial(build, report, words)
    for index, breakdown in enumerate(report.breakdowns):
        title = words.say(f"{breakdown.kind}.chart_alt", by=by_name(words, breakdown.kind, breakdown.by))
        draw = partial(CELL_PLOTS[breakdown.kind], index, breakdown, words)
        yield figure_name(report, index), title, draw


def figure_name(report: GapReport, index: int) -> str:
    """Name a breakdown's chart: "period", "group", and with a number from the second of its kind on."""
    kind = report.breakdowns[index].kind
    earlier = sum(breakdown.kind == kind for breakdown in report.breakdowns[:index])
    return f"{kind}-{earlier + 1}" if earlier else kind


def by_name(words: Words, kind: str, by: str) -> str:
    """Name what a breakdown is by: week, month and quarter in the UI language, a column as it is called."""
    key = f"period.{by}"
    return words.say(key) if kind == "period" and words.has(key) else clip(clean(by), _BY)


def _without_links(chart: alt.Chart) -> alt.Chart:
    """Take the links out of a chart that leaves the page: they would lead nowhere."""
    spec = chart.to_dict(validate=False)
    _drop_links(spec)
    return alt.Chart.from_dict(spec, validate=False)


def _drop_links(spec: object) -> None:
    if isinstance(spec, dict):
        encoding = spec.get("encoding")
        if isinstance(encoding, dict):
            encoding.pop("href", None)
        for value in spec.values():
            _drop_links(value)
    elif isinstance(spec, list):
        for value in spec:
            _drop_links(value)
