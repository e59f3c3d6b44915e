"""`gapnlp evaluate`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gapnlp.cli import options as o

if TYPE_CHECKING:
    from gapnlp.classifier.measure import Measure
    from gapnlp.ingest.gold import GoldItem
    from gapnlp.records.labels import Labels

_BATCH = 500


def evaluate(
    gold: Annotated[Path, typer.Argument(metavar="GOLD.jsonl", help="Labelled items.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the predictions here, as JSON Lines.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all figures as JSON.")] = False,
    quality: o.QualityOption = o.Quality.balanced,
    models: o.ModelsOption = None,
) -> None:
    """Measure the bundles on labelled items, using the segments given there.

    Prints F1 figures by language and over all; headline is the mean of dimensions with polarity, gaps, sentiment and
    unmet expectation.

    [bold]Example:[/] gapnlp evaluate gold/dev.jsonl --out out/predictions.jsonl
    """
    from gapnlp.classifier.measure import measure
    from gapnlp.cli.screen import progress_bar
    from gapnlp.errors import InputError
    from gapnlp.ingest.gold import read_gold
    from gapnlp.scoring.loading import load
    from gapnlp.scoring.local import available_cores

    items = list(read_gold(gold))
    if not items:
        raise InputError(f"{gold.name}: holds no items")
    scorer, predictions = load(models, quality=quality.value, threads=available_cores()), []
    with progress_bar(len(items)) as on_progress:
        for batch in _batches(items):
            predictions += scorer.classify_gold(batch)
            on_progress(len(predictions))
    if out is not None:
        _write_predictions(out, items, predictions)
    groups = {"all": list(range(len(items)))}
    for i, item in enumerate(items):
        groups.setdefault(item.language, []).append(i)
    results = {k: measure((items[i].labels, predictions[i]) for i in places) for k, places in groups.items()}
    _print_results(results, as_json=as_json)


def _batches(items: Sequence[GoldItem]) -> Iterator[list[GoldItem]]:
    rest = iter(items)
    while batch := list(islice(rest, _BATCH)):
        yield batch


def _write_predictions(out: Path, items: Sequence[GoldItem], predictions: Sequence[Sequence[Labels]]) -> None:
    from gapnlp.export.writers import make_folder, whole_file

    make_folder(out.parent)
    with whole_file(out) as partial, partial.open("w", encoding="utf-8") as file:
        for item, labels in zip(items, predictions, strict=True):
            segments = [
                {"start": s.start, "end": s.end, **asdict(x)} for s, x in zip(item.segments, labels, strict=True)
            ]
            row = {"id": item.id, "lang": item.language, "segments": segments}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _print_results(results: dict[str, Measure], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps({k: _figures(r) for k, r in results.items()}, indent=1) + "\n")
        return
    from rich import box
    from rich.table import Table

    from gapnlp.cli.screen import OUTPUT

    shown = {k: _figures(r) for k, r in results.items()}
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("F1", no_wrap=True)
    for key, figures in shown.items():
        table.add_column(f"{key} (n={figures['segments']:,})", justify="right")
    names = [n for n in shown["all"] if n != "segments"]
    for name in names:
        cells = (figures[name] for figures in shown.values())
        table.add_row(
            name, *("" if c is None else f"{c:.3f}" for c in cells), style="bold" if name == "headline" else ""
        )
    OUTPUT.print(table)


def _figures(result: Measure) -> dict[str, Any]:
    """Flatten a measure into named figures, macro means first in each group."""
    from gapnlp.classifier.measure import macro

    figures: dict[str, Any] = {"segments": result.segments, "headline": result.headline}
    for name in ("dimensions", "dimensions_polarity", "gaps", "sentiment", "item_dimensions", "item_gaps"):
        group = getattr(result, name)
        figures[name] = macro(group)
        figures |= {f"{name}.{label}": value for label, value in group.items()}
    figures |= {x: getattr(result, x) for x in ("expectation_unmet", "expectation_kept", "churn")}
    return figures
