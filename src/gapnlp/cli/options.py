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


class Quality(StrEnum):
    """How much time a segment is worth."""

    fast = "fast"
    balanced = "balanced"
    accurate = "accurate"


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
QualityOption = Annotated[
    Quality,
    typer.Option(
        "--quality",
        help="fast: n-grams; accurate: an encoder reads every segment; balanced: it reads the doubtful ones.",
    ),
]
ModelsOption = Annotated[
    Path | None,
    typer.Option("--models", metavar="FOLDER", help="Another models folder than the shipped one.", show_default=False),
]
OWN_MODELS = Path("gapnlp-models")
OwnModelsOption = Annotated[
    Path, typer.Option("--models", metavar="FOLDER", help="Your own models folder, as gapnlp train makes it.")
]
PeriodOption = Annotated[
    Period | None, typer.Option("--period", help="Show the trend by week, month or quarter.", show_default=False)
]

_COPY = "Copy"

CopyOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--copy",
        metavar="FILE",
        help="Published copy: Markdown, text, HTML, DOCX, PDF, or listings in CSV, JSONL, XLSX; may be repeated.",
        rich_help_panel=_COPY,
        show_default=False,
    ),
]
DraftOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--draft",
        metavar="FILE",
        help="Copy before it is published: its promises are ranked by the risk that past feedback shows.",
        rich_help_panel=_COPY,
        show_default=False,
    ),
]
EntityOption = Annotated[
    str | None,
    typer.Option(
        "--entity",
        metavar="COLUMN",
        help="Listings: column that says which hotel, product ...; give the feedback's own column with --by.",
        rich_help_panel=_COPY,
    ),
]
CopyTextOption = Annotated[
    str | None,
    typer.Option("--copy-text", metavar="COLUMN", help="Listings: column of the copy.", rich_help_panel=_COPY),
]
WhereOption = Annotated[
    str | None,
    typer.Option("--where", metavar="COLUMN=VALUE", help="Listings: only these rows.", rich_help_panel=_COPY),
]
