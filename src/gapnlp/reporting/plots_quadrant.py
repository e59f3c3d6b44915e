"""The chart of importance and perception: what to fix first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import altair as alt

from gapnlp.records.report import GapReport
from gapnlp.reporting.anchors import dimension_anchor
from gapnlp.reporting.chart_style import (
    COUNTED,
    FAULT,
    FAULT_SOFT,
    INK,
    MUTED,
    Size,
    ends,
    percent_expr,
    rows_as_data,
    style,
)
from gapnlp.reporting.words import Words

# A dimension's equal part of importance and the middle of the Likert scale: where the quadrants meet.
_EVEN_SHARE, _MIDDLE = 0.2, 4.0


def plot_quadrant(report: GapReport, words: Words, size: Size) -> alt.Chart | None:
    """Plot importance across, perception up: what to fix first stands at the lower right."""
    rows = list(_quadrant_rows(report, words, size))
    if not rows:
        return None
    width, height = size.width - 74, 400 if not size.narrow else 330
    top = max(0.42, max(row["high"] for row in rows) * 1.06)
    _place_labels(rows, (width / top, height / 6))
    x, y = _quadrant_axes(words, top, size)
    base = alt.Chart(rows_as_data(rows)).encode(href="href:N")
    layers = [
        *_quadrant_frame(words, top, (x, y)),
        base.mark_rule(color=COUNTED, strokeWidth=1.5).encode(x=x("low"), x2="high:Q", y=y("perception")),
        base.mark_rule(color=COUNTED, strokeWidth=1.5).encode(x=x("share"), y=y("plow"), y2="phigh:Q"),
        base.mark_point(filled=True, size=130, opacity=1, color=INK).encode(x=x("share"), y=y("perception")),
    ]
    for row in rows:
        one = alt.Chart(rows_as_data([row])).encode(x=x("share"), y=y("perception"), text="name:N", href="href:N")
        layers.append(one.mark_text(align=row["align"], dx=row["dx"], dy=row["dy"], fontWeight=600))
    return style(alt.layer(*layers).properties(width=width, height=height))


def _quadrant_rows(report: GapReport, words: Words, size: Size) -> Iterable[dict[str, Any]]:
    for result in report.dimensions:
        share = result.importance.share if result.importance else None
        if share is None or share.value is None or result.perception.value is None:
            continue
        (low, high), (plow, phigh) = ends(share), ends(result.perception)
        name = words.name("dimension", result.dimension)
        yield {
            "name": name,
            "share": share.value,
            "low": low,
            "high": high,
            "perception": result.perception.value,
            "plow": plow,
            "phigh": phigh,
            "href": f"#{dimension_anchor(result.dimension)}",
        }


def _quadrant_axes(words: Words, top: float, size: Size) -> tuple[Callable[[str], alt.X], Callable[[str], alt.Y]]:
    """Both axes for any field: every layer needs the same scale, or Vega would stretch it to zero."""
    across = alt.Axis(
        title=words.say("dimensions.importance_axis"),
        labelExpr=percent_expr(words, 1),
        tickCount=4 if size.narrow else 6,
        grid=False,
    )
    up = alt.Axis(title=words.say("dimensions.perception_axis"), values=[1, 2, 3, 4, 5, 6, 7], grid=False, format="d")
    return (
        lambda field: alt.X(f"{field}:Q", scale=alt.Scale(domain=[0, top], nice=False), axis=across),
        lambda field: alt.Y(f"{field}:Q", scale=alt.Scale(domain=[1, 7], nice=False), axis=up),
    )


def _place_labels(rows: list[dict[str, Any]], per_unit: tuple[float, float]) -> None:
    """Give each label the first of eight places around its dot that no earlier label or dot covers, in pixels."""
    dots = [(row["share"] * per_unit[0], -row["perception"] * per_unit[1]) for row in rows]
    taken = [(x - 8, y - 8, x + 8, y + 8) for x, y in dots]
    right = max(per_unit[0] * 0.42, *(x for x, _ in dots))
    for row, (x, y) in zip(rows, dots, strict=True):
        width = 7.2 * sum(2 if char > "\u2e80" else 1 for char in row["name"])
        for align, dx, dy in _PLACES:
            left = x + dx - (0 if align == "left" else width if align == "right" else width / 2)
            box = (left, y + dy - 8, left + width, y + dy + 8)
            free = not any(_overlap(box, other) for other in taken)
            if free and left > 0 and box[2] < right + 40:
                break
        else:
            align, dx, dy, box = "left", 11, -13, box
        row |= {"align": align, "dx": dx, "dy": dy}
        taken.append(box)


_PLACES = (
    ("left", 10, -12),
    ("right", -10, -12),
    ("left", 10, 14),
    ("right", -10, 14),
    ("left", 10, -28),
    ("left", 10, 30),
    ("right", -10, -28),
    ("right", -10, 30),
)


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _quadrant_frame(words: Words, top: float, axes: tuple[Callable[[str], alt.X], Callable[[str], alt.Y]]) -> list[Any]:
    """Draw the quadrant to fix tinted, the two dividing lines, and the quadrants' names in the corners."""
    x, y = axes
    tint = alt.Chart(rows_as_data([{"x": _EVEN_SHARE, "x2": top, "y": 1, "y2": _MIDDLE}]))
    lines = [tint.mark_rect(color=FAULT_SOFT, opacity=1).encode(x=x("x"), x2="x2:Q", y=y("y"), y2="y2:Q")]
    dashes: dict[str, Any] = {"color": COUNTED, "strokeWidth": 1, "strokeDash": [4, 4]}
    lines.append(alt.Chart(rows_as_data([{"at": _EVEN_SHARE}])).mark_rule(**dashes).encode(x=x("at")))
    lines.append(alt.Chart(rows_as_data([{"at": _MIDDLE}])).mark_rule(**dashes).encode(y=y("at")))
    for key, left, low, align, dy in (
        ("watch", 0.0, 1.0, "left", -12),
        ("fix", top, 1.0, "right", -12),
        ("enough", 0.0, 7.0, "left", 14),
        ("keep", top, 7.0, "right", 14),
    ):
        data = rows_as_data([{"x": left, "y": low, "text": words.say(f"dimensions.{key}")}])
        color = FAULT if key == "fix" else MUTED
        mark = cast(Any, alt.Chart(data)).mark_text(
            align=align, dx=10 if align == "left" else -10, dy=dy, color=color, fontWeight=600, fontSize=13
        )
        lines.append(mark.encode(x=x("x"), y=y("y"), text="text:N"))
    return lines
