"""`gapnlp score`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gapnlp.cli import options as o


def score(
    inputs: o.InputsArgument,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="Results: .csv, .jsonl or .parquet.", show_default=False)
    ],
    segments: Annotated[bool, typer.Option("--segments", help="One row a segment instead of one an item.")] = False,
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
    """Score every item of review exports into one file.

    Every row that was read is in the result: scored, or with the reason why it was not.
    Killed half-way, the same command goes on where it stopped and gives the same bytes.

    [bold]Example:[/] gapnlp score reviews.csv --out scored.csv
    """
    from gapnlp.cli.screen import progress_bar, show_counts, show_recognitions
    from gapnlp.export.writers import choose_writer
    from gapnlp.ingest.columns import ColumnOptions
    from gapnlp.jobs import recognise_inputs, score_file
    from gapnlp.scoring.local import ScorerSettings

    choose_writer(out)  # a wrong ending is better said before the work than after
    columns = ColumnOptions(text=text, title=title, date=date, rating=rating, id=id, by=by, language=language)
    found = recognise_inputs(inputs, columns, scorer=ScorerSettings(models, redact, quality.value), workers=workers)
    show_recognitions(found.recognitions)
    with progress_bar(found.rows) as on_progress:
        counts = score_file(found, out, segments=segments, on_progress=on_progress)
    show_counts(counts)
    typer.echo(str(out))
