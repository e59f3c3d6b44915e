"""Whether PNG charts can show Chinese: asked of the same font search that draws them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

import vl_convert as vlc

from gapnlp.records.report import GapReport
from gapnlp.reporting.chart_style import WIDE_FONTS

_CHINESE = re.compile("[\u3400-\u9fff]")
# Two signs that no font but a Chinese (or Japanese) one holds; missing, both become the same empty box.
_PROBE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40">'
    f'<text x="2" y="30" font-size="28" font-family="{WIDE_FONTS}">{{}}</text></svg>'
)


def needs_chinese_font(report: GapReport, ui: str) -> bool:
    """Whether charts hold Chinese: the UI language, or the name of a group."""
    return ui == "zh" or holds_chinese(cell.name for breakdown in report.breakdowns for cell in breakdown.cells)


def holds_chinese(texts: Iterable[str]) -> bool:
    """Whether any of the texts holds Chinese characters."""
    return any(_CHINESE.search(text) for text in texts)


@cache
def has_chinese_font() -> bool:
    """Draw two different signs: with a font they differ, without one both are boxes or nothing."""
    one, other = (bytes(vlc.svg_to_png(_PROBE.format(sign))) for sign in "评龙")
    return one != other
