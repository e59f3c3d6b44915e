"""The figures that drift is measured by: how far label shares moved, how much is unknown, how much is in doubt."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

Floats = NDArray[np.float64]

# Length of the character n-grams that stand for words where a bundle has no word features (Chinese).
_CHARACTERS = 2


def share_distance(shares: Floats, reference: Floats) -> Floats:
    """Distance of label shares: root of the mean Jensen-Shannon divergence over labels (Lin 1991), in [0, 1].

    Each label is compared as yes or no, in bits. shares: shape (..., n_labels); reference: (n_labels,).
    """
    middle = (shares + reference) / 2
    divergence = _entropy(middle) - (_entropy(shares) + _entropy(reference)) / 2
    distance: Floats = np.sqrt(np.maximum(divergence, 0).mean(axis=-1))
    return distance


def _entropy(shares: Floats) -> Floats:
    p = np.clip(shares, 1e-12, 1 - 1e-12)
    bits: Floats = -(p * np.log2(p) + (1 - p) * np.log2(1 - p))
    return bits


def count_unknown(texts: Iterable[str], vectorizer: TfidfVectorizer, known: Collection[str]) -> NDArray[np.int64]:
    """Count each text's unknown words and all its words, shape (n_texts, 2).

    Words are those of the vectoriser; of one without words (Chinese), pairs of characters stand for them.
    """
    analyse = vectorizer.build_analyzer()
    is_unit = _is_word if vectorizer.analyzer == "word" else _is_pair
    rows = []
    for text in texts:
        words = [unit for unit in analyse(text) if is_unit(unit)]
        rows.append((sum(word not in known for word in words), len(words)))
    return np.array(rows, dtype=np.int64).reshape(-1, 2)


def _is_word(unit: str) -> bool:
    return " " not in unit and any(c.isalpha() for c in unit)


def _is_pair(unit: str) -> bool:
    return len(unit) == _CHARACTERS and unit.isalpha()


def word_vectorizer(vectorizers: Sequence[TfidfVectorizer]) -> TfidfVectorizer:
    """Choose the block of features that words are looked up in: the word block, else the last one."""
    return next((v for v in vectorizers if v.analyzer == "word"), vectorizers[-1])
