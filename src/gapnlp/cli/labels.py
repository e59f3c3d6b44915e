"""`gapnlp labels`: labelled tickets in, understood and checked before any training."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gapnlp.cli import options as o

if TYPE_CHECKING:
    from gapnlp.records.feedback import Failure
    from gapnlp.records.tickets import LabelledTicket
    from gapnlp.retraining.labels.dataset import SourceFile
    from gapnlp.retraining.labels.mapping import LabelMapping
    from gapnlp.retraining.labels.named import LabelOptions
    from gapnlp.retraining.labels.reading import FileReading

labels = typer.Typer(help="Bring in labelled tickets: say what labels mean, then check them.", no_args_is_help=True)

_COLUMNS = "How the file is read (recognised by itself where possible)"
_SHOWN = 5

FilesArgument = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE...",
        help="Labelled tickets or sentences: CSV, TSV, XLSX, JSON, JSONL, Parquet, also .gz; exports of Argilla, "
        "Label Studio, doccano, Prodigy; Zendesk tickets with tags; what `gapnlp review` wrote, filled in.",
        show_default=False,
    ),
]
FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="NAME",
        help="gapnlp, argilla, label_studio, prodigy, zendesk, doccano or table.",
        rich_help_panel=_COLUMNS,
    ),
]
LabelsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--labels",
        metavar="COLUMN",
        help="Column of labels: names, or yes and no to one label; may be repeated.",
        rich_help_panel=_COLUMNS,
    ),
]
SeparatorOption = Annotated[
    str | None,
    typer.Option(
        "--separator", metavar="TEXT", help="What parts several labels of one cell.", rich_help_panel=_COLUMNS
    ),
]
TicketOption = Annotated[
    str | None,
    typer.Option(
        "--ticket", metavar="COLUMN", help="Column of the ticket that a sentence is of.", rich_help_panel=_COLUMNS
    ),
]
AnnotatorOption = Annotated[
    str | None,
    typer.Option(
        "--annotator",
        metavar="COLUMN",
        help="Column of who labelled; @file: each file is one person's.",
        rich_help_panel=_COLUMNS,
    ),
]


@labels.command("map")
def map_labels(
    files: FilesArgument,
    out: Annotated[
        Path, typer.Option("--out", metavar="MAPPING.toml", help="Where the proposal goes.", show_default=False)
    ],
    names_only: Annotated[
        bool, typer.Option("--names-only", help="Go by the labels' names, without reading their texts.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a mapping that is already there.")] = False,
    format: FormatOption = None,
    labels: LabelsOption = None,
    separator: SeparatorOption = None,
    text: o.TextOption = None,
    id: o.IdOption = None,
    ticket: TicketOption = None,
    annotator: AnnotatorOption = None,
    language: o.LanguageOption = None,
    models: o.ModelsOption = None,
) -> None:
    """Propose what your labels mean, for you to correct and confirm.

    Writes a TOML file with one line a label: the labels of gapnlp that it says to hold, each with reason and
    confidence, from its name and from what the classifier finds in its texts. Open the file, correct it, set
    confirmed = true. A label that means none of ours stays [] and is ignored.
    Files from `gapnlp review` and /corrections.jsonl need no mapping; for them alone none is written.

    [bold]Example:[/] gapnlp labels map tickets.csv --labels reason --out mapping.toml
    """
    from gapnlp.errors import InputError
    from gapnlp.retraining.labels.mapping_file import write_mapping
    from gapnlp.retraining.labels.proposals import propose_judged
    from gapnlp.retraining.labels.propose import propose_mapping
    from gapnlp.scoring.loading import load

    plans = _unmapped_plans(files, label_options(format, labels, separator, (text, id, ticket, annotator, language)))
    if not plans:
        return
    if out.exists() and not force:
        raise InputError(f"{out}: is there already, perhaps with your corrections; choose another --out, or --force")
    texts = _label_texts(plans)
    proposals = propose_mapping(texts, None if names_only else load(models, quality="fast"))
    _write(out, write_mapping(proposals, propose_judged(proposals)))
    unsure = sum(not p.proposed for p in proposals)
    say(f"{len(proposals)} labels, {unsure} of them without a proposal. Read {out}, then set confirmed = true")


@labels.command("check")
def check(
    files: FilesArgument,
    out: Annotated[
        Path,
        typer.Option(
            "--out", metavar="REPORT.md", help="The report; all findings go beside it as .json.", show_default=False
        ),
    ],
    mapping: Annotated[
        Path | None,
        typer.Option(
            "--mapping",
            metavar="MAPPING.toml",
            help="What the labels mean, from `labels map`; not needed where they are gapnlp's own.",
        ),
    ] = None,
    test: Annotated[
        list[Path] | None,
        typer.Option("--test", metavar="FILE", help="Held-out tickets, to look for leaks; may be repeated."),
    ] = None,
    quotes: Annotated[bool, typer.Option("--quotes", help="Quote the rows' texts in the report.")] = False,
    format: FormatOption = None,
    labels: LabelsOption = None,
    separator: SeparatorOption = None,
    text: o.TextOption = None,
    id: o.IdOption = None,
    ticket: TicketOption = None,
    annotator: AnnotatorOption = None,
    language: o.LanguageOption = None,
) -> None:
    """Check labelled tickets before training on them.

    Finds rows that cannot be read, texts that repeat, leaks between training and test, contradicting labels, labels
    too rare to learn, rows that are probably mislabelled, and how far annotators agree. Changes nothing. What
    `gapnlp review` wrote, filled in, and /corrections.jsonl are read without a mapping.

    [bold]Example:[/] gapnlp labels check tickets.csv --mapping mapping.toml --test held_out.csv --out report.md
    """
    from gapnlp.errors import InputError
    from gapnlp.retraining.checks.markdown import render_markdown
    from gapnlp.retraining.checks.report import check_labels
    from gapnlp.retraining.labels.dataset import read_labelled
    from gapnlp.retraining.labels.mapping import read_mapping

    if out.suffix == ".json":
        raise InputError(f"{out}: the report is Markdown and its JSON goes beside it; give a name such as report.md")
    chosen = label_options(format, labels, separator, (text, id, ticket, annotator, language))
    meaning = read_mapping(mapping) if mapping is not None else None
    data = read_labelled(files, meaning, chosen)
    show_files(data.files)
    show_failures(data.failures)
    held_out = read_labelled(test, meaning, chosen) if test else None
    report = check_labels(data, data.mapping, test=held_out)
    _write(out, render_markdown(report, quotes=quotes, test=held_out))
    _write(out.with_suffix(".json"), json.dumps(report.to_dict(), ensure_ascii=False, indent=1) + "\n")
    say("; ".join(f"{key}: {count:,}" for key, count in report.summary().items() if count >= 0))
    if report.note:
        say(report.note)


def _unmapped_plans(files: list[Path], options: LabelOptions) -> list[FileReading]:
    """Find out how the files are read, say so, and keep those whose labels need a mapping."""
    from gapnlp.retraining.labels.dataset import describe_file
    from gapnlp.retraining.labels.reading import plan_reading

    plans = [plan_reading(path, options) for path in files]
    show_files(describe_file(plan) for plan in plans)
    return [plan for plan in plans if not plan.own]


def _label_texts(plans: list[FileReading]) -> dict[str, list[str]]:
    """Read the texts of each label."""
    from gapnlp.records.feedback import Failure
    from gapnlp.retraining.labels.examples import texts_by_label
    from gapnlp.retraining.labels.named import NamedTicket
    from gapnlp.retraining.labels.reading import read_file

    results = [result for plan in plans for result in read_file(plan)]
    show_failures(r for r in results if isinstance(r, Failure))
    return texts_by_label(r for r in results if isinstance(r, NamedTicket))


def label_options(
    format: str | None,
    labels: list[str] | None,
    separator: str | None,
    columns: tuple[str | None, str | None, str | None, str | None, str | None],
) -> LabelOptions:
    """Put the options of a command together; columns: text, id, ticket, annotator, language."""
    from gapnlp.retraining.labels.named import LabelOptions

    text, id, ticket, annotator, language = columns
    return LabelOptions(
        format=format,
        labels=tuple(labels or ()),
        separator=separator.encode().decode("unicode_escape") if separator in ("\\n", "\\t") else separator,
        text=text,
        id=id,
        ticket=ticket,
        annotator=annotator,
        language=language,
    )


def confirmed_mapping(mapping: Path | None) -> LabelMapping | None:
    """Read a mapping, where there is one; what nobody has confirmed is refused."""
    from gapnlp.retraining.labels.mapping import check_confirmed, read_mapping

    if mapping is None:
        return None
    meaning = read_mapping(mapping)
    check_confirmed(meaning, str(mapping))
    return meaning


def read_tickets(files: list[Path], meaning: LabelMapping | None, options: LabelOptions) -> tuple[LabelledTicket, ...]:
    """Read labelled tickets, and say how the files were read and which rows cannot be used."""
    from gapnlp.retraining.labels.dataset import read_labelled

    data = read_labelled(files, meaning, options)
    show_files(data.files)
    show_failures(data.failures)
    return data.tickets


def show_files(files: Iterable[SourceFile]) -> None:
    """Say how files were read."""
    from gapnlp.cli.screen import show_recognition

    for file in files:
        say(f"{file.recognition.file}: read as {file.format} ({file.why})")
        if file.own:
            say("its labels are gapnlp's own: no mapping is needed")
        else:
            show_recognition(file.recognition)


def show_failures(failures: Iterable[Failure]) -> None:
    """Say how many rows cannot be used, and why of the first."""
    listed = list(failures)
    if listed:
        say(f"{len(listed):,} rows cannot be used:")
    for failure in listed[:_SHOWN]:
        say(f"  {failure.source.file}, row {failure.source.row}: {failure.reason}")


def say(message: str) -> None:
    """Print a line about the work."""
    from rich.markup import escape

    from gapnlp.cli.screen import ERRORS

    ERRORS.print(escape(message), soft_wrap=True)


def _write(path: Path, content: str) -> None:
    from gapnlp.export.writers import make_folder, whole_file

    make_folder(path.parent)
    with whole_file(path) as partial:
        partial.write_text(content, encoding="utf-8", errors="backslashreplace")
