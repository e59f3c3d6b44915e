"""`gapnlp report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gapnlp.cli import options as o


def report(
    inputs: o.InputsArgument,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the report.", show_default=False)],
    text: o.TextOption = None,
    title: o.TitleOption = None,
    date: o.DateOption = None,
    rating: o.RatingOption = None,
    id: o.IdOption = None,  # noqa: A002
    by: o.ByOption = None,
    language: o.LanguageOption = None,
    period: o.PeriodOption = None,
    expectations: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Table of expectations: dimension, E (1-7), source. Only then is P - E shown."
        ),
    ] = None,
    audit: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Table of segments that people labelled; shares then rest on it (see docs/audit.md)."
        ),
    ] = None,
    ui: Annotated[o.Ui, typer.Option(help="Language of the report.")] = o.Ui.en,
    copy: o.CopyOption = None,
    redact: o.RedactOption = False,
    workers: o.WorkersOption = None,
    quality: o.QualityOption = o.Quality.balanced,
    models: o.ModelsOption = None,
) -> None:
    """Make a gap report from review exports.

    Writes report.html (opens anywhere, offline), report.json, report.xlsx and plots into --out.
    Killed half-way, the same command goes on where it stopped. With --copy the promise ledger is a part of it.

    [bold]Example:[/] gapnlp report reviews.csv --by store --period month --out out/reviews
    """
    from gapnlp.cli.screen import ERRORS, progress_bar, show_recognitions, show_report
    from gapnlp.comparison import CopyOptions, prepare
    from gapnlp.ingest.columns import ColumnOptions
    from gapnlp.jobs import ReportOptions, make_report, recognise_inputs
    from gapnlp.scoring.local import ScorerSettings

    columns = ColumnOptions(text=text, title=title, date=date, rating=rating, id=id, by=by, language=language)
    found = recognise_inputs(inputs, columns, scorer=ScorerSettings(models, redact, quality.value), workers=workers)
    show_recognitions(found.recognitions)
    chosen = ReportOptions(period.value if period else None, expectations, ui.value, audit)
    companion = prepare(found, CopyOptions(tuple(copy), period=chosen.period, ui=ui.value)) if copy else None
    with progress_bar(found.rows) as on_progress:
        made = make_report(found, out, options=chosen, on_progress=on_progress, companion=companion)
    show_report(made)
    ERRORS.print("the report is here:")
    typer.echo(str(out / "report.html"))
