"""What our classifier says of a set's rows, fold by fold, by a variant that never saw the fold's texts.

A fold is a fifth of the rows, chosen by the text itself, so copies fall into one fold. For each fold the linear recipe
is fitted on gold without items that occur in it; our labels on public texts, the written items and the further heads
are left out altogether.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from benchmarks.quality.linear_recipe import fit_on
from benchmarks.text_keys import compared_key, letters
from gapnlp.classifier.linear import LinearClassifier
from gapnlp.ingest.gold import GoldItem
from gapnlp.records.labels import Labels
from gapnlp.text.normalise import normalise
from gapnlp.text.segments import split_segments

FOLDS = 5
# Shorter segments ("Polecam!") are everybody's words; as whole items they are compared at any length.
_LEAST_LETTERS = 20
_SURE = 1e-4


@dataclass(frozen=True, slots=True)
class View:
    """One fold's classifier on all rows. labels: by row and segment; left_out: gold items that it was kept from.

    sentiments: mean probability over a row's segments, (n_rows, n_labels). features: mean and largest log-odds over its
    segments, (n_rows, 2 * n_labels).
    """

    labels: list[tuple[Labels, ...]]
    means: NDArray[np.float64]
    features: NDArray[np.float64]
    left_out: int


def fold_of(text: str) -> int:
    """Put a text into one of FOLDS folds, equal texts into the same."""
    return int(hashlib.sha256(compared_key(text).encode()).hexdigest()[:8], 16) % FOLDS


class Viewer:
    """Makes views, and fits each classifier once however many folds it serves."""

    def __init__(self, gold: Sequence[GoldItem]) -> None:
        """gold: the training split, all languages."""
        self._gold = gold
        self._fitted: dict[tuple[str, frozenset[str]], LinearClassifier] = {}

    def view_all(self, rows: Sequence[Mapping[str, Any]], language: str) -> list[View]:
        """One view a fold."""
        documents = [segments_of(r["text"], language) for r in rows]
        folds = [fold_of(r["text"]) for r in rows]
        return [
            self._view(documents, [r for r, f in zip(rows, folds, strict=True) if f == fold], language)
            for fold in range(FOLDS)
        ]

    def _view(self, documents: Sequence[Sequence[str]], held: Sequence[Mapping[str, Any]], language: str) -> View:
        seen = seen_items([g for g in self._gold if g.language == language], held)
        predictions = self._classifier(language, seen).predict(documents)
        ends = np.cumsum([len(d) for d in documents])
        spans = list(zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True))
        odds = logit(predictions.values.clip(_SURE, 1 - _SURE))
        return View(
            labels=[predictions.labels[a:b] for a, b in spans],
            means=np.vstack([predictions.values[a:b].mean(axis=0) for a, b in spans]),
            features=np.vstack([np.concatenate([odds[a:b].mean(axis=0), odds[a:b].max(axis=0)]) for a, b in spans]),
            left_out=len(seen),
        )

    def _classifier(self, language: str, seen: frozenset[str]) -> LinearClassifier:
        key = (language, seen)
        if key not in self._fitted:
            rest = [g for g in self._gold if g.language == language and g.id not in seen]
            self._fitted = {key: fit_on(rest, language)}  # only the last: classifiers are large
        return self._fitted[key]


def segments_of(text: str, language: str) -> list[str]:
    """Cut a text as the scorer does; one without a word is a segment of its own, so that every row has an answer."""
    return [normalise(s.text, language) for s in split_segments(text, language)] or [normalise(text, language)]


def seen_items(gold: Sequence[GoldItem], held: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """Find gold items that are a held row or hold one as a segment, by identifier."""
    keys, ids = {compared_key(r["text"]) for r in held}, {r["id"] for r in held}
    found = set()
    for item in gold:
        parts = [compared_key(s.text) for s in item.segments]
        telling = [p for p in parts if letters(p) >= _LEAST_LETTERS]
        if item.id in ids or compared_key(item.text) in keys or not keys.isdisjoint(telling):
            found.add(item.id)
    return frozenset(found)
