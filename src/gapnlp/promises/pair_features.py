"""What a matcher looks at: every customer segment beside every promise, as numbers.

All of it is matrix work over blocks of segments, so that a hundred thousand segments against hundreds of promises take
minutes: n-gram similarity, shared subjects of the lexicon, agreement of SERVQUAL dimensions, and sentiment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.preprocessing import normalize

from gapnlp.promises.subjects import SubjectReader, load_subjects, subject_reader
from gapnlp.records.labels import (
    CHURN,
    DIMENSIONS,
    GAPS,
    LABEL_INDEX,
    POLARITIES,
    SENTIMENTS,
    dimension_label,
    expectation_label,
    gap_label,
    sentiment_label,
)

Matrix = NDArray[np.float64]

_HASHED = 2**18
# (analyser, shortest, longest n-gram) by language.
_NGRAMS = {"en": ("char_wb", 3, 5), "pl": ("char_wb", 3, 5), "zh": ("char", 1, 3)}
_POLARITY = {p: [LABEL_INDEX[dimension_label(d, p)] for d in DIMENSIONS] for p in POLARITIES}
_OF_SEGMENT = (
    *(sentiment_label(s) for s in SENTIMENTS),
    expectation_label("unmet"),
    *(gap_label(g) for g in GAPS),
    CHURN,
)


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts of one language with what the classifier said of them.

    texts: normalised. contexts: the items they stand in, normalised (for copy: the same texts).
    values: calibrated probabilities, shape (n_texts, n_labels), columns as LABELS.
    """

    texts: Sequence[str]
    contexts: Sequence[str]
    values: Matrix


@dataclass(frozen=True, slots=True)
class _View:
    """Texts as matrices: n-grams (sparse, l2), subjects and themes by kind (0 or 1), dimensions by polarity."""

    ngrams: sp.csr_matrix
    subjects: Matrix
    faults: Matrix
    praises: Matrix
    themes: Matrix
    theme_faults: Matrix
    theme_praises: Matrix
    context_subjects: Matrix
    presence: Matrix
    negative: Matrix
    positive: Matrix
    labels: Matrix
    lengths: Matrix


FEATURES: tuple[str, ...] = (
    *(f"{x}{y}" for x in ("ngrams", "subjects") for y in ("", "_rank", "_behind", "_score")),
    "themes",
    "faults",
    "praises",
    "theme_faults",
    "theme_praises",
    "context_subjects",
    "rare_subjects",
    "dimensions",
    "negative_dimensions",
    "positive_dimensions",
    *(f"{x}*{y}" for x in ("ngrams", "subjects", "themes", "dimensions") for y in ("neg", "pos", "unmet")),
    *_OF_SEGMENT,
    "segment_length",
    "segment_without_subject",
    "promise_length",
)


class PairContext:
    """What all comparisons of a run share: how common n-grams are, and the subject readers; costly to build."""

    def __init__(self, languages: tuple[str, str], *, sample: Sequence[str]) -> None:
        """Learn from a sample of the texts.

        languages: of the segments and of the copy; where they differ, subjects and dimensions still speak.
        sample: some of the customers' texts and of the copy, normalised.
        """
        analyzer, low, high = _NGRAMS[languages[0]]
        self._hasher = HashingVectorizer(
            analyzer=analyzer, ngram_range=(low, high), n_features=_HASHED, alternate_sign=False, norm=None
        )
        self.of_segments, self.of_copy = subject_reader(languages[0]), subject_reader(languages[1])
        counts = self._count(sample)
        frequency = np.bincount(counts.indices, minlength=_HASHED)
        self._idf = np.log((1 + counts.shape[0]) / (1 + frequency)) + 1

    def _count(self, texts: Sequence[str]) -> sp.csr_matrix:
        """Count n-grams; the hasher itself refuses to read no texts at all."""
        return self._hasher.transform(texts).astype(np.float64) if len(texts) else sp.csr_matrix((0, _HASHED))

    def view(self, texts: Texts, subjects: SubjectReader) -> _View:
        """Turn texts into matrices."""
        counts = self._count(texts.texts)
        counts.data = np.log1p(counts.data) * self._idf[counts.indices]
        by_kind, by_theme = _read_subjects(texts.texts, subjects)
        contexts, _ = _read_subjects(texts.contexts, subjects)
        presence = sum(texts.values[:, columns] for columns in _POLARITY.values())
        return _View(
            ngrams=_unit_rows(counts),
            subjects=by_kind.max(axis=0),
            faults=by_kind[1],
            praises=by_kind[2],
            themes=by_theme.max(axis=0),
            theme_faults=by_theme[1],
            theme_praises=by_theme[2],
            context_subjects=contexts.max(axis=0),
            presence=np.asarray(presence),
            negative=texts.values[:, _POLARITY["neg"]],
            positive=texts.values[:, _POLARITY["pos"]],
            labels=texts.values[:, [LABEL_INDEX[x] for x in _OF_SEGMENT]],
            lengths=np.log1p([[len(t)] for t in texts.texts]).reshape(-1, 1),
        )


