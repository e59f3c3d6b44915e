"""How far a figure of quality would move with other items: bootstrap intervals over items.

Segments of one item are not independent, so items are drawn, with all their segments (cluster bootstrap, Davison and
Hinkley 1997). The headline and its parts are as `gapnlp.classifier.measure` defines them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from gapnlp.records.labels import DIMENSIONS, GAPS, Labels
from training.material import WRITTEN, Material

# What gets an interval, under the names of `decisions.figures`.
INTERVAL_FIGURES = (
    "headline",
    "dimensions_polarity_macro",
    "gaps_macro",
    "sentiment_macro",
    "expectation_unmet",
)
REPLICATES = 1000
LEVEL = 0.95
_JUDGED = ("neg", "neu", "pos")
# Columns of the counts: each dimension with its polarity, each gap, each sentiment, unmet.
_PARTS = (
    slice(0, len(DIMENSIONS)),
    slice(len(DIMENSIONS), len(DIMENSIONS) + len(GAPS)),
    slice(len(DIMENSIONS) + len(GAPS), len(DIMENSIONS) + len(GAPS) + len(_JUDGED)),
    slice(-1, None),
)

Pair = tuple[Sequence[Labels], Sequence[Labels]]
Counts = NDArray[np.int64]


def material_intervals(material: Material, predicted: Sequence[Labels]) -> dict[str, list[float]]:
    """Give the intervals of what `Material.measure` measures: written items left out.

    predicted: one a row of the material.
    """
    starts = np.concatenate([[0], np.cumsum(material.lengths)])
    spans = zip(material.records, starts[:-1], starts[1:], strict=True)
    return bootstrap_intervals((r.labels, predicted[a:b]) for r, a, b in spans if r.stratum != WRITTEN)


def bootstrap_intervals(
    pairs: Iterable[Pair], *, replicates: int = REPLICATES, seed: int = 0
) -> dict[str, list[float]]:
    """95 % percentile intervals of the headline and its four parts, name -> [low, high] in [0, 1], to four digits.

    pairs: gold and predicted labels, one pair an item, as `measure` takes them. A figure that cannot be measured in any
    replicate is left out; without items nothing is given.
    """
    counts = np.array([_item_counts(gold, guess) for gold, guess in pairs], dtype=np.int64)
    if not len(counts):
        return {}
    rng, even = np.random.default_rng(seed), np.full(len(counts), 1 / len(counts))
    # One replicate at a time: all at once would hold replicates times items in memory.
    drawn = [np.tensordot(rng.multinomial(len(counts), even), counts, axes=1) for _ in range(replicates)]
    found = interval_figures(np.array(drawn))
    tails = (100 * (1 - LEVEL) / 2, 100 * (1 + LEVEL) / 2)
    return {
        name: [round(float(x), 4) for x in np.nanpercentile(column, tails)]
        for name, column in zip(INTERVAL_FIGURES, found.T, strict=True)
        if not np.isnan(column).all()
    }


def _item_counts(gold: Sequence[Labels], predicted: Sequence[Labels]) -> Counts:
    """Hits, false alarms and misses of one item, shape (n_columns, 3)."""
    counts = np.zeros((len(DIMENSIONS) + len(GAPS) + len(_JUDGED) + 1, 3), dtype=np.int64)
    for g, p in zip(gold, predicted, strict=True):
        truth, guess = _statements(g), _statements(p)
        if g.sentiment == "mixed":  # left out of the sentiment's figure, as the measure defines
            truth, guess = ([x for x in s if x[0] not in _SENTIMENT_COLUMNS] for s in (truth, guess))
        for column, value in truth:
            counts[column, 0 if (column, value) in guess else 2] += 1
        for column, value in guess:
            counts[column, 1] += (column, value) not in truth
    return counts


_SENTIMENT_COLUMNS = range(_PARTS[2].start, _PARTS[2].stop)


def _statements(labels: Labels) -> list[tuple[int, str]]:
    """List what a segment's labels assert: (column, polarity or nothing)."""
    found = [(DIMENSIONS.index(d), polarity) for d, polarity in labels.dimensions.items()]
    found += [(_PARTS[1].start + GAPS.index(g), "") for g in labels.gaps]
    if labels.sentiment in _JUDGED:
        found.append((_SENTIMENT_COLUMNS[_JUDGED.index(labels.sentiment)], ""))
    if labels.expectation == "unmet":
        found.append((_SENTIMENT_COLUMNS.stop, ""))
    return found


def interval_figures(counts: Counts) -> NDArray[np.float64]:
    """Turn counts (n_replicates, n_columns, 3) into F1, columns as INTERVAL_FIGURES; nan where nothing is known."""
    hits, alarms, misses = (counts[..., i] for i in range(3))
    total = 2 * hits + alarms + misses
    f1 = np.where(total > 0, 2 * hits / np.maximum(total, 1), np.nan)
    parts = np.column_stack([_known_mean(f1[:, part]) for part in _PARTS])
    return np.column_stack([_known_mean(parts), parts])


def _known_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of each row over what is not nan; nan where all is."""
    known = ~np.isnan(values)
    mean: NDArray[np.float64] = np.where(known, values, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.where(known.any(axis=1), mean, np.nan)
