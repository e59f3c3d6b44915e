"""The charts of the ledger: break rates with intervals, and what customers tell against what was promised."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any

import altair as alt

from gapnlp.records.promises import Ledger, LedgerEntry, ToldQuantity
from gapnlp.reporting.anchors import promise_anchor
from gapnlp.reporting.chart_style import (
    BOTH,
    FAULT,
    INK,
    PRAISE,
    Size,
    ends,
    label_axis,
    percent_expr,
    rows_as_data,
    style,
    wrap,
)
from gapnlp.reporting.figures import Chart, draw_each
from gapnlp.reporting.fonts import holds_chinese
from gapnlp.reporting.ledger_summary import short_text
from gapnlp.reporting.ledger_words import misses, write_amount, write_limit
from gapnlp.reporting.words import Words

Builder = Callable[[Ledger, Words, Size], alt.Chart | None]
Told = tuple[int, LedgerEntry, ToldQuantity]
# Promises in a chart, and those of one unit.
PROMISES, _TOLD, _UNITS = 20, 8, 4
_RELATIONS: Mapping[str, tuple[str, str]] = {"breaks": (FAULT, "circle"), "keeps": (PRAISE, "diamond")}


def plot_promises(ledger: Ledger, words: Words, size: Size) -> alt.Chart | None:
    """Plot the first promises with the shares of items that break and that keep each, with intervals."""
    known = _with_shares(ledger)
    if not known:
        return None
    room = _room(size)
    rows = [row for place, entry in known for row in _share_rows(place, entry, words, room)]
    top = max(0.01, *(max(row["high"], row["value"]) for row in rows))
    kinds = {words.say(f"promises.{relation}"): look for relation, look in _RELATIONS.items()}
    side = 54 if size.narrow else 150
    width = size.width - room.label - side
    ticks = 3 if size.narrow else 5
    axis = alt.Axis(title=words.say("promises.axis"), tickCount=ticks, labelExpr=percent_expr(words, top))
    scale = alt.Scale(domain=[0, top * 1.04], nice=False)
    base = alt.Chart(rows_as_data(rows)).encode(
        y=alt.Y("name:N", sort=_names(rows), axis=label_axis(room, keyed=True)),
        yOffset=alt.YOffset("kind:N", sort=list(kinds), scale=alt.Scale(paddingInner=0.1, paddingOuter=0.45)),
        color=alt.Color("kind:N", scale=alt.Scale(domain=list(kinds), range=[colour for colour, _ in kinds.values()])),
        href="href:N",
    )
    shape = alt.Shape("kind:N", scale=alt.Scale(domain=list(kinds), range=[mark for _, mark in kinds.values()]))
    bars = base.mark_rule(strokeWidth=3, strokeCap="round").encode(
        x=alt.X("low:Q", axis=axis, scale=scale), x2="high:Q"
    )
    dots = base.mark_point(filled=True, size=90, opacity=1).encode(x=alt.X("value:Q", scale=scale), shape=shape)
    text = base.mark_text(align="left", baseline="middle", fontSize=11.5).encode(
        x=alt.value(width + 12), text="text:N", color=alt.value(INK)
    )
    return style((bars + dots + text).properties(width=width, height=58 * len(known)))


def plot_told(ledger: Ledger, words: Words, size: Size) -> alt.Chart | None:
    """Plot told quantities, a panel for each unit: promised mark, median, and the quartiles as a bar."""
    panels = _by_unit(ledger)
    if not panels:
        return None
    return style(alt.vconcat(*(_told_panel(found, words, size) for found in panels), spacing=26))


LEDGER_PLOTS: Mapping[str, Builder] = {"promises": plot_promises, "told": plot_told}


def ledger_charts(ledger: Ledger, words: Words) -> Iterator[Chart]:
    """List the ledger's charts with their descriptions."""
    for name, build in LEDGER_PLOTS.items():
        yield name, words.say(f"{name}.chart_alt"), partial(build, ledger, words)


def draw_ledger_files(ledger: Ledger, words: Words) -> Iterator[tuple[str, bytes]]:
    """Draw the ledger's charts as file name and bytes: SVG and PNG."""
    chinese = words.ui == "zh" or holds_chinese(entry.promise.text for entry in ledger.entries)
    return draw_each(ledger_charts(ledger, words), chinese=chinese)


def _room(size: Size) -> Size:
    """Give promises, which are sentences, more room on the left than names need."""
    return Size(size.width, 132 if size.narrow else 300)


