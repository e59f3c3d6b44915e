"""`gapnlp train`: from labelled tickets to a model of one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gapnlp.cli import labels as asked
from gapnlp.cli import options as o

if TYPE_CHECKING:
    from gapnlp.records.tickets import LabelledTicket
    from gapnlp.retraining.training.run import Trained


class Method(StrEnum):
    """How to train."""

    auto = "auto"
    heads = "heads"
    encoder = "encoder"


MethodOption = Annotated[
    Method,
    typer.Option("--method", help="heads: on the frozen model; encoder: fine-tunes it as well; auto: chosen by rule."),
]


def train(
    files: asked.FilesArgument,
    mapping: Annotated[
        Path | None,
        typer.Option(
            "--mapping",
            metavar="MAPPING.toml",
            help="What the labels mean, from `labels map` and confirmed; not needed where they are gapnlp's own.",
        ),
    ] = None,
    models: Annotated[
        Path,
        typer.Option("--models", metavar="FOLDER", help="Models folder of your own; made from the shipped one."),
    ] = Path("gapnlp-models"),
    test: Annotated[
        list[Path] | None,
        typer.Option("--test", metavar="FILE", help="Held-out tickets for the gate; may be repeated."),
    ] = None,
    method: MethodOption = Method.auto,
    fresh: Annotated[bool, typer.Option("--fresh", help="Do not go on from the current adapter.")] = False,
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Deals tickets to folds.")] = 0,
    quality: o.QualityOption = o.Quality.balanced,
    force: Annotated[bool, typer.Option("--force", help="Promote against the gate; the card will say so.")] = False,
    no_promote: Annotated[bool, typer.Option("--no-promote", help="Keep the candidate, promote nothing.")] = False,
    format: asked.FormatOption = None,
    labels: asked.LabelsOption = None,
    separator: asked.SeparatorOption = None,
    text: o.TextOption = None,
    id: o.IdOption = None,
    ticket: asked.TicketOption = None,
    annotator: asked.AnnotatorOption = None,
    language: o.LanguageOption = None,
) -> None:
    """Learn from labelled tickets, and serve what was learnt if it is better.

    Makes an adapter for each language, on top of the shipped models, which stay as they are. The gate compares it with
    the current model on tickets that neither has seen; a winner is promoted. A run that was stopped goes on where it
    was. `gapnlp labels check` finds mistakes in the tickets first.

    [bold]Example:[/] gapnlp train tickets.csv --mapping mapping.toml --models our-models
    """
    from gapnlp.errors import InputError
    from gapnlp.retraining.training.plan import TrainOptions
    from gapnlp.retraining.training.run import train as run

    if force and no_promote:
        raise InputError("--force promotes and --no-promote does not; choose one of them")
    chosen = asked.label_options(format, labels, separator, (text, id, ticket, annotator, language))
    meaning = asked.confirmed_mapping(mapping)
    tickets = asked.read_tickets(files, meaning, chosen)
    held_out = asked.read_tickets(test, meaning, chosen) if test else ()
    options = TrainOptions(quality.value, seed, fresh, not no_promote, force, held_out, method.value)
    _show_left_out(tickets)
    with _stages() as on_progress:
        found = run(tickets, options, models, on_progress)
    for trained in found:
        _show(trained, models)


def _show_left_out(tickets: tuple[LabelledTicket, ...]) -> None:
    """Say which tickets teach nothing: those in other languages, and those of which a language has too few."""
    from gapnlp.records.labels import LANGUAGES
    from gapnlp.retraining.training.run import part_teachable

    if strange := sum(ticket.language not in LANGUAGES for ticket in tickets):
        known = ", ".join(LANGUAGES)
        told = f"rows are in none of the languages {known} and teach nothing (--language names a column)"
        asked.say(f"{strange:,} {told}")
    for other, count in part_teachable(tickets)[1].items():
        asked.say(f"{other}: {count:,} tickets with too few labels to learn from; nothing changes in this language")


@contextmanager
def _stages() -> Iterator[Callable[[str, int, int], None]]:
    """Show each stage with its steps and the time left."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    from gapnlp.cli.screen import ERRORS

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=ERRORS, transient=True) as progress:
        task = progress.add_task("beginning", total=None)
        stage = ""

        def update(name: str, done: int, total: int) -> None:
            nonlocal stage
            if name != stage:
                stage = name
                progress.reset(task, description=name, total=total)
            progress.update(task, completed=done, total=total)

        yield update


def _show(trained: Trained, models: Path) -> None:
    """Say what was learnt, what the gate said, and what serves now."""
    asked.say(f"{trained.language}: {trained.tickets:,} tickets; {trained.why}")
    asked.say(f"learnt: {', '.join(trained.learnt)}")
    for label, why in trained.not_learnt.items():
        asked.say(f"not learnt: {label}: {why}")
    for reason in trained.verdict["reasons"]:
        asked.say(f"  {reason}")
    typer.echo(trained.version)
    if trained.promoted:
        back = f"gapnlp models rollback --models {models}"
        how = "promoted" if trained.verdict["promote"] else "promoted against the gate, by --force"
        asked.say(f"{how}: it serves wherever --models {models} is given; `{back}` goes back")
    else:
        asked.say(f"not promoted: the model before goes on serving; the candidate is kept in {models}")
