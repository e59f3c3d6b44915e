"""`gapnlp review`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gapnlp.cli import options as o


class Format(StrEnum):
    """What the segments are written for."""

    csv = "csv"
    label_studio = "label-studio"
    argilla = "argilla"


def review(
    inputs: o.InputsArgument,
    out: Annotated[
        Path,
        typer.Option(
            "--out", metavar="FILE", help="Tasks: .csv, or .json for the labelling tools.", show_default=False
        ),
    ],
    size: Annotated[int, typer.Option("--size", min=0, metavar="N", help="Segments that would teach most.")] = 200,
    audit: Annotated[int, typer.Option("--audit", min=0, metavar="N", help="Segments drawn at random.")] = 100,
    form: Annotated[Format, typer.Option("--format", help="What the segments are written for.")] = Format.csv,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Another number draws another sample.")] = 0,
    text: o.TextOption = None,
    title: o.TitleOption = None,
    date: o.DateOption = None,
    rating: o.RatingOption = None,
    id: o.IdOption = None,  # noqa: A002
    by: o.ByOption = None,
    language: o.LanguageOption = None,
    redact: o.RedactOption = False,
    workers: o.WorkersOption = None,
    quality: o.QualityOption = o.Quality.balanced,
    models: o.ModelsOption = None,
) -> None:
    """Choose the segments that people should label, and write them for a spreadsheet or a labelling tool.

    Those that would teach the model most, and a random sample from which shares can be estimated (an audit).

    [bold]Example:[/] gapnlp review reviews.csv --size 200 --audit 100 --out review.csv
    """
    from gapnlp.cli.screen import ERRORS, progress_bar, show_counts, show_recognitions
    from gapnlp.ingest.columns import ColumnOptions
    from gapnlp.jobs import choose_for_review, recognise_inputs
    from gapnlp.retraining.review_files import check_ending, write_review
    from gapnlp.retraining.selection import Selection
    from gapnlp.scoring.local import ScorerSettings

    check_ending(out, form.value)  # a wrong ending is better said before the work than after
    columns = ColumnOptions(text=text, title=title, date=date, rating=rating, id=id, by=by, language=language)
    found = recognise_inputs(inputs, columns, scorer=ScorerSettings(models, redact, quality.value), workers=workers)
    show_recognitions(found.recognitions)
    selection = Selection(size, audit, seed)
    with progress_bar(found.rows) as on_progress:
        counts = choose_for_review(found, selection, on_progress=on_progress)
    show_counts(counts)
    tasks = selection.tasks()
    audited = sum(task.reason == "audit" for task in tasks)
    ERRORS.print(f"{audited:,} segments for the audit, {len(tasks) - audited:,} that would teach most")
    for path in write_review(out, tasks, form.value):
        typer.echo(str(path))
