"""How charts look and how they become SVG and PNG: one palette for light and dark, text kept as text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, cast

import altair as alt
import vl_convert as vlc

from gapnlp.records.report import Estimate
from gapnlp.reporting.words import Words

# Light colour -> the colour that a dark page shows instead. Orange and blue stay apart under every common colour
# blindness (Okabe and Ito 2008).
INK, MUTED, GRID, PAPER = "#1c2733", "#55606d", "#e1e5ea", "#ffffff"
FAULT, BOTH, PRAISE = "#c04a22", "#c3c9cf", "#2f73b3"
COUNTED, ON_BAR, FAULT_SOFT, PRAISE_SOFT = "#808b97", "#fefefe", "#f9dfd2", "#d7e7f6"
DARK: Mapping[str, str] = {
    INK: "#e8ecf0",
    MUTED: "#a9b4bf",
    GRID: "#323c47",
    PAPER: "#1a2129",
    FAULT: "#f2905f",
    BOTH: "#56616d",
    PRAISE: "#74b3ea",
    COUNTED: "#8f9aa6",
    ON_BAR: "#11161b",
    FAULT_SOFT: "#4a2c20",
    PRAISE_SOFT: "#1e3850",
}
FONTS = "Noto Sans, Segoe UI, Roboto, Noto Sans CJK SC, PingFang SC, Microsoft YaHei, DejaVu Sans, sans-serif"
# The PNG drawer takes one font for a whole text, and any font at all where the first one lacks a sign. So texts with
# Chinese, minus signs or triangles get fonts that hold them beside Latin letters.
WIDE_FONTS = (
    "Noto Sans CJK SC, Noto Sans SC, Source Han Sans SC, PingFang SC, Microsoft YaHei, WenQuanYi Zen Hei, DejaVu Sans"
)
_BEYOND_LATIN = re.compile(r'(<text [^>]*font-family=)"[^"]*"([^>]*>(?:[^<]|</?tspan[^>]*>)*?[\u2190-\uffef])')
_CONFIG: Mapping[str, Any] = {
    "background": "transparent",
    "font": FONTS,
    "aria": False,
    "padding": 4,
    "view": {"stroke": None},
    "concat": {"spacing": 18},
    "axis": {
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelColor": INK,
        "titleColor": MUTED,
        "gridColor": GRID,
        "domainColor": GRID,
        "tickColor": GRID,
        "titlePadding": 8,
    },
    "text": {"fontSize": 12, "color": INK},
    "title": {"fontSize": 12.5, "fontWeight": 600, "color": INK, "anchor": "start", "offset": 6},
    "legend": {
        "labelFontSize": 12,
        "labelColor": INK,
        "title": None,
        "orient": "top",
        "direction": "horizontal",
        "labelLimit": 300,
        "offset": 8,
    },
}
# What Vega writes and the page's style or the default makes needless: it would be half of the page's size.
_REDUNDANT = re.compile(
    r'<path class="(?:back|fore)ground"[^>]* d="(?:M0,0h0v0h0Z)?"[^>]*/>'
    r'| (?:font-family|role|aria-\w+|pointer-events|class)="(?!chart)[^"]*"| opacity="1"| stroke-miterlimit="10"'
)
_VEGA_BASE = "https://vega.github.io/vega-datasets/"


@dataclass(frozen=True, slots=True)
class Size:
    """The room a chart has, in pixels: all of it, and the part for the labels on the left."""

    width: int
    label: int

    @property
    def narrow(self) -> bool:
        """Whether this is a phone's width, where side notes are left out."""
        return self.width < 500


WIDE, NARROW = Size(880, 170), Size(350, 104)


def rows_as_data(rows: Iterable[Mapping[str, Any]]) -> alt.Data:
    """Give rows to a chart; as a tuple, since Altair copies lists again at every step."""
    return cast(alt.Data, cast(Any, alt.Data)(values=tuple(rows)))


def style(chart: Any) -> alt.Chart:
    """Put the common look on a finished chart."""
    chart.config = dict(_CONFIG)
    return cast(alt.Chart, chart)


def to_svg(chart: alt.Chart) -> str:
    """Draw a chart as a stand-alone SVG."""
    return str(vlc.vegalite_to_svg(chart.to_dict(validate=False), allowed_base_urls=[]))


def to_inline_svg(chart: alt.Chart, *, name: str, title: str) -> str:
    """Draw a chart for use inside the page: scalable, labelled, its ids its own, its links inside the page."""
    svg = to_svg(chart).replace(f'"{_VEGA_BASE}#', '"#')
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', svg).replace("url(#", f"url(#{name}-")
    svg = _REDUNDANT.sub("", svg)
    svg = svg.replace("<a ", '<a tabindex="-1" ').replace(' version="1.1"', ' class="chart"', 1)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escape(title)}" ', 1)


def to_png(svg: str) -> bytes:
    """Draw an SVG as PNG on white, at twice its size."""
    paper = re.sub(
        r'(<svg [^>]*viewBox="0 0 ([\d.]+) ([\d.]+)"[^>]*>)',
        rf'\1<rect width="\2" height="\3" fill="{PAPER}"/>',
        svg,
        count=1,
    )
    return bytes(vlc.svg_to_png(_BEYOND_LATIN.sub(rf'\1"{WIDE_FONTS}"\2', paper), scale=2))


def ends(estimate: Estimate) -> tuple[float, float]:
    """Take the interval's ends, both at the value where there is no interval."""
    value = estimate.value or 0.0
    return (
        value if estimate.low is None else estimate.low,
        value if estimate.high is None else estimate.high,
    )


def wrap(text: str, length: int) -> str:
    """Break a label into lines of about `length` columns; Chinese, which has no spaces, by characters."""
    lines = [""]
    for token in re.findall(r"[\u2e80-\u9fff\uff00-\uffef]|\s+|[^\s\u2e80-\u9fff\uff00-\uffef]+", text):
        if len(lines[-1].strip()) and _columns(lines[-1] + token.rstrip()) > length:
            lines.append("")
        lines[-1] += token if lines[-1] else token.lstrip()
    return "\n".join(line.strip() for line in lines)


def label_axis(size: Size, *, keyed: bool = False) -> alt.Axis:
    """Make an axis of names on the left, broken into lines, without ticks.

    keyed: names carry a "key|" in front, which keeps equal names apart and is not shown.
    """
    label = "slice(datum.label, indexof(datum.label, '|') + 1)" if keyed else "datum.label"
    return alt.Axis(
        title=None,
        labelExpr=f"split({label}, '\\n')",
        labelLimit=size.label - 8,
        labelPadding=8,
        minExtent=size.label,
        maxExtent=size.label,
        ticks=False,
        domain=False,
        labelLineHeight=14,
    )


def percent_expr(words: Words, top: float, *, absolute: bool = False) -> str:
    """Make a Vega expression that writes axis ticks as percentages in the language's way."""
    value = "abs(datum.value)" if absolute else "datum.value"
    digits = 1 if top < 0.05 else 0
    before, after = words.formats.percent_pattern.format(number="\0").split("\0")
    number = f"replace(format({value} * 100, '.{digits}f'), '.', '{words.formats.decimal}')"
    return f"'{before}' + {number} + '{after}'"


def _columns(text: str) -> int:
    return sum(2 if "\u2e80" <= char <= "\uffef" else 1 for char in text)
