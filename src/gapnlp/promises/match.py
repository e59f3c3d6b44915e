"""Judging customer segments against promises: breaks, keeps, or says nothing about it.

Two logistic regressions over the pair features, one for each relation, and a check of quantities. What they learnt is
a small table in the promise bundle (JSON).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from gapnlp.errors import ModelError
from gapnlp.promises.comparing import Comparison, compare
from gapnlp.promises.detect import UNIT_FEATURES
from gapnlp.promises.pair_features import FEATURES, PairContext, PairReader, Texts
from gapnlp.promises.quantities import read_quantities
from gapnlp.records.promises import RELATIONS, Quantity, Verdict

Matrix = NDArray[np.float64]

QUANTITY_FEATURES = ("quantity_broken", "quantity_kept", "quantity_both")
MATCH_FEATURES = (*FEATURES, *QUANTITY_FEATURES)
FORMAT = 1
# Segments judged at once: memory is this times promises times features, whatever the input's length.
_BLOCK = 500


@dataclass(frozen=True, slots=True)
class Head:
    """One logistic regression: log-odds = ((x - centre) / scale) . weights + bias; yes from `threshold` on."""

    centre: Matrix
    scale: Matrix
    weights: Matrix
    bias: float
    threshold: float

    def probabilities(self, features: Matrix) -> Matrix:
        """Probability of yes, for features of shape (..., n_features)."""
        slope = self.weights / self.scale
        return np.asarray(expit(features @ slope + (self.bias - self.centre @ slope)))


@dataclass(frozen=True, slots=True)
class PromiseModel:
    """What was learnt for one language: is it a promise, is it puffery, does a segment break or keep it.

    errors: relation -> (tp, fp, fn) on held-out cases.
    """

    promise: Head
    puffery: Head
    relations: Mapping[str, Head]
    errors: Mapping[str, tuple[int, int, int]]


def read_models(content: bytes) -> dict[str, PromiseModel]:
    """Read the promise bundle's weights: language -> model.

    Raises ModelError when they are of another format or other features.
    """
    try:
        table = json.loads(content)
        known = (table["format"], tuple(table["unit_features"]), tuple(table["match_features"]))
        if known != (FORMAT, UNIT_FEATURES, MATCH_FEATURES):
            raise ValueError("other features")
        return {language: _model(entry) for language, entry in table["languages"].items()}
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"the promise bundle is not of format {FORMAT} ({error}); rebuild or reinstall it") from None


def _model(entry: Mapping[str, Any]) -> PromiseModel:
    return PromiseModel(
        _head(entry["promise"], len(UNIT_FEATURES)),
        _head(entry["puffery"], len(UNIT_FEATURES)),
        {r: _head(entry["relations"][r], len(MATCH_FEATURES)) for r in RELATIONS},
        {r: (int(e[0]), int(e[1]), int(e[2])) for r, e in entry["errors"].items()},
    )


def _head(entry: Mapping[str, Any], size: int) -> Head:
    arrays = [np.asarray(entry[k], dtype=np.float64) for k in ("centre", "scale", "weights")]
    if any(a.shape != (size,) for a in arrays):
        raise ValueError("a head has another number of weights than there are features")
    return Head(arrays[0], arrays[1], arrays[2], float(entry["bias"]), float(entry["threshold"]))


class Matcher:
    """Judges segments of one language against a fixed list of promises."""

    def __init__(
        self, languages: tuple[str, str], promises: Texts, *, model: PromiseModel, context: PairContext
    ) -> None:
        """Look at the promises once.

        languages: of the segments and of the copy, as the context was built for.
        """
        self._language = languages[0]
        self._model = model
        self._reader = PairReader(context, promises)
        self._promised = [read_quantities(t, languages[1]) for t in promises.texts]

    def judge(self, segments: Texts) -> list[tuple[tuple[int, Verdict], ...]]:
        """Say for each segment which promises it breaks or keeps: (place of the promise, verdict with an empty id)."""
        found: list[tuple[tuple[int, Verdict], ...]] = []
        for start in range(0, len(segments.texts), _BLOCK):
            rows = slice(start, start + _BLOCK)
            found += self._judge_block(Texts(segments.texts[rows], segments.contexts[rows], segments.values[rows]))
        return found

    def features(self, segments: Texts) -> tuple[Matrix, list[dict[int, tuple[Quantity, Comparison]]]]:
        """Features of every pair, shape (n_segments, n_promises, n_features), and the comparisons of quantities."""
        compared = [self._compare(text) for text in segments.texts]
        extra = np.zeros((len(segments.texts), len(self._promised), len(QUANTITY_FEATURES)))
        for i, row in enumerate(compared):
            for j, (_, comparison) in row.items():
                extra[i, j, 1 if comparison.kept else 0] = 1
                extra[i, j, 2] = 1
        return np.concatenate([self._reader.read(segments), extra], axis=-1), compared

    def _judge_block(self, segments: Texts) -> list[tuple[tuple[int, Verdict], ...]]:
        features, compared = self.features(segments)
        heads = self._model.relations
        values = {r: heads[r].probabilities(features) for r in RELATIONS}
        ratios = np.stack([values[r] / heads[r].threshold for r in RELATIONS])
        best, passed = ratios.argmax(axis=0), ratios.max(axis=0) >= 1
        return [
            tuple(
                (int(j), _verdict(RELATIONS[best[i, j]], values, (i, int(j)), compared[i].get(int(j))))
                for j in np.flatnonzero(passed[i])
            )
            for i in range(len(segments.texts))
        ]

    def _compare(self, text: str) -> dict[int, tuple[Quantity, Comparison]]:
        """Place of each promise whose quantity the segment's can be compared with: the worst comparison."""
        found: dict[int, tuple[Quantity, Comparison]] = {}
        told = read_quantities(text, self._language)
        for j, promised in enumerate(self._promised) if told else ():
            pairs = [(q, c) for p in promised for q in told if (c := compare(p, q)) is not None]
            if pairs:
                found[j] = max(pairs, key=lambda pair: pair[1].by)
        return found


def _verdict(
    relation: str,
    values: Mapping[str, Matrix],
    at: tuple[int, int],
    compared: tuple[Quantity, Comparison] | None,
) -> Verdict:
    probability = round(float(values[relation][at]), 4)
    if compared is None or compared[1].kept != (relation == "keeps"):
        return Verdict("", relation, probability)
    return Verdict("", relation, probability, compared[0], compared[1].by)
