"""Predictions -> the table: figures with intervals, and how far ahead of the peers we are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.quality.counting import (
    FIGURES,
    LABEL_FIGURES,
    Counts,
    Estimate,
    Values,
    count_items,
    draw_weights,
    estimate,
    figures,
)
from benchmarks.quality.running import TUNED, Answered
from benchmarks.quality.splits import Rows


@dataclass(frozen=True, slots=True)
class Row:
    """One classifier on one language's rows."""

    name: str
    detail: str
    ours: bool
    figures: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True)
class Difference:
    """One of our bundles minus one peer, on the same bootstrap replicates.

    at_most_zero: share of replicates in which the headline's difference is not above zero.
    """

    name: str
    peer: str
    figures: Mapping[str, Estimate]
    at_most_zero: float


@dataclass(frozen=True, slots=True)
class LanguageTable:
    """All rows of one language, ours first. positives: figure -> how many gold segments (or items) hold the label."""

    language: str
    items: int
    segments: int
    positives: Mapping[str, int]
    rows: tuple[Row, ...]
    differences: tuple[Difference, ...]


def build_table(dev: Rows, answered: Sequence[Answered], *, replicates: int) -> LanguageTable:
    """Count, resample, compare. Every classifier meets the same replicates."""
    gold = [item.labels for item in dev.items]
    weights = draw_weights(len(gold), replicates)
    counts = [count_items(gold, a.predictions) for a in answered]
    values = [figures(c) for c in counts]
    draws = [figures(c, weights) for c in counts]
    rows = [
        Row(a.name, a.detail, a.ours, {f: estimate(v[f][0], d[f]) for f in FIGURES})
        for a, v, d in zip(answered, values, draws, strict=True)
    ]
    compared = [
        _difference((answered[i].name, answered[j].name), (values[i], values[j]), (draws[i], draws[j]))
        for i, j in _pairs(rows)
    ]
    return LanguageTable(dev.language, len(gold), len(dev.texts), _positives(counts[0]), tuple(rows), tuple(compared))


def _pairs(rows: Sequence[Row]) -> list[tuple[int, int]]:
    """Each of ours with the best peer of all, and with the best of those in their usual form, by headline."""
    peers = [j for j, row in enumerate(rows) if not row.ours]
    usual = [j for j in peers if not rows[j].name.endswith(TUNED)]
    best = [max(found, key=lambda j: rows[j].figures["headline"].value or 0.0) for found in (peers, usual) if found]
    return [(i, j) for i, row in enumerate(rows) if row.ours for j in dict.fromkeys(best)]


def _difference(
    names: tuple[str, str], values: tuple[dict[str, Values], ...], draws: tuple[dict[str, Values], ...]
) -> Difference:
    (ours, peer), (our_draws, peer_draws) = values, draws
    found = {f: estimate(float(ours[f][0] - peer[f][0]), our_draws[f] - peer_draws[f]) for f in FIGURES}
    ahead = our_draws["headline"] - peer_draws["headline"]
    return Difference(names[0], names[1], found, round(float(np.mean(ahead <= 0)), 4))


def _positives(counts: Counts) -> dict[str, int]:
    sums = counts[..., [0, 2]].sum(axis=(0, 2))
    return dict(zip(LABEL_FIGURES, sums.tolist(), strict=True))
