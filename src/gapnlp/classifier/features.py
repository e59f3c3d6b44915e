"""Character and word n-grams with TF-IDF weights, from a vocabulary that a bundle carries as plain text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from gapnlp.records.stand_ins import STAND_INS

# Words, and the marks that carry a tone of voice.
_WORD_PATTERN = r"(?u)\b\w+\b|[!?]"


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """One block of n-gram features: "char", "char_wb" (within word borders) or "word" n-grams, lower-cased.

    low, high: lengths of the n-grams. min_df: segments that an n-gram must occur in when the vocabulary is learnt.
    folded: whether it is blind to what says nothing of service: see `fold`.
    """

    analyzer: str
    low: int
    high: int
    min_df: int = 2
    folded: bool = False


_LATIN = (FeatureSpec("char_wb", 2, 5, folded=True), FeatureSpec("word", 1, 2, folded=True))
# The blocks of each language, in bundles and in adapters.
FEATURES: dict[str, tuple[FeatureSpec, ...]] = {
    "en": _LATIN,
    "pl": _LATIN,
    "zh": (FeatureSpec("char", 1, 3, folded=True),),
}


def fold(text: str) -> str:
    """Lower-case; every digit as 0, no diacritics, no words that stand for addresses. Characters keep their places.

    People leave diacritics out on phones, and which number, link or name is meant does not change what is said.
    """
    text = _ADDRESS_WORD.sub(lambda m: " " * len(m[0]), text)
    return "".join(map(_fold_character, text))


@lru_cache(maxsize=20_000)
def _fold_character(character: str) -> str:
    if character.isdigit():
        return "0"
    base = unicodedata.normalize("NFD", _UNDECOMPOSED.get(character, character))[0]
    return base.lower() if len(base.lower()) == 1 else base


_ADDRESS_WORD = re.compile(rf"\b(?:{'|'.join(STAND_INS)})\b")
# Letters with a stroke, which Unicode does not take apart, and another full stop.
_UNDECOMPOSED = {"。": ".", "ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D"}


def new_vectorizer(spec: FeatureSpec) -> TfidfVectorizer:
    """Build the block's vectoriser, not yet fitted: sublinear term frequency, l2-normalised rows."""
    words: dict[str, Any] = {"token_pattern": _WORD_PATTERN} if spec.analyzer == "word" else {}
    return TfidfVectorizer(
        analyzer=spec.analyzer,
        ngram_range=(spec.low, spec.high),
        min_df=spec.min_df,
        sublinear_tf=True,
        dtype=np.float32,
        preprocessor=fold if spec.folded else None,
        **words,
    )


def restored_vectorizer(spec: FeatureSpec, terms: Sequence[str], idf: NDArray[np.float32]) -> TfidfVectorizer:
    """Build the block's vectoriser as it was fitted: terms in column order, idf of shape (n_terms,)."""
    vectorizer = new_vectorizer(spec).set_params(vocabulary={term: i for i, term in enumerate(terms)})
    vectorizer.idf_ = idf
    return vectorizer


def character_weights(
    vectorizers: Sequence[TfidfVectorizer], weights: NDArray[np.float32], text: str
) -> NDArray[np.float64]:
    """Spread each n-gram's part of the log-odds over the characters it covers.

    weights: shape (n_heads, n_features). Returns shape (n_heads, n_characters); with the bias, a head's row sums to its
    log-odds, apart from n-grams that stand nowhere in the text as written (word borders).
    """
    spread = np.zeros((len(text), len(weights)))
    # Lower-cased character by character, so that positions stay (some capitals become two letters).
    small = "".join(low if len(low := c.lower()) == 1 else c for c in text)
    offset = 0
    for vectorizer in vectorizers:
        lowered = fold(text) if vectorizer.preprocessor is fold else small
        row = vectorizer.transform([text])
        values = dict(zip(row.indices.tolist(), row.data.tolist(), strict=True))
        for term in sorted(set(vectorizer.build_analyzer()(text)) & vectorizer.vocabulary_.keys()):
            covered = _occurrences(lowered, term, vectorizer.analyzer)
            if len(covered):
                column = vectorizer.vocabulary_[term]
                part = weights[:, offset + column].astype(float) * values[column] / len(covered)
                np.add.at(spread, covered, part)
        offset += len(vectorizer.vocabulary_)
    return spread.T


def _occurrences(text: str, term: str, analyzer: str) -> NDArray[np.intp]:
    """Positions of the characters that a term covers, each as often as it is covered."""
    pattern = r"\W+".join(map(re.escape, term.split(" "))) if analyzer == "word" else re.escape(term.strip())
    if analyzer == "word":
        pattern = rf"(?<!\w){pattern}(?!\w)"
    elif analyzer == "char_wb":  # a blank at an n-gram's end is the word's border
        pattern = (r"(?<!\S)" if term.startswith(" ") else "") + pattern + (r"(?!\S)" if term.endswith(" ") else "")
    places = [i for m in re.finditer(pattern, text) for i in range(m.start(), min(m.end(), len(text)))]
    return np.asarray(places, dtype=np.intp)


def encode(vectorizers: Sequence[TfidfVectorizer], texts: Sequence[str]) -> sp.csr_matrix:
    """Turn texts into one sparse matrix, shape (n_texts, n_features): the blocks side by side."""
    return sp.hstack([v.transform(texts) for v in vectorizers], format="csr", dtype=np.float32)
