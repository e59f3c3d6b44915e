"""A promise's break rate over time as a small drawing, light enough for a page with two hundred of them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from markupsafe import Markup

from gapnlp.records.promises import TrendPoint
from gapnlp.reporting.chart_style import COUNTED, FAULT, GRID, MUTED, ends
from gapnlp.reporting.formats import clean, clip
from gapnlp.reporting.words import Words

PERIODS = 36
# Pixels: of the drawing, and the room for figures on the left and labels below.
_WIDTH, _HEIGHT, _LEFT, _BELOW, _TOP = 460, 116, 46, 20, 10


def draw_trend(points: Sequence[TrendPoint], words: Words) -> Markup:
    """Draw the latest periods as dots with intervals, joined where none is missing; nothing with fewer than two."""
    shown = points[-PERIODS:]
    known = [point for point in shown if point.share.value is not None]
    if len(known) < 2:
        return Markup()
    top = max(0.01, *(max(ends(point.share)[1], point.share.value or 0.0) for point in known))
    title = words.say("trend.alt", first=_label(known[0]), last=_label(known[-1]), **_values(known, words))
    parts = [*_frame(shown, top, words), *_marks(shown, top)]
    head = (
        f'<svg class="chart trend" role="img" aria-label="{escape(title)}" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" font-size="11">'
    )
    return Markup(head + "".join(parts) + "</svg>")  # noqa: S704 - our own marks; labels are escaped


def _values(known: Sequence[TrendPoint], words: Words) -> dict[str, str]:
    percent = words.formats.percent
    return {"before": percent(known[0].share.value or 0.0), "now": percent(known[-1].share.value or 0.0)}


def _label(point: TrendPoint) -> str:
    return clip(clean(point.label), 20)


def _x(at: int, count: int) -> float:
    return round(_LEFT + 8 + at * (_WIDTH - _LEFT - 18) / max(count - 1, 1), 1)


def _y(share: float, top: float) -> float:
    return round(_HEIGHT - _BELOW - share / top * (_HEIGHT - _BELOW - _TOP), 1)


def _frame(shown: Sequence[TrendPoint], top: float, words: Words) -> list[str]:
    """Draw both grid lines with their figures, and the first and last label."""
    parts = []
    for share in (0.0, top):
        y = _y(share, top)
        parts.append(f'<path d="M{_LEFT},{y}H{_WIDTH}" stroke="{GRID}" fill="none"/>')
        text = words.formats.percent(share) if share else words.formats.level(0)
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end" fill="{MUTED}">{escape(text)}</text>')
    for at, anchor in ((0, "start"), (len(shown) - 1, "end")):
        x = _LEFT if anchor == "start" else _WIDTH
        label = escape(_label(shown[at]))
        parts.append(f'<text x="{x}" y="{_HEIGHT - 4}" text-anchor="{anchor}" fill="{MUTED}">{label}</text>')
    return parts


def _marks(shown: Sequence[TrendPoint], top: float) -> list[str]:
    whiskers, line, dots, joined = [], "", [], False
    for at, point in enumerate(shown):
        value = point.share.value
        if value is None:
            joined = False
            continue
        x, y = _x(at, len(shown)), _y(value, top)
        low, high = ends(point.share)
        whiskers.append(f"M{x},{_y(low, top)}V{_y(high, top)}")
        line += f"{'L' if joined else 'M'}{x},{y}"
        dots.append(f'<circle cx="{x}" cy="{y}" r="3.4" fill="{FAULT}"/>')
        joined = True
    path = '<path d="{}" stroke="{}" stroke-width="1.5" fill="none"/>'
    return [path.format("".join(whiskers), COUNTED), path.format(line, COUNTED), *dots]
