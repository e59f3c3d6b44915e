"""The promise ledger in all its forms, and where they are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from gapnlp.records.promises import Ledger
from gapnlp.reporting.ledger_html import render_ledger_html
from gapnlp.reporting.ledger_json import render_ledger_json
from gapnlp.reporting.ledger_plots import LEDGER_PLOTS, draw_ledger_files
from gapnlp.reporting.ledger_words import words_for
from gapnlp.reporting.ledger_xlsx import render_ledger_xlsx
from gapnlp.reporting.writing import write_all

# Form -> the function that renders a ledger in a UI language.
LEDGER_RENDERERS: Mapping[str, Callable[[Ledger, str], bytes]] = {
    "json": render_ledger_json,
    "html": render_ledger_html,
    "xlsx": render_ledger_xlsx,
}


def write_ledger(ledger: Ledger, folder: Path, *, ui: str = "en") -> tuple[Path, ...]:
    """Write ledger.json, ledger.html, ledger.xlsx and plots/*.svg, *.png; each file is whole or absent.

    A plot of an earlier ledger that this one has no figures for is removed; other files of the folder stay.
    Raises InputError for a UI language without wording.
    """
    words = words_for(ledger, ui)
    forms = ((f"ledger.{form}", render(ledger, ui)) for form, render in LEDGER_RENDERERS.items())
    return write_all(folder, forms, drawn=draw_ledger_files(ledger, words), own="|".join(LEDGER_PLOTS))
