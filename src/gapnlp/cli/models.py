"""`gapnlp models`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from gapnlp.cli import options as o


def models(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    models: o.ModelsOption = None,
) -> None:
    """List the bundles: language, version, measured quality, and whether their files are as they were built."""
    from rich import box
    from rich.table import Table

    from gapnlp.classifier.bundle import read_manifest, read_verified
    from gapnlp.cli.screen import OUTPUT

    bundles = read_manifest(models)
    sizes = [sum(len(content) for content in read_verified(b).values()) for b in bundles]
    if as_json:
        rows = [{**asdict(b), "folder": str(b.folder), "version": b.version} for b in bundles]
        sys.stdout.write(json.dumps(rows, indent=1) + "\n")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("language", "version", "headline F1 (development)", "size", "sha256"):
        table.add_column(heading)
    for bundle, size in zip(bundles, sizes, strict=True):
        headline = "" if bundle.headline is None else f"{bundle.headline:.3f}"
        table.add_row(bundle.language, bundle.version, headline, f"{size / 1e6:.1f} MB", "as built")
    OUTPUT.print(table)
