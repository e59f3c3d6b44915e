"""Learning curves as JSON, as Markdown and as a plot."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd

from benchmarks.quality.rendering import grid
from benchmarks.retraining.ours import ADAPTED
from benchmarks.retraining.running import Result
from benchmarks.retraining.summary import PROMISED_SIZE, Comparison, Point, behind, compare, to_points
from benchmarks.retraining.tasks import Task

_COLOURS = {
    "tfidf": "#d95f02",
    "setfit": "#e7a6c9",
    "setfit, balanced": "#c2408c",
    "minilm embeddings": "#e6ab02",
    "minilm": "#8c8c8c",
    "shipped": "#9ecae1",
    "shipped + adapter": "#6baed6",
    "blind": "#31a354",
    "blind + adapter": "#08519c",
    "blind-encoder": "#a1d99b",
    "blind-encoder + adapter": "#756bb1",
    "blind-encoder + adapter, fine-tuned": "#3f007d",
    "shipped + adapter, fine-tuned": "#2171b5",
}


def write(tasks: Sequence[Task], results: Sequence[Result], about: Mapping[str, Any], out: Path) -> None:
    """Write curves.json, curves.md and, where something was trained, curves.png."""
    out.mkdir(parents=True, exist_ok=True)
    points = to_points(results)
    document = {**about, "points": [asdict(p) for p in points], "results": [asdict(r) for r in results]}
    (out / "curves.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    (out / "curves.md").write_text(to_markdown(tasks, results, about), encoding="utf-8")
    if any(p.size for p in points):
        plot(tasks, points).save(str(out / "curves.png"), ppi=150)


def to_markdown(tasks: Sequence[Task], results: Sequence[Result], about: Mapping[str, Any]) -> str:
    """Write a table of each company, F1 by label at the promised size, and the differences to the peers."""
    points = to_points(results)
    parts = ["# Learning curves of a simulated company", "Macro F1 over the labels, mean ± standard deviation (seeds)."]
    for task in tasks:
        mine = [p for p in points if p.task == task.name]
        parts += [f"## {task.title}", _curve_table(mine), f"F1 by label at {PROMISED_SIZE} rows:", _label_table(mine)]
    parts.append(f"## At {PROMISED_SIZE} rows")
    for kind in about["bases"]:
        compared = compare(results, kind)
        parts += [verdict(compared, ADAPTED.format(kind)), _difference_table(compared)]
    return "\n\n".join(part for part in parts if part) + "\n"


def verdict(compared: Sequence[Comparison], adapter: str) -> str:
    """Say in one sentence whether the adapter is behind a rival at the promised size."""
    if not any(c.size == PROMISED_SIZE for c in compared):
        return f"{adapter}: not measured at {PROMISED_SIZE} rows."
    lost = behind(compared)
    if not lost:
        return f"{adapter}: at {PROMISED_SIZE} rows not behind any of the peers measured, in any set."
    where = "; ".join(f"{c.task} {c.difference:+.3f} to {c.peer}" for c in lost)
    return f"{adapter}: at {PROMISED_SIZE} rows behind: {where}."


def _curve_table(points: Sequence[Point]) -> str:
    sizes = sorted({p.size for p in points if p.size})
    cells = {(p.classifier, p.size): _cell(p) for p in points}
    names = dict.fromkeys(p.classifier for p in points)
    rows = [[name, cells.get((name, 0), ""), *(cells.get((name, size), "") for size in sizes)] for name in names]
    return grid(["classifier", "untrained", *(f"{size:,} rows" for size in sizes)], rows)


def _cell(point: Point) -> str:
    if not point.size:
        return f"{point.mean:.3f}"
    spread = "" if point.spread is None else f" ± {point.spread:.3f}"
    return f"{point.mean:.3f}{spread} ({len(point.seeds)})"


def _label_table(points: Sequence[Point]) -> str:
    shown = [p for p in points if p.size in (0, PROMISED_SIZE)]
    labels = list(shown[0].f1) if shown else []
    rows = [[label, *(f"{p.f1[label]:.2f}" for p in shown)] for label in labels]
    return grid(["label", *(p.classifier for p in shown)], rows)


def _difference_table(compared: Sequence[Comparison]) -> str:
    rows: Iterable[Sequence[str]] = [[c.task, f"{c.size:,}", c.peer, _signed(c), str(len(c.seeds))] for c in compared]
    return grid(["set", "rows", "peer", "adapter − peer, ± deviation over seeds", "seeds"], rows) if compared else ""


def _signed(compared: Comparison) -> str:
    spread = "" if compared.spread is None else f" ± {compared.spread:.3f}"
    return f"{compared.difference:+.3f}{spread}"


def plot(tasks: Sequence[Task], points: Sequence[Point]) -> alt.HConcatChart:
    """One panel a company: lines for what was trained, dashed levels for bases as they are."""
    frame = pd.DataFrame(
        {
            "task": p.task,
            "classifier": p.classifier,
            "rows": p.size,
            "mean": p.mean,
            "low": p.mean - (p.spread or 0.0),
            "high": p.mean + (p.spread or 0.0),
        }
        for p in points
    )
    names = [name for name in _COLOURS if name in set(frame["classifier"])]
    scale = alt.Scale(domain=names, range=[_COLOURS[name] for name in names])
    panels = [_panel(frame[frame["task"] == task.name], task.title, scale) for task in tasks]
    together: alt.HConcatChart = alt.hconcat(*panels)
    return together


def _panel(frame: pd.DataFrame, title: str, colours: alt.Scale) -> alt.LayerChart:
    trained, untrained = frame[frame["rows"] > 0], frame[frame["rows"] == 0]
    sizes = sorted(int(size) for size in trained["rows"].unique())
    legend = alt.Legend(symbolOpacity=1, symbolType="stroke", symbolStrokeWidth=3)
    colour = alt.Color("classifier:N", title=None, scale=colours, legend=legend)
    across = alt.X(
        "rows:Q", scale=alt.Scale(type="log", nice=False), axis=alt.Axis(values=sizes), title="labelled rows"
    )
    up = alt.Y("mean:Q", scale=alt.Scale(zero=False), title="macro F1 on the test rows, ± deviation over seeds")
    base = alt.Chart(trained).encode(x=across, color=colour)
    band = base.mark_area(opacity=0.12).encode(y=alt.Y("low:Q", title=""), y2="high:Q")
    line = base.mark_line(point=True).encode(y=up)
    level = alt.Chart(untrained).mark_rule(strokeDash=[4, 3], size=1.5).encode(y=alt.Y("mean:Q"), color=colour)
    panel: alt.LayerChart = (band + line + level).properties(width=280, height=280, title=title)
    return panel
