"""Options that several commands share, with their help."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Period(StrEnum):
    """How finely time is cut."""

    week = "week"
    month = "month"
    quarter = "quarter"


class Ui(StrEnum):
    """Language of what people read."""

    en = "en"
    pl = "pl"
    zh = "zh"


_COLUMNS = "Columns (recognised by themselves where possible)"

InputsArgument = Annotated[
    list[Path],
    typer.Argument(
        metavar="INPUT...",
        help="Review exports: CSV, TSV, XLSX, JSON, JSONL or Parquet, also .gz; several files, or a folder.",
        show_default=False,
    ),
]
TextOption = Annotated[
    str | None, typer.Option("--text", metavar="COLUMN", help="Column of the text.", rich_help_panel=_COLUMNS)
]
TitleOption = Annotated[
    str | None, typer.Option("--title", metavar="COLUMN", help="Column of the title.", rich_help_panel=_COLUMNS)
]
DateOption = Annotated[
    str | None, typer.Option("--date", metavar="COLUMN", help="Column of the date.", rich_help_panel=_COLUMNS)
]
RatingOption = Annotated[
    str | None, typer.Option("--rating", metavar="COLUMN", help="Column of the stars.", rich_help_panel=_COLUMNS)
]
IdOption = Annotated[
    str | None, typer.Option("--id", metavar="COLUMN", help="Column of the item's id.", rich_help_panel=_COLUMNS)
]
ByOption = Annotated[
    str | None,
    typer.Option(
        "--by", metavar="COLUMN", help="Compare groups: store, product, airline ...", rich_help_panel=_COLUMNS
    ),
]
LanguageOption = Annotated[
    str | None,
    typer.Option("--language", metavar="COLUMN", help="Column of the language.", rich_help_panel=_COLUMNS),
]
RedactOption = Annotated[
    bool,
    typer.Option("--redact", help="Mask e-mail addresses, phone, card, account and identity numbers first."),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        "--workers", min=1, metavar="N", help="Processes (default: all cores for large inputs).", show_default=False
    ),
]
ModelsOption = Annotated[
    Path | None,
    typer.Option("--models", metavar="FOLDER", help="Another models folder than the shipped one.", show_default=False),
]
