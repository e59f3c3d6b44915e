"""Whether a file is like what a bundle was trained on: its label shares, its words, and how sure the bundle is.

A difference alone says little: every industry differs from the mixture that a bundle was trained on. So the training
data's own domains are the measure. A figure beyond what they show, each read by a classifier that knew it, is "new";
one beyond what they show when held out of training is "beyond": there the bundle was never measured.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, stdtrit

from gapnlp.classifier.decision import expected_errors
from gapnlp.classifier.linear import LinearClassifier
from gapnlp.records.analysis import Analysis
from gapnlp.records.drift import DRIFT_FIGURES, DriftFigure, DriftGroup, DriftReference, LabelShift, LanguageDrift
from gapnlp.records.feedback import Feedback
from gapnlp.records.labels import LABELS
from gapnlp.retraining.drift_figures import count_unknown, share_distance, word_vectorizer
from gapnlp.text.normalise import normalise

Floats = NDArray[np.float64]

# Fewer segments say nothing of a file.
LEAST_SEGMENTS = 50
# Fewer domains say nothing of how far domains differ.
LEAST_GROUPS = 3
# Items that are looked at; more would not make the figures sharper than the limits they are held against.
MOST_ITEMS = 5_000
# Files that are no different, and yet one of whose figures is marked.
FALSE_ALARMS = 0.05
STATES = ("usual", "unknown", "new", "beyond")
_REPLICATES = 400
_SHIFTS = 5
# Figures that lie in [0, 1] are compared as log-odds, others as logarithms, on which domains spread evenly.
_SHARES = ("unknown", "abstained")
_SMALLEST = 1e-4
_COLUMNS = ("segments", "words", "unknown", "abstained", "doubt")


@dataclass(frozen=True, slots=True)
class ItemRows:
    """One row an item: sums of its segments' probabilities (n_items, n_labels), and of _COLUMNS (n_items, 5)."""

    probabilities: Floats
    sums: Floats


def draw_items(items: Iterable[Feedback], *, most: int = MOST_ITEMS, seed: int = 0) -> list[Feedback]:
    """Draw at most so many items at random, each as likely as any other, in their order (Vitter 1985)."""
    kept: list[tuple[int, Feedback]] = []
    chance = random.Random(seed)
    for place, item in enumerate(items):
        if place < most:
            kept.append((place, item))
        elif (at := chance.randrange(place + 1)) < most:
            kept[at] = (place, item)
    return [item for _, item in sorted(kept, key=lambda entry: entry[0])]


def count_items(analyses: Sequence[Analysis], classifier: LinearClassifier) -> ItemRows:
    """Count what the figures need of one language's items."""
    vectorizer = word_vectorizer(classifier.vectorizers)
    kept = [a for a in analyses if a.segments]
    values = np.array([s.probabilities for a in kept for s in a.segments]).reshape(-1, len(LABELS))
    texts = [normalise(s.segment.text, a.language) for a in kept for s in a.segments]
    words = count_unknown(texts, vectorizer, vectorizer.vocabulary_)
    abstained = [s.abstained for a in kept for s in a.segments]
    rows = np.column_stack(
        [np.ones(len(values)), words[:, 1], words[:, 0], abstained, expected_errors(values, classifier.thresholds)]
    )
    items = np.repeat(np.arange(len(kept)), [len(a.segments) for a in kept])
    return ItemRows(_sum_by(items, values, len(kept)), _sum_by(items, rows, len(kept)))


def _sum_by(items: NDArray[np.intp], rows: Floats, count: int) -> Floats:
    sums = np.zeros((count, rows.shape[1]))
    np.add.at(sums, items, rows)
    return sums


def compare(rows: ItemRows, reference: DriftReference | None, *, language: str, model: str) -> LanguageDrift:
    """Compare a file's items of one language with the training data.

    A figure's lower end is what counts: a small file differs by chance alone, which a bootstrap over its items shows.
    """
    segments = int(rows.sums[:, 0].sum())
    items = len(rows.sums)
    if reference is None or segments < LEAST_SEGMENTS:
        return LanguageDrift(language, model, items, segments, (), (), "unknown")
    weights = np.random.default_rng(0).multinomial(items, np.full(items, 1 / items), size=_REPLICATES).astype(float)
    shares = np.array([reference.shares[label] for label in LABELS])
    found = _figures(np.ones((1, items)), rows, shares)
    replicates = _figures(weights, rows, shares)
    figures = tuple(
        _judge(name, float(found[name][0]), replicates[name], reference=reference) for name in DRIFT_FIGURES
    )
    state = max((f.state for f in figures), key=STATES.index)
    return LanguageDrift(language, model, items, segments, figures, _shifts(rows, reference), state)