class PairReader:
    """Computes the features of segments against a fixed set of promises."""

    def __init__(self, context: PairContext, promises: Texts) -> None:
        """Look at the promises once."""
        self._context = context
        self._promises = context.view(promises, context.of_copy)
        held = self._promises.subjects.sum(axis=0)
        self._rarity = np.log((1 + len(promises.texts)) / (1 + held)) + 0.5

    def read(self, segments: Texts) -> Matrix:
        """Give the features of every pair, shape (n_segments, n_promises, n_features), in the order of FEATURES."""
        left, right = self._context.view(segments, self._context.of_segments), self._promises
        shape = (len(segments.texts), len(self._promises.lengths))
        found = {**self._similarities(left, right), **_of_segments(left, shape)}
        found["promise_length"] = np.broadcast_to(right.lengths[:, 0], shape)
        neg, pos = found[sentiment_label("neg")], found[sentiment_label("pos")]
        unmet = found[expectation_label("unmet")]
        for name in ("ngrams", "subjects", "themes", "dimensions"):
            for other, values in (("neg", neg), ("pos", pos), ("unmet", unmet)):
                found[f"{name}*{other}"] = found[name] * values
        return np.stack([found[name] for name in FEATURES], axis=-1)

    def _similarities(self, left: _View, right: _View) -> dict[str, Matrix]:
        size = np.sqrt(np.maximum(right.subjects.sum(axis=1), 1))
        themes = np.sqrt(np.maximum(right.themes.sum(axis=1), 1))
        judged = _unit_rows(right.presence)
        found = {
            "ngrams": np.asarray((left.ngrams @ right.ngrams.T).todense()),
            "subjects": left.subjects @ right.subjects.T / size,
            "themes": left.themes @ right.themes.T / themes,
            "faults": left.faults @ right.subjects.T / size,
            "praises": left.praises @ right.subjects.T / size,
            "theme_faults": left.theme_faults @ right.themes.T / themes,
            "theme_praises": left.theme_praises @ right.themes.T / themes,
            "context_subjects": left.context_subjects @ right.subjects.T / size,
            "rare_subjects": (left.subjects * self._rarity) @ right.subjects.T,
            "dimensions": _unit_rows(left.presence) @ judged.T,
            "negative_dimensions": left.negative @ judged.T,
            "positive_dimensions": left.positive @ judged.T,
        }
        for name in ("ngrams", "subjects"):
            found |= _beside_the_others(name, found[name])
        return found


def _read_subjects(texts: Sequence[str], reader: SubjectReader) -> tuple[Matrix, Matrix]:
    """Subjects and themes of each text, shape (3 kinds, n_texts, n_subjects) and (3, n_texts, n_themes)."""
    subjects = np.zeros((3, len(texts), len(_subject_index())))
    themes = np.zeros((3, len(texts), len(_theme_index())))
    first: dict[str, int] = {}
    for i, text in enumerate(texts):
        known = first.setdefault(text, i)
        if known != i:
            subjects[:, i], themes[:, i] = subjects[:, known], themes[:, known]
            continue
        for hit in reader.read(text):
            kind = KINDS.index(hit.kind)
            subjects[kind, i, _subject_index()[hit.subject]] = 1
            themes[kind, i, _theme_index()[hit.theme]] = 1
    return subjects, themes


KINDS = ("topic", "fault", "praise")


@cache
def _subject_index() -> dict[str, int]:
    return {key: i for i, key in enumerate(load_subjects())}


@cache
def _theme_index() -> dict[str, int]:
    return {theme: i for i, theme in enumerate(dict.fromkeys(s.theme for s in load_subjects().values()))}


def _unit_rows(values: Any) -> Any:
    """Scale rows to length 1; scikit-learn refuses to scale none."""
    return normalize(values) if values.shape[0] else values


def _beside_the_others(name: str, values: Matrix) -> dict[str, Matrix]:
    """How a promise does among all promises for the same segment: rank in [0, 1), distance to the best, z-score."""
    n = values.shape[1]
    if not n:
        return {f"{name}_{feature}": values for feature in ("rank", "behind", "score")}
    rank = (-values).argsort(axis=1, kind="stable").argsort(axis=1, kind="stable") / n
    spread = values.std(axis=1, keepdims=True) + 1e-6
    return {
        f"{name}_rank": rank,
        f"{name}_behind": values - values.max(axis=1, keepdims=True),
        f"{name}_score": (values - values.mean(axis=1, keepdims=True)) / spread,
    }


def _of_segments(view: _View, shape: tuple[int, int]) -> dict[str, Matrix]:
    """Features of the segment alone, repeated for every promise."""
    found = {name: np.broadcast_to(view.labels[:, [j]], shape) for j, name in enumerate(_OF_SEGMENT)}
    found["segment_length"] = np.broadcast_to(view.lengths, shape)
    found["segment_without_subject"] = np.broadcast_to(view.subjects.sum(axis=1, keepdims=True) == 0, shape)
    return found
