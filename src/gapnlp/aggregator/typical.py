"""Choose the sentences to show for a topic: a few typical ones, then the strongest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gapnlp.aggregator.evidence import EvidenceBook, Rank, Topic, normalise_text, text_key
from gapnlp.records.report import Evidence

TYPICAL = 3


def pick_evidence(book: EvidenceBook, topic: Topic) -> tuple[Evidence, ...]:
    """List a topic's evidence: the strongest sentences, then typical ones; no text twice."""
    sample = book.sample.get(topic)
    typical = pick_typical(sample.ranked()) if sample else ()
    shown = {text_key(e.text) for e in typical}
    strongest = book.strongest.get(topic)
    ranked = [e for _, e in strongest.ranked() if text_key(e.text) not in shown] if strongest else []
    return (*ranked, *typical)


def pick_typical(sample: Sequence[tuple[Rank, Evidence]], *, count: int = TYPICAL) -> tuple[Evidence, ...]:
    """Choose up to `count` sentences that stand for the sample best.

    Greedy choice of medoids by facility location (Nemhauser, Wolsey and Fisher 1978): each next sentence is the one
    that brings the sample's sentences closest, on average, to their nearest chosen one. Sentences of poor length
    (first in the rank) are only used where there are no others.
    """
    good = [evidence for rank, evidence in sample if rank[0] == 0] or [evidence for _, evidence in sample]
    similarity = trigram_similarity([e.text for e in good])
    chosen: list[int] = []
    nearest = np.zeros(len(good))
    while len(chosen) < min(count, len(good)):
        gain = np.maximum(similarity, nearest).sum(axis=1)
        gain[chosen] = -1.0
        best = int(np.argmax(gain))
        chosen.append(best)
        nearest = np.maximum(nearest, similarity[best])
    return tuple(good[i] for i in chosen)


def trigram_similarity(texts: Sequence[str]) -> NDArray[np.float64]:
    """Jaccard similarity of the sets of three-character runs, in [0, 1], shape (n_texts, n_texts)."""
    grams = [_trigrams(normalise_text(text)) for text in texts]
    similarity = np.eye(len(texts))
    for i, left in enumerate(grams):
        for j in range(i):
            shared = len(left & grams[j])
            similarity[i, j] = similarity[j, i] = shared / (len(left) + len(grams[j]) - shared)
    return similarity


def _trigrams(text: str) -> frozenset[str]:
    return frozenset(text[i : i + 3] for i in range(max(1, len(text) - 2)))
