"""`gapnlp classify`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from gapnlp.cli import options as o

if TYPE_CHECKING:
    from gapnlp.records.analysis import Analysis


def classify(
    text: Annotated[str, typer.Argument(help="The text; - reads it from the standard input.", show_default=False)],
    language: Annotated[
        o.Ui | None, typer.Option(help="Its language; found out by itself when not given.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON with all probabilities.")] = False,
    redact: o.RedactOption = False,
    quality: o.QualityOption = o.Quality.balanced,
    models: o.ModelsOption = None,
) -> None:
    """Show what one text says, segment by segment.

    [bold]Example:[/] gapnlp classify "The site said next-day delivery, it took nine days."
    """
    from gapnlp.cli.screen import OUTPUT
    from gapnlp.scoring.loading import load

    content = _read_input() if text == "-" else text
    (analysis,) = load(models, redact=redact, quality=quality.value).analyze(
        [content], language=language.value if language else None
    )
    if as_json:
        sys.stdout.write(json.dumps(_as_json(analysis), ensure_ascii=False, indent=1) + "\n")
        return
    OUTPUT.print(_table(analysis))


def _read_input() -> str:
    from gapnlp.errors import InputError

    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("the standard input is not UTF-8; convert it, or use `gapnlp score` on a file") from None


def _as_json(analysis: Analysis) -> dict[str, object]:
    from gapnlp.records.labels import LABELS

    return {
        "language": analysis.language,
        "model_version": analysis.model_version,
        "segments": [
            {
                "start": s.segment.start,
                "end": s.segment.end,
                "text": s.segment.text,
                **asdict(s.labels),
                "causes": list(s.causes),
                "probabilities": dict(zip(LABELS, s.probabilities, strict=True)),
            }
            for s in analysis.segments
        ],
    }


def _table(analysis: Analysis) -> object:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=f"{analysis.language}, {analysis.model_version}", title_justify="left", box=box.SIMPLE_HEAD)
    for heading in ("segment", "sentiment", "dimensions", "gaps", "causes", "expected"):
        table.add_column(heading, overflow="fold")
    for s in analysis.segments:
        labels = s.labels
        sign = {"neg": "-", "pos": "+", "neu": "0"}
        table.add_row(
            escape(s.segment.text),
            labels.sentiment + (", churn" if labels.churn else ""),
            ", ".join(f"{d} {sign[p]}" for d, p in labels.dimensions.items()),
            ", ".join(labels.gaps),
            ", ".join(c.replace("_", " ") for c in s.causes),
            "" if labels.expectation == "none" else labels.expectation,
        )
    return table
