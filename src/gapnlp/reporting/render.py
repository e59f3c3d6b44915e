"""The report in all its forms, and the one place that writes them to disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from gapnlp.records.promises import Ledger
from gapnlp.records.report import GapReport
from gapnlp.reporting.figures import draw_files
from gapnlp.reporting.ledger_render import write_ledger
from gapnlp.reporting.ledger_section import render_html_with_ledger
from gapnlp.reporting.to_html import render_html
from gapnlp.reporting.to_json import render_json
from gapnlp.reporting.to_xlsx import render_xlsx
from gapnlp.reporting.words import load_words
from gapnlp.reporting.writing import write_all

# Form -> the function that renders a report in a UI language.
RENDERERS: Mapping[str, Callable[[GapReport, str], bytes]] = {
    "json": render_json,
    "html": render_html,
    "xlsx": render_xlsx,
}
# Names of the report's plots, without ending; the ledger's in the same folder are left alone.
_PLOTS = r"gaps|dimensions|quadrant|(?:period|group)(?:-\d+)?"


def write_report(report: GapReport, folder: Path, *, ui: str = "en", ledger: Ledger | None = None) -> tuple[Path, ...]:
    """Write report.json, report.html, report.xlsx and plots/*.svg, *.png; each file is whole or absent.

    With a ledger, report.html has a section on its promises and `write_ledger` writes the ledger's files beside.
    Plots that an earlier report left in the folder are replaced; one that this report has no figures for is removed.
    Raises InputError for a UI language without wording.
    """
    words = load_words(ui)
    forms = ((f"report.{form}", _render(form, report, ledger, ui=ui)) for form in RENDERERS)
    written = write_all(folder, forms, drawn=draw_files(report, words), own=_PLOTS)
    return written if ledger is None else (*written, *write_ledger(ledger, folder, ui=ui))


def _render(form: str, report: GapReport, ledger: Ledger | None, *, ui: str) -> bytes:
    if form == "html" and ledger is not None:
        return render_html_with_ledger(report, ledger, ui)
    return RENDERERS[form](report, ui)
