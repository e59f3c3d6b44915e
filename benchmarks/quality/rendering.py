"""The table as JSON and as Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.quality.counting import GROUPS, SINGLE, Estimate
from benchmarks.quality.table import LanguageTable, Row

NAMES = {"en": "English", "pl": "Polish", "zh": "Chinese"}
_MAIN = ("headline", "dimensions_polarity", "gaps", "sentiment", "expectation_unmet")
_LABELS = (*(f"{g}.{x}" for g in GROUPS for x in GROUPS[g]), *SINGLE)
_NOTE = (
    "F1 on the development split, with 95 % intervals from {replicates:,} bootstrap replicates over items. Gold labels "
    "are a language model's, not people's; rare classes are over-represented. A peer's name with `_tuned`: thresholds "
    "chosen on a fifth of train instead of one half."
)


def to_json(tables: Sequence[LanguageTable], about: Mapping[str, Any]) -> str:
    """Write everything, each figure as value, low and high."""
    return json.dumps({**about, "languages": [asdict(t) for t in tables]}, ensure_ascii=False, indent=1) + "\n"


def to_markdown(tables: Sequence[LanguageTable], about: Mapping[str, Any]) -> str:
    """Write main figures with intervals, differences, then every label, for people."""
    parts = ["# Quality of the bundles beside their peers", _NOTE.format(**about)]
    for table in tables:
        parts += [
            f"## {NAMES[table.language]}: {table.items:,} items, {table.segments:,} segments",
            grid(["classifier", *map(_words, _MAIN)], _main_rows(table.rows)),
            *(["### Ahead of the best peer by", _differences(table)] if table.differences else []),
            "### F1 by label",
            _by_label(table),
            "### What each row is",
            "\n".join(f"- `{r.name}`: {r.detail}" for r in table.rows),
        ]
    return "\n\n".join(parts) + "\n"


def _main_rows(rows: Sequence[Row]) -> Iterable[list[str]]:
    for row in sorted(rows, key=lambda r: -(r.figures["headline"].value or 0.0)):
        name = f"**{row.name}**" if row.ours else row.name
        yield [name, *(with_interval(row.figures[f]) for f in _MAIN)]


def _differences(table: LanguageTable) -> str:
    rows = [
        [f"**{d.name}** − {d.peer}", *(with_interval(d.figures[f], signed=True) for f in _MAIN), _share(d.at_most_zero)]
        for d in table.differences
    ]
    return grid(["difference", *map(_words, _MAIN), "replicates not ahead"], rows)


def _by_label(table: LanguageTable) -> str:
    rows = [[_words(f), f"{table.positives[f]:,}", *(_number(r.figures[f].value) for r in table.rows)] for f in _LABELS]
    return grid(["label", "positives", *(r.name for r in table.rows)], rows)


def grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def with_interval(found: Estimate, *, signed: bool = False) -> str:
    """Write `.565 (.541–.590)`; an empty cell where the figure does not exist."""
    if found.value is None or found.low is None or found.high is None:
        return ""
    form = "{:+.3f} ({:+.3f} to {:+.3f})" if signed else "{:.3f} ({:.3f}–{:.3f})"
    return form.format(found.value, found.low, found.high)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _share(value: float) -> str:
    return f"{value:.1%}" if value >= 0.001 else "under 0.1%"


def _words(name: str) -> str:
    group, _, label = name.replace("_", " ").partition(".")
    return f"{group}: {label}" if label else group
