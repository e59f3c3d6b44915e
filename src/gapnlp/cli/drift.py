"""`gapnlp drift`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gapnlp.cli import options as o

if TYPE_CHECKING:
    from gapnlp.records.drift import DriftFigure, LanguageDrift
    from gapnlp.retraining.drift_run import FileDrift

_NAMES = {
    "labels": "label shares (distance)",
    "unknown": "words the bundle does not know",
    "abstained": "statements too doubtful to act on",
    "doubt": "labels expected wrong per statement",
}
_STATES = {"usual": "as usual", "new": "like a new field", "beyond": "unlike anything known", "unknown": "not known"}
_UNMEASURED = (
    "The model may be out of its depth: this text is unlike the fields that the bundle was trained on, and how well it "
    "reads other fields could not be measured in this language. Read some of its labels before you act on them."
)
_VERDICTS = {
    "usual": "This text is like what the bundle was trained on.",
    "new": "This text is unlike the fields that the bundle was trained on, but not unlike fields that it was tried on "
    "without training. Expect more errors than its card says; label about 100 statements as an audit.",
    "beyond": "The model is out of its depth: this text is unlike everything that it was measured on. Do not act on "
    "its labels unread; label statements of your own, for an audit and to train on.",
}


def drift(
    inputs: o.InputsArgument,
    text: o.TextOption = None,
    id: o.IdOption = None,  # noqa: A002
    language: o.LanguageOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    reference: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="References by language, for bundles whose cards hold none."),
    ] = None,
    models: o.ModelsOption = None,
) -> None:
    """Say whether a file is like what the bundles were trained on.

    Compares label shares, words and confidence of up to 5,000 items with the training data's own domains.

    [bold]Example:[/] gapnlp drift reviews.csv
    """
    from gapnlp.ingest.columns import ColumnOptions
    from gapnlp.retraining.drift_run import measure_drift

    columns = ColumnOptions(text=text, id=id, language=language)
    found = measure_drift(inputs, columns, models=models, reference=reference)
    if as_json:
        sys.stdout.write(json.dumps(asdict(found), indent=1) + "\n")
        return
    _show(found)


def _show(found: FileDrift) -> None:
    from gapnlp.cli.screen import OUTPUT

    unscored = sum(found.unscored.values())
    OUTPUT.print(f"{found.drawn:,} items looked at, {unscored:,} of them not in a language that is read, or empty")
    if 2 * unscored > found.drawn:
        OUTPUT.print("[bold]Most items cannot be read: this is hardly feedback in English, Polish or Chinese.[/]")
    for language in found.languages:
        _show_language(language)


def _show_language(found: LanguageDrift) -> None:
    from rich import box
    from rich.table import Table

    from gapnlp.cli.screen import OUTPUT

    OUTPUT.print(f"\n[bold]{found.language}[/] ({found.model}): {found.items:,} items, {found.segments:,} statements")
    if not found.figures:
        OUTPUT.print(_why_unknown(found))
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("", "this file", "training data", "known fields up to", "new fields up to", ""):
        table.add_column(heading)
    for figure in found.figures:
        table.add_row(*_row(figure))
    OUTPUT.print(table)
    OUTPUT.print(_verdict(found))
    moved = ", ".join(f"{s.label} {s.reference:.1%} → {s.value:.1%}" for s in found.shifts)
    OUTPUT.print(f"Moved most: {moved}")


def _why_unknown(found: LanguageDrift) -> str:
    from gapnlp.retraining.drift import LEAST_SEGMENTS

    if found.segments < LEAST_SEGMENTS:
        return f"Not known: too few statements to compare; at least {LEAST_SEGMENTS} are needed."
    return (
        "Not known: the bundle's card has no drift_reference (bundles trained by later versions have one; see "
        "docs/drift.md)."
    )


def _verdict(found: LanguageDrift) -> str:
    """Choose the sentence; where new fields could not be measured, it must not say that they were."""
    if found.state == "new" and any(f.state == "new" and f.limit is None for f in found.figures):
        return _UNMEASURED
    return _VERDICTS.get(found.state, "Too few fields were measured to say more.")


def _row(figure: DriftFigure) -> tuple[str, ...]:
    limits = ("?" if x is None else f"{x:.3f}" for x in (figure.usual, figure.limit))
    return (_NAMES[figure.name], f"{figure.value:.3f}", f"{figure.reference:.3f}", *limits, _STATES[figure.state])
