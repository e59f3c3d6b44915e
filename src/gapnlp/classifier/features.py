"""Character and word n-grams with TF-IDF weights, from a vocabulary that a bundle carries as plain text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

# Words, and the marks that carry a tone of voice.
_WORD_PATTERN = r"(?u)\b\w+\b|[!?]"


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """One block of n-gram features: "char", "char_wb" (within word borders) or "word" n-grams, lower-cased.

    low, high: lengths of the n-grams. min_df: segments that an n-gram must occur in when the vocabulary is learnt.
    """

    analyzer: str
    low: int
    high: int
    min_df: int = 2


def new_vectorizer(spec: FeatureSpec) -> TfidfVectorizer:
    """Build the block's vectoriser, not yet fitted: sublinear term frequency, l2-normalised rows."""
    words: dict[str, Any] = {"token_pattern": _WORD_PATTERN} if spec.analyzer == "word" else {}
    return TfidfVectorizer(
        analyzer=spec.analyzer,
        ngram_range=(spec.low, spec.high),
        min_df=spec.min_df,
        sublinear_tf=True,
        dtype=np.float32,
        **words,
    )


def restored_vectorizer(spec: FeatureSpec, terms: Sequence[str], idf: NDArray[np.float32]) -> TfidfVectorizer:
    """Build the block's vectoriser as it was fitted: terms in column order, idf of shape (n_terms,)."""
    vectorizer = new_vectorizer(spec).set_params(vocabulary={term: i for i, term in enumerate(terms)})
    vectorizer.idf_ = idf
    return vectorizer


def encode(vectorizers: Sequence[TfidfVectorizer], texts: Sequence[str]) -> sp.csr_matrix:
    """Turn texts into one sparse matrix, shape (n_texts, n_features): the blocks side by side."""
    return sp.hstack([v.transform(texts) for v in vectorizers], format="csr", dtype=np.float32)
