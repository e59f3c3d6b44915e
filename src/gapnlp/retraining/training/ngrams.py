"""The n-grams of a user's tickets: those that occur in several tickets, so that no ticket's words stand alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from gapnlp.classifier.adapted import Adapter
from gapnlp.classifier.features import FEATURES, FeatureSpec, encode, new_vectorizer, restored_vectorizer
from gapnlp.retraining.training.bags import Bags

# N-grams kept, those of the most tickets first.
MOST_NGRAMS = 20_000
# Tickets, with different texts, that an n-gram must occur in.
FEWEST_TICKETS = 2


def fit_ngrams(bags: Bags, language: str, prior: Adapter | None) -> tuple[TfidfVectorizer, ...]:
    """Learn the language's blocks of n-grams on tickets; a block that would be empty is left out.

    prior: an earlier adapter, whose n-grams fill the places that the tickets' own leave free.
    """
    specs = FEATURES[language]
    chosen = _choose([_count_tickets(spec, bags) for spec in specs], specs, prior)
    texts = sorted(set(chain.from_iterable(bags.documents)))
    blocks = []
    for spec, terms in zip(specs, chosen, strict=True):
        if terms:
            fitted = new_vectorizer(spec).set_params(vocabulary=terms).fit(texts)
            blocks.append(restored_vectorizer(spec, terms, fitted.idf_.astype(np.float32)))
    return tuple(blocks)


def _choose(counts: Sequence[Counter[str]], specs: Sequence[FeatureSpec], prior: Adapter | None) -> list[list[str]]:
    """Choose the terms of each block, in alphabetical order."""
    ranked = sorted((-n, i, term) for i, found in enumerate(counts) for term, n in found.items() if n >= FEWEST_TICKETS)
    kept = [(i, term) for _, i, term in ranked[:MOST_NGRAMS]]
    known = set(kept)
    kept += [x for x in _earlier(specs, prior) if x not in known][: MOST_NGRAMS - len(kept)]
    return [sorted(term for block, term in kept if block == i) for i in range(len(specs))]


def _earlier(specs: Sequence[FeatureSpec], prior: Adapter | None) -> list[tuple[int, str]]:
    """List an earlier adapter's terms by block, the heaviest first."""
    if prior is None:
        return []
    block_of = {(spec.analyzer, (spec.low, spec.high)): i for i, spec in enumerate(specs)}
    weight = np.abs(prior.ngrams).sum(axis=0)
    found, column = [], 0
    for vectorizer in prior.vectorizers:
        block = block_of[vectorizer.analyzer, vectorizer.ngram_range]
        for term in vectorizer.vocabulary:
            found.append((-float(weight[column + vectorizer.vocabulary[term]]), block, term))
        column += len(vectorizer.vocabulary)
    return [(block, term) for _, block, term in sorted(found)]


def carry_over(prior: Adapter, vectorizers: Sequence[TfidfVectorizer]) -> NDArray[np.float64]:
    """Give an earlier adapter's n-gram weights as columns of new blocks; n-grams that are new have 0."""
    old = _columns(prior.vectorizers)
    new = _columns(vectorizers)
    found = np.zeros((len(prior.ngrams), len(new)))
    for key, column in new.items():
        if key in old:
            found[:, column] = prior.ngrams[:, old[key]]
    return found


def _columns(vectorizers: Sequence[TfidfVectorizer]) -> dict[tuple[str, str], int]:
    """Column of each block's term."""
    found: dict[tuple[str, str], int] = {}
    offset = 0
    for vectorizer in vectorizers:
        found |= {(vectorizer.analyzer, term): offset + i for term, i in vectorizer.vocabulary.items()}
        offset += len(vectorizer.vocabulary)
    return found


def _count_tickets(spec: FeatureSpec, bags: Bags) -> Counter[str]:
    """Count the tickets that hold each term; the same text again is not another ticket."""
    analyse = new_vectorizer(spec).build_analyzer()
    seen: set[tuple[str, ...]] = set()
    by_ticket: dict[int, set[str]] = {}
    for document, group in zip(bags.documents, bags.groups.tolist(), strict=True):
        if document not in seen:
            seen.add(document)
            by_ticket.setdefault(group, set()).update(*(analyse(text) for text in document))
    return Counter(chain.from_iterable(by_ticket.values()))


def encode_ngrams(vectorizers: Sequence[TfidfVectorizer], texts: Sequence[str]) -> sp.csr_matrix:
    """Turn texts into features, shape (n_texts, n_ngrams), which may be none."""
    if not vectorizers:
        return sp.csr_matrix((len(texts), 0), dtype=np.float64)
    return encode(vectorizers, texts).astype(np.float64)
