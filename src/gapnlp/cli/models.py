"""`gapnlp models`: what serves, what was trained, and which of it is to serve."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gapnlp.cli import labels as asked
from gapnlp.cli import options as o

if TYPE_CHECKING:
    from rich.table import Table

    from gapnlp.classifier.bundle import BundleInfo
    from gapnlp.records.tickets import LabelledTicket

models = typer.Typer()

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="A bundle's name or version, as `list` shows it.", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@models.callback(invoke_without_command=True)
def overview(context: typer.Context, as_json: JsonOption = False, models: o.ModelsOption = None) -> None:
    """List the bundles; show, compare, promote, take back and export them. Without a command: list."""
    if context.invoked_subcommand is None:
        _list(models, as_json=as_json)


@models.command("list")
def list_models(
    as_json: JsonOption = False,
    past: Annotated[bool, typer.Option("--history", help="List the states that the folder was in instead.")] = False,
    models: o.ModelsOption = None,
) -> None:
    """List the bundles: language, version, measured quality, and whether their files are as they were built.

    [bold]Example:[/] gapnlp models list --models gapnlp-models
    """
    if past:
        _list_history(models, as_json=as_json)
    else:
        _list(models, as_json=as_json)


@models.command("show")
def show_model(name: NameArgument, as_json: JsonOption = False, models: o.ModelsOption = None) -> None:
    """Print a bundle's card: what it was trained on, how good it is, its limits; and what the gate said of it.

    [bold]Example:[/] gapnlp models show linear-en
    """
    from gapnlp.retraining.model_figures import read_figures

    found = read_figures(models, name)
    if as_json:
        _print_json({"version": found.info.version, "card": found.card, "verdict": found.verdict})
        return
    sys.stdout.write(found.page)
    for reason in found.reasons:
        sys.stdout.write(f"Gate: {reason}\n")


@models.command("compare")
def compare_models(
    first: Annotated[str, typer.Argument(metavar="A", help="A bundle's name or version.", show_default=False)],
    second: Annotated[str, typer.Argument(metavar="B", help="Another one's.", show_default=False)],
    tickets: Annotated[
        list[Path] | None,
        typer.Option("--tickets", metavar="FILE", help="Labelled tickets to measure both on; may be repeated."),
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option("--mapping", metavar="MAPPING.toml", help="What the tickets' labels mean, confirmed."),
    ] = None,
    quality: o.QualityOption = o.Quality.balanced,
    as_json: JsonOption = False,
    models: o.ModelsOption = None,
    format: asked.FormatOption = None,
    labels: asked.LabelsOption = None,
    separator: asked.SeparatorOption = None,
    text: o.TextOption = None,
    id: o.IdOption = None,
    ticket: asked.TicketOption = None,
    annotator: asked.AnnotatorOption = None,
    language: o.LanguageOption = None,
) -> None:
    """Put the figures of two bundles side by side: as their cards and the gate's verdicts tell them, or measured anew.

    [bold]Example:[/] gapnlp models compare linear-en encoder-en
    """
    if tickets:
        chosen = asked.label_options(format, labels, separator, (text, id, ticket, annotator, language))
        data = asked.read_tickets(tickets, asked.confirmed_mapping(mapping), chosen)
        _compare_anew((first, second), data, models, quality=quality.value, as_json=as_json)
    else:
        _compare_cards(first, second, models, as_json=as_json)


def _compare_anew(
    names: tuple[str, str], tickets: tuple[LabelledTicket, ...], models: Path | None, *, quality: str, as_json: bool
) -> None:
    """Measure two bundles on labelled tickets and print what the gate says."""
    from gapnlp.retraining.comparing import compare_on_tickets
    from gapnlp.retraining.model_figures import find_bundle

    one, other = (find_bundle(models, name) for name in names)
    verdict, left_out = compare_on_tickets((one, other), tickets, models, quality=quality)
    if as_json:
        _print_json({"versions": [one.version, other.version], "left_out_tickets": left_out, **verdict.as_dict()})
        return
    sys.stdout.write(f"current: {one.version}\nnew: {other.version}\n")
    sys.stdout.write(f"{left_out:,} tickets left out, as one of the two has learnt from them\n\n")
    sys.stdout.write(verdict.as_markdown().partition("\n\n")[2])


def _compare_cards(first: str, second: str, models: Path | None, *, as_json: bool) -> None:
    from rich.markup import escape

    from gapnlp.cli.screen import OUTPUT
    from gapnlp.retraining.model_figures import read_figures, side_by_side

    pair = read_figures(models, first), read_figures(models, second)
    rows = side_by_side(*pair)
    if as_json:
        versions = [found.info.version for found in pair]
        _print_json({"versions": versions, "figures": {row.name: [row.first, row.second] for row in rows}})
        return
    table = _table("figure", pair[0].info.version, pair[1].info.version, "difference")
    for row in rows:
        table.add_row(escape(row.name), _number(row.first), _number(row.second), _number(row.difference, sign="+"))
    OUTPUT.print(table)


@models.command("promote")
def promote_model(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="A candidate's version, or its name: the latest of it.", show_default=False
        ),
    ],
    force: Annotated[
        bool, typer.Option("--force", help="Also against the gate; the card of the bundle then says so.")
    ] = False,
    models: o.OwnModelsOption = o.OWN_MODELS,
) -> None:
    """Let a candidate serve. Running servers follow within seconds; jobs that have begun keep what they have.

    [bold]Example:[/] gapnlp models promote adapter-en
    """
    from gapnlp.cli.screen import OUTPUT
    from gapnlp.retraining.registry import promote

    info = promote(models, name, force=force)
    back = f"gapnlp models rollback --models {models}"
    OUTPUT.print(f"{info.version} serves now; {back} goes back", soft_wrap=True, highlight=False, markup=False)


@models.command("rollback")
def rollback_models(models: o.OwnModelsOption = o.OWN_MODELS) -> None:
    """Go back to the state before the last promotion; again: to the one before that.

    [bold]Example:[/] gapnlp models rollback
    """
    from gapnlp.cli.screen import OUTPUT
    from gapnlp.retraining.registry import rollback

    served = ", ".join(info.version for info in rollback(models))
    OUTPUT.print(f"these serve now: {served}", soft_wrap=True, highlight=False)


@models.command("export")
def export_model(
    name: NameArgument,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder, made if missing.", show_default=False)],
    models: o.ModelsOption = None,
) -> None:
    """Write a bundle as a Hugging Face folder that `transformers` loads.

    [bold]Example:[/] gapnlp models export encoder-en hf-encoder-en
    """
    from gapnlp.cli.screen import OUTPUT
    from gapnlp.retraining.method import require_training_extra
    from gapnlp.retraining.model_figures import find_bundle

    require_training_extra("export")
    from gapnlp.retraining.huggingface import export_huggingface

    info = find_bundle(models, name)
    export_huggingface(info, folder)
    OUTPUT.print(f"{info.version} is in {folder}", soft_wrap=True, highlight=False)


def _list(models: Path | None, *, as_json: bool) -> None:
    from gapnlp.classifier.bundle import read_manifest, read_verified
    from gapnlp.cli.screen import OUTPUT
    from gapnlp.retraining.registry import candidates

    serving = read_manifest(models)
    live = {b.version for b in serving}
    found = [(b, "serves") for b in serving]
    for candidate in candidates(models) if models else ():
        if candidate.info.version not in live:
            found.append((candidate.info, f"candidate, gate {'for' if candidate.wins else 'against'} it"))
    sizes = [sum(len(content) for content in read_verified(b).values()) for b, _ in found]
    if as_json:
        _print_json([{**_told(b), "status": status} for b, status in found])
        return
    table = _table("language", "version", "status", "headline F1 (development)", "size", "sha256")
    for (bundle, status), size in zip(found, sizes, strict=True):
        headline = "" if bundle.headline is None else f"{bundle.headline:.3f}"
        table.add_row(bundle.language, bundle.version, status, headline, f"{size / 1e6:.1f} MB", "as built")
    OUTPUT.print(table)


def _list_history(models: Path | None, *, as_json: bool) -> None:
    from rich.markup import escape

    from gapnlp.cli.screen import OUTPUT
    from gapnlp.retraining.registry import history

    states = history(models) if models else ()
    if as_json:
        _print_json([asdict(state) for state in states])
        return
    table = _table("state", "when (UTC)", "what", "of", "rollback leads to")
    for state in states:
        told = (state.when, state.action, state.subject, str(state.previous or ""))
        table.add_row(str(state.number), *map(escape, told))
    OUTPUT.print(table)


def _table(*headings: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")  # versions are there to be copied
    return table


def _told(info: BundleInfo) -> dict[str, Any]:
    return {**asdict(info), "folder": str(info.folder), "version": info.version}


def _number(value: float | None, *, sign: str = "") -> str:
    return "" if value is None else f"{value:{sign}.4g}"


def _print_json(content: Any) -> None:
    sys.stdout.write(json.dumps(content, indent=1) + "\n")