def _figures(weights: Floats, rows: ItemRows, reference: Floats) -> dict[str, Floats]:
    """Work the figures out for each weighting of the items: name -> shape (n_weightings,)."""
    segments, words, unknown, abstained, doubt = (weights @ rows.sums).T
    shares = (weights @ rows.probabilities) / np.maximum(segments, 1)[:, None]
    return {
        "labels": share_distance(shares, reference),
        "unknown": unknown / np.maximum(words, 1),
        "abstained": abstained / np.maximum(segments, 1),
        "doubt": doubt / np.maximum(segments, 1),
    }


def _judge(name: str, value: float, replicates: Floats, *, reference: DriftReference) -> DriftFigure:
    """Hold a figure against the domains of the training data."""
    # Chance makes every distance larger, and resampling does so once more: what it adds is taken off.
    excess = max(0.0, float(replicates.mean()) - value) if name == "labels" else 0.0
    low = max(0.0, value - excess - 1.645 * float(replicates.std(ddof=1)))
    usual = upper_limit(name, reference.known)
    limit = upper_limit(name, reference.new)
    if usual is not None and limit is not None:
        limit = max(usual, limit)
    state = "unknown" if usual is None else "usual" if low <= usual else "new"
    if limit is not None and low > limit:
        state = "beyond"
    return DriftFigure(name, value, low, reference.figures[name], usual, limit, state)


def upper_limit(name: str, groups: Sequence[DriftGroup]) -> float | None:
    """Give the value that the next domain of this kind exceeds with a chance of FALSE_ALARMS over all figures.

    A prediction limit for one more normal draw (Hahn and Meeker 1991), on the log-odds or log scale: wide where few
    domains were measured. None with fewer than LEAST_GROUPS.
    """
    if len(groups) < LEAST_GROUPS:
        return None
    values = np.clip([g.figures[name] for g in groups], _SMALLEST, 1 - _SMALLEST if name in _SHARES else None)
    scaled = logit(values) if name in _SHARES else np.log(values)
    n = len(groups)
    quantile = float(stdtrit(n - 1, 1 - FALSE_ALARMS / len(DRIFT_FIGURES)))
    end = float(scaled.mean()) + quantile * float(scaled.std(ddof=1)) * (1 + 1 / n) ** 0.5
    return float(expit(end)) if name in _SHARES else float(np.exp(end))


def _shifts(rows: ItemRows, reference: DriftReference) -> tuple[LabelShift, ...]:
    """List the labels whose shares moved most, by their part in the distance."""
    shares = rows.probabilities.sum(axis=0) / max(1.0, float(rows.sums[:, 0].sum()))
    known = np.array([reference.shares[label] for label in LABELS])
    parts = [float(share_distance(shares[[j]], known[[j]])) for j in range(len(LABELS))]
    order = sorted(range(len(LABELS)), key=lambda j: -parts[j])[:_SHIFTS]
    return tuple(LabelShift(LABELS[j], float(known[j]), float(shares[j])) for j in order)


def read_reference(plain: Mapping[str, Any]) -> DriftReference:
    """Read a reference as a card or a file holds it. Raises KeyError or TypeError on anything else."""
    reference = DriftReference(
        segments=int(plain["segments"]),
        shares=dict(plain["shares"]),
        figures=dict(plain["figures"]),
        known=tuple(DriftGroup(**group) for group in plain["known"]),
        new=tuple(DriftGroup(**group) for group in plain["new"]),
    )
    missing = set(LABELS) - set(reference.shares)
    if missing or set(reference.figures) != set(DRIFT_FIGURES):
        raise KeyError(f"labels {sorted(missing)} or figures")
    return reference
