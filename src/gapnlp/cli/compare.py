"""`gapnlp compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gapnlp.cli import options as o

if TYPE_CHECKING:
    from gapnlp.comparison import CopyOptions


def compare(
    inputs: o.InputsArgument,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the ledger.", show_default=False)],
    copy: o.CopyOption = None,
    draft: o.DraftOption = None,
    entity: o.EntityOption = None,
    copy_text: o.CopyTextOption = None,
    where: o.WhereOption = None,
    text: o.TextOption = None,
    title: o.TitleOption = None,
    date: o.DateOption = None,
    rating: o.RatingOption = None,
    id: o.IdOption = None,  # noqa: A002
    by: o.ByOption = None,
    language: o.LanguageOption = None,
    period: o.PeriodOption = None,
    ui: Annotated[o.Ui, typer.Option(help="Language of the ledger.")] = o.Ui.en,
    redact: o.RedactOption = False,
    workers: o.WorkersOption = None,
    quality: o.QualityOption = o.Quality.balanced,
    models: o.ModelsOption = None,
) -> None:
    """Compare marketing copy with feedback, to see which promises customers say you break.

    Writes ledger.html, ledger.json, ledger.xlsx and plots into --out. Killed half-way, the same command goes on.

    [bold]Example:[/] gapnlp compare reviews.csv --copy landing_page.md --out out/promises
    """
    from gapnlp.cli.screen import ERRORS, OUTPUT, progress_bar, show_ledger, show_recognitions
    from gapnlp.comparison import compare as make
    from gapnlp.ingest.columns import ColumnOptions
    from gapnlp.jobs import recognise_inputs
    from gapnlp.scoring.local import ScorerSettings

    chosen = _copy_options((copy, draft), (entity, copy_text, where), period.value if period else None, ui.value)
    columns = ColumnOptions(text=text, title=title, date=date, rating=rating, id=id, by=by, language=language)
    found = recognise_inputs(inputs, columns, scorer=ScorerSettings(models, redact, quality.value), workers=workers)
    show_recognitions(found.recognitions)
    with progress_bar(found.rows) as on_progress:
        ledger = make(found, out, options=chosen, on_progress=on_progress)
    show_ledger(ledger)
    ERRORS.print("the ledger is here:")
    OUTPUT.print(str(out / "ledger.html"), soft_wrap=True, highlight=False, markup=False, emoji=False)


def _copy_options(
    files: tuple[list[Path] | None, list[Path] | None],
    listings: tuple[str | None, str | None, str | None],
    period: str | None,
    ui: str,
) -> CopyOptions:
    from gapnlp.comparison import CopyOptions
    from gapnlp.errors import InputError

    published, draft = files
    if bool(published) == bool(draft):
        raise InputError("give either --copy FILE (published) or --draft FILE (before publishing)")
    entity, text, where = listings
    condition = None
    if where is not None:
        column, sign, value = where.partition("=")
        if not sign or not column:
            raise InputError(f"--where {where!r}: write it as COLUMN=VALUE")
        condition = (column, value)
    return CopyOptions(
        tuple(published or draft or ()), entity, text, condition, draft=bool(draft), period=period, ui=ui
    )
