"""Ledger -> one HTML page in the report's look: opens offline, prints, needs no script."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from gapnlp.records.promises import VERDICTS, CopyUnit, EntityRow, Ledger, LedgerEntry
from gapnlp.records.report import Evidence
from gapnlp.reporting.anchors import promise_anchor
from gapnlp.reporting.figures import draw_inline
from gapnlp.reporting.ledger_plots import ledger_charts, plotted_places
from gapnlp.reporting.ledger_summary import Placed, write_ledger_summary, write_ledger_tiles, write_told
from gapnlp.reporting.ledger_trend import PERIODS, draw_trend
from gapnlp.reporting.ledger_words import subject_name, words_for, write_limit
from gapnlp.reporting.limits import Limits
from gapnlp.reporting.to_html import fit_page, render_template
from gapnlp.reporting.words import Words

LEDGER_METHODS = ("promise", "break_share", "verdict", "told", "effect", "suggested", "uncovered")
LEDGER_LIMITS = ("limit_wording", "limit_matcher", "limit_writers", "limit_silence")
# Signs that tell a verdict without colour.
VERDICT_MARKS = {"broken": "▼", "at_risk": "◆", "kept": "▲", "silent": "–"}


@dataclass(frozen=True, slots=True)
class LedgerLimits(Limits):
    """How much of a ledger the page shows.

    promises: told one by one. listed: lines in tables and lists of promises, slogans, subjects. entities: at each end.
    """

    promises: int = 200
    listed: int = 300
    entities: int = 40


# Tried in turn until the page fits.
LEDGER_LADDER = (
    LedgerLimits(quotes=5),
    LedgerLimits(quotes=3, few_quotes=3, promises=100, listed=200),
    LedgerLimits(quotes=3, few_quotes=2, text=300, promises=50, listed=150, rows=30, files=10, columns=25),
    LedgerLimits(quotes=2, few_quotes=1, text=160, name=40, promises=25, listed=50, rows=10, files=4, columns=12),
)


@dataclass(frozen=True, slots=True)
class EntityTable:
    """Entities with the largest and the smallest break rates, and how many lie between or are too small to say."""

    most: tuple[EntityRow, ...]
    least: tuple[EntityRow, ...]
    between: int
    unknown: int


def render_ledger_html(ledger: Ledger, ui: str = "en") -> bytes:
    """Render the ledger as one HTML file under 2 MB; the same ledger always gives the same bytes."""
    return render_ledger_page(ledger, words_for(ledger, ui))


def render_ledger_page(ledger: Ledger, words: Words) -> bytes:
    """Render the page in given words, showing less and less until it fits."""
    figures = draw_inline(ledger_charts(ledger, words))
    return fit_page(LEDGER_LADDER, lambda limits: _fill(ledger, words, figures=figures, limits=limits))


def choose_entities(rows: Sequence[EntityRow], limit: int) -> EntityTable:
    """Choose up to `limit` entities at either end of the break rate, none twice."""
    known = sorted(
        (row for row in rows if row.break_share.value is not None),
        key=lambda row: (-(row.break_share.value or 0.0), -row.items, row.entity),
    )
    most, rest = known[:limit], known[limit:]
    least = rest[-limit:] if limit else []
    return EntityTable(tuple(most), tuple(least), len(rest) - len(least), len(rows) - len(known))


def units_of(ledger: Ledger) -> dict[str, list[CopyUnit]]:
    """Part the units of the copy into promises, slogans and others."""
    parted: dict[str, list[CopyUnit]] = {"promises": [], "slogans": [], "others": []}
    for unit in ledger.units:
        parted["promises" if unit.is_promise else "slogans" if unit.puffery else "others"].append(unit)
    return parted


def sides_of(entry: LedgerEntry) -> list[tuple[str, tuple[Evidence, ...]]]:
    """Give the sentences of a promise, those that speak for its verdict first; a side without any is left out."""
    sides = [("breaking", entry.breaking), ("keeping", entry.keeping)]
    if entry.verdict == "kept":
        sides.reverse()
    return [side for side in sides if side[1]]


def shown_promises(ledger: Ledger, limits: LedgerLimits, *, linked: Set[int]) -> dict[str, Any]:
    """Choose what a page tells of the promises: those told one by one, the silent ones listed, and what is left out.

    linked: places in the ledger that something on the page links to; they are shown in any case.
    """
    placed = list(enumerate(ledger.entries))
    told = _choose([pair for pair in placed if _is_told(pair[1])], limits.promises, linked=linked)
    silent = _choose([pair for pair in placed if not _is_told(pair[1])], limits.listed, linked=linked)
    return {
        "ledger": ledger,
        "placed": placed,
        "told_promises": told,
        "silent": silent,
        "silent_count": sum(not _is_told(entry) for entry in ledger.entries),
        "shown_places": {place for place, _ in (*told, *silent)},
        "verdicts": VERDICTS,
        "verdict_marks": VERDICT_MARKS,
    }


def _choose(placed: Sequence[Placed], limit: int, *, linked: Set[int]) -> list[Placed]:
    """Choose the first promises, and those further down that a chart or the summary links to."""
    return [pair for at, pair in enumerate(placed) if at < limit or pair[0] in linked]


def _is_told(entry: LedgerEntry) -> bool:
    """Whether there is more to tell of a promise than that customers are silent about it."""
    return entry.verdict != "silent" or bool(entry.breaking or entry.keeping or entry.told)


def _fill(ledger: Ledger, words: Words, *, figures: Any, limits: LedgerLimits) -> bytes:
    findings = write_ledger_summary(ledger, words)
    linked = plotted_places(ledger)
    places = range(len(ledger.entries))
    linked |= {place for place in places if any(f.anchor == promise_anchor(place) for f in findings)}
    return render_template(
        "ledger.html.j2",
        words,
        limits=limits,
        values=dict(
            **shown_promises(ledger, limits, linked=linked),
            empty=False,
            figures=figures,
            units=units_of(ledger),
            copy_languages=Counter(unit.language for unit in ledger.units),
            entities=choose_entities(ledger.entities, limits.entities),
            tiles=write_ledger_tiles(ledger, words),
            findings=findings,
            caveats=[words.caveat(key) for key in ledger.caveats],
            sides=sides_of,
            told=lambda entry: write_told(words, entry.told),
            limit_of=lambda quantity: write_limit(words, quantity),
            subject=lambda key: subject_name(words, key),
            dimension=lambda key: words.name("dimension", key),
            trend=lambda entry: draw_trend(entry.trend, words),
            trend_points=lambda entry: entry.trend[-PERIODS:],
            methods=LEDGER_METHODS,
            limit_phrases=LEDGER_LIMITS,
            ledger_css=ledger_style(),
        ),
    )


@cache
def ledger_style() -> Markup:
    """Read what the ledger's page adds to the report's style."""
    css = files("gapnlp.reporting").joinpath("templates", "ledger.css").read_text(encoding="utf-8")
    return Markup(css)  # noqa: S704 - our own file
