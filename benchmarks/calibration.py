"""Reliability plots and expected calibration errors of the shipped bundles on labelled items.

    python -m benchmarks.calibration --gold path/to/gold --out out/calibration

For each language and quality: `calibration-LANGUAGE-QUALITY.png`, one small plot a label with at least 50 positives
(mean probability of each of ten bins against the share that has the label; dots grow with the bin's segments), and
`calibration.json` with every error. Nothing of the texts is written.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
from numpy.typing import NDArray

from gapnlp.classifier.bundle import QUALITIES, read_manifest
from gapnlp.records.labels import HEADS, LABELS, LANGUAGES
from gapnlp.scoring.loading import load
from training.calibration import calibration_figures, reliability
from training.material import Material, read_development

LEAST_POSITIVES = 50
_SIDE = 110
_COLUMNS = 5

Figures = dict[str, dict[str, Any]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, plot and print the largest errors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gold", type=Path, required=True, help="folder with dev.jsonl")
    parser.add_argument("--models", type=Path, help="default: the shipped bundles")
    parser.add_argument("--out", type=Path, default=Path("out/calibration"))
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    found: dict[str, dict[str, Figures]] = {}
    accurate = {b.language for b in read_manifest(options.models) if b.quality == "accurate"}
    for language in LANGUAGES:
        development = read_development(options.gold, language)
        for quality in QUALITIES if language in accurate else QUALITIES[:1]:
            values = load(options.models, quality=quality).classifier(language).predict(development.documents()).values
            figures = calibration_figures(values, development.targets)
            found.setdefault(language, {})[quality] = figures
            plot(values, development, figures).save(str(options.out / f"calibration-{language}-{quality}.png"), ppi=110)
            print(f"{language} {quality}: {_describe(frequent(figures))}")
    (options.out / "calibration.json").write_text(json.dumps(found, indent=1), encoding="utf-8")


def frequent(figures: Figures) -> dict[str, float]:
    """Errors of the labels with enough positives, label -> expected calibration error in [0, 1]."""
    return {label: f["ece"] for label, f in figures.items() if f["positives"] >= LEAST_POSITIVES}


def plot(values: NDArray[np.float64], rows: Material, figures: Figures) -> alt.ConcatChart:
    """One small plot a frequent label. values: columns as LABELS."""
    charts = []
    for label, error in frequent(figures).items():
        points = reliability(values[:, LABELS.index(label)], rows.targets[:, HEADS.index(label)])
        charts.append(_small_plot(f"{label} ({error:.3f})", points))
    return alt.concat(*charts, columns=_COLUMNS)


def _small_plot(title: str, points: Sequence[tuple[float, float, int]]) -> alt.LayerChart:
    ends = alt.InlineData(values=[{"probability": 0, "share": 0}, {"probability": 1, "share": 1}])
    rows = alt.InlineData(values=[{"probability": p, "share": f, "segments": n} for p, f, n in points])
    x = alt.X("probability:Q", scale=alt.Scale(domain=[0, 1]), title=None)
    y = alt.Y("share:Q", scale=alt.Scale(domain=[0, 1]), title=None)
    diagonal = alt.Chart(ends).mark_line(color="#999", strokeDash=[3, 3]).encode(x, y)
    size = alt.Size("segments:Q", scale=alt.Scale(type="sqrt", range=[8, 120]), legend=None)
    dots = alt.Chart(rows).mark_point(filled=True, color="#1f4e79", opacity=1).encode(x, y, size)
    together: alt.LayerChart = (diagonal + dots).properties(
        width=_SIDE, height=_SIDE, title=alt.Title(title, fontSize=9)
    )
    return together


def _describe(errors: dict[str, float]) -> str:
    if not errors:
        return f"no label has {LEAST_POSITIVES} positives"
    worst = max(errors, key=lambda label: errors[label])
    return f"largest error of {len(errors)} labels with {LEAST_POSITIVES} positives: {errors[worst]:.3f} ({worst})"


if __name__ == "__main__":
    main()
