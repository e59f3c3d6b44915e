"""Reliability plots show each frequent label, with bins worked out by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from benchmarks.calibration import frequent, plot
from gapnlp.records.labels import HEADS, LABELS
from training.calibration import calibration_figures

LABEL = "gap:delivery"


def test_only_frequent_labels_are_plotted_and_their_dots_are_the_bins(tmp_path):
    values = np.zeros((200, len(LABELS)))
    targets = np.zeros((200, len(HEADS)), dtype=np.int8)
    values[:100, LABELS.index(LABEL)], values[100:, LABELS.index(LABEL)] = 0.2, 0.7
    targets[:30, HEADS.index(LABEL)] = targets[100:170, HEADS.index(LABEL)] = 1
    figures = calibration_figures(values, targets)
    assert frequent(figures) == {LABEL: 0.05}
    chart = plot(values, SimpleNamespace(targets=targets), figures)
    drawn = chart.to_dict()
    (small,) = drawn["concat"]
    dots = next(x for x in small["layer"] if x["mark"]["type"] == "point")
    rows = drawn["datasets"][dots["data"]["name"]]
    found = [(round(d["probability"], 6), d["share"], d["segments"]) for d in rows]
    assert found == [(0.2, 0.3, 100), (0.7, 0.7, 100)]
    assert small["title"]["text"] == f"{LABEL} (0.050)"
    chart.save(str(tmp_path / "plot.png"))
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