def plotted_places(ledger: Ledger) -> set[int]:
    """Say which promises the charts link to, by their place in the ledger."""
    told = {place for panel in _by_unit(ledger) for place, _, _ in panel}
    return told | {place for place, _ in _with_shares(ledger)}


def _with_shares(ledger: Ledger) -> list[tuple[int, LedgerEntry]]:
    known = (e.break_share.value is not None or e.keep_share.value is not None for e in ledger.entries)
    return [(i, e) for (i, e), shown in zip(enumerate(ledger.entries), known, strict=True) if shown][:PROMISES]


def _by_unit(ledger: Ledger) -> list[list[Told]]:
    """Part promises with told quantities by their unit, the unit of most promises first."""
    told = [(i, e, e.told) for i, e in enumerate(ledger.entries) if e.told]
    told.sort(key=lambda entry: (entry[2].promised.unit, entry[0]))
    panels = [list(found)[:_TOLD] for _, found in groupby(told, key=lambda entry: entry[2].promised.unit)]
    return sorted(panels, key=lambda found: (-len(found), found[0][0]))[:_UNITS]


def _names(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(str(row["name"]) for row in rows))


def _name(place: int, entry: LedgerEntry, room: Size) -> str:
    """Name a promise by its number and words; the key in front keeps equal promises apart."""
    text = short_text(entry.promise.text, 44 if room.narrow else 84)
    return f"{place}|{wrap(f'{place + 1}. {text}', 19 if room.narrow else 44)}"


def _share_rows(place: int, entry: LedgerEntry, words: Words, room: Size) -> Iterator[dict[str, Any]]:
    for relation, estimate in (("breaks", entry.break_share), ("keeps", entry.keep_share)):
        if estimate.value is None:
            continue
        low, high = ends(estimate)
        text, interval = words.formats.percent(estimate.value), words.formats.share_interval(estimate)
        if interval and not room.narrow:
            text = words.say("format.bracket", text=text, inner=interval)
        yield {
            "name": _name(place, entry, room),
            "kind": words.say(f"promises.{relation}"),
            "value": estimate.value,
            "low": low,
            "high": high,
            "text": text,
            "href": f"#{promise_anchor(place)}",
        }


def _told_panel(found: Sequence[Told], words: Words, size: Size) -> Any:
    room, unit = _room(size), found[0][2].promised.unit
    rows = [_told_row(place, entry, told, words=words, room=room) for place, entry, told in found]
    side = 20 if size.narrow else 200
    width = size.width - room.label - side
    top = max(1e-9, *(max(row["high"], row["promised"], row["median"]) for row in rows))
    labels = f"replace('' + datum.value, '.', '{words.formats.decimal}')"
    axis = alt.Axis(title=_unit_title(words, unit), tickCount=3 if size.narrow else 6, labelExpr=labels)
    scale = alt.Scale(domain=[min(0.0, *(row["low"] for row in rows)), top * 1.04], nice=False)
    base = alt.Chart(rows_as_data(rows)).encode(
        y=alt.Y("name:N", sort=_names(rows), axis=label_axis(room, keyed=True)), href="href:N"
    )
    spread = base.mark_bar(height=14, color=BOTH, cornerRadius=3).encode(
        x=alt.X("low:Q", axis=axis, scale=scale), x2="high:Q"
    )
    promised = base.mark_tick(color=INK, thickness=3, size=30).encode(x=alt.X("promised:Q", scale=scale))
    median = base.mark_point(filled=True, size=120, opacity=1).encode(
        x=alt.X("median:Q", scale=scale), color=alt.Color("colour:N", scale=None)
    )
    layers = spread + promised + median
    if not size.narrow:
        layers += base.mark_text(align="left", baseline="middle", lineBreak="\n", dy=-6, fontSize=11.5).encode(
            x=alt.value(width + 12), text="text:N", color=alt.value(INK)
        )
    return layers.properties(width=width, height=52 * len(rows))


def _told_row(place: int, entry: LedgerEntry, told: ToldQuantity, *, words: Words, room: Size) -> dict[str, Any]:
    unit, promised = told.promised.unit, write_limit(words, told.promised)
    median = write_amount(words, told.median, unit)
    return {
        "name": _name(place, entry, room),
        "promised": told.promised.value,
        "median": told.median,
        "low": told.low_quartile,
        "high": told.high_quartile,
        "colour": FAULT if misses(told.promised, told.median) else PRAISE,
        "text": words.say("told.side", promised=promised, median=median, n=words.formats.whole(told.n)),
        "href": f"#{promise_anchor(place)}",
    }


def _unit_title(words: Words, unit: str) -> str:
    key = f"axis.{unit}"
    return words.say(key) if words.has(key) else unit
