"""The report in all its forms, and the one place that writes them to disk."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from gapnlp.records.report import GapReport
from gapnlp.reporting.figures import draw_files
from gapnlp.reporting.to_html import render_html
from gapnlp.reporting.to_json import render_json
from gapnlp.reporting.to_xlsx import render_xlsx
from gapnlp.reporting.words import load_words

# Form -> the function that renders a report in a UI language.
RENDERERS: Mapping[str, Callable[[GapReport, str], bytes]] = {
    "json": render_json,
    "html": render_html,
    "xlsx": render_xlsx,
}


def write_report(report: GapReport, folder: Path, *, ui: str = "en") -> tuple[Path, ...]:
    """Write report.json, report.html, report.xlsx and plots/*.svg, *.png; each file is whole or absent.

    Plots that an earlier report left in the folder are replaced; one that this report has no figures for is removed.
    Raises InputError for a UI language without wording.
    """
    words = load_words(ui)
    plots = folder / "plots"
    plots.mkdir(parents=True, exist_ok=True)
    written = [_write(folder / f"report.{form}", render(report, ui)) for form, render in RENDERERS.items()]
    drawn = [_write(plots / name, data) for name, data in draw_files(report, words)]
    for old in {*plots.glob("*.svg"), *plots.glob("*.png")} - set(drawn):
        old.unlink()
    return (*written, *drawn)


def _write(path: Path, data: bytes) -> Path:
    """Write through a temporary file beside the target, so that an interruption never leaves half a file."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path
