"""The promise ledger as a section of the gap report, in short; the whole ledger stands in ledger.html beside it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from markupsafe import Markup

from gapnlp.records.promises import Ledger
from gapnlp.records.report import GapReport
from gapnlp.reporting.figures import draw_inline
from gapnlp.reporting.ledger_html import LedgerLimits, ledger_style, shown_promises
from gapnlp.reporting.ledger_plots import ledger_charts, plotted_places
from gapnlp.reporting.ledger_summary import write_ledger_tiles, write_told
from gapnlp.reporting.ledger_words import words_for
from gapnlp.reporting.limits import Limits
from gapnlp.reporting.to_html import Section, render_page, render_template
from gapnlp.reporting.words import Words, load_words

# Sentences against each promise; more of them stand in ledger.html.
SENTENCES = 2
# Promises told, and lines listed, for each sentence that the report shows of a gap: 40 and 60 at first, then fewer.
_PROMISES, _LISTED = 4, 6


def render_html_with_ledger(report: GapReport, ledger: Ledger, ui: str = "en") -> bytes:
    """Render the report with the ledger as one more section, under 2 MB; the same input gives the same bytes.

    Raises InputError for a UI language without wording.
    """
    return render_page(report, load_words(ui), ledger_section(ledger, words_for(ledger, ui)))


def ledger_section(ledger: Ledger, words: Words) -> Section:
    """Make the section of a ledger in given words; its anchors are those of the ledger's own page."""
    figures = draw_inline(ledger_charts(ledger, words))
    return Section(
        anchor="promises",
        name=words.say("section.title"),
        style=ledger_style(),
        fill=lambda limits: _fill(ledger, words, figures=figures, limits=section_limits(limits)),
    )


def section_limits(limits: Limits) -> LedgerLimits:
    """Say how much of the ledger goes with a step of the report's limits."""
    return LedgerLimits(**asdict(limits), promises=_PROMISES * limits.quotes, listed=_LISTED * limits.quotes)


def _fill(ledger: Ledger, words: Words, *, figures: Any, limits: LedgerLimits) -> Markup:
    page = render_template(
        "ledger_section.html.j2",
        words,
        limits=limits,
        values=dict(
            **shown_promises(ledger, limits, linked=plotted_places(ledger)),
            figures=figures,
            tiles=write_ledger_tiles(ledger, words),
            caveats=[words.caveat(key) for key in ledger.caveats],
            told=lambda entry: write_told(words, entry.told),
            sentences=SENTENCES,
        ),
    )
    return Markup(page.decode("utf-8"))  # noqa: S704 - a filled template, its values escaped
