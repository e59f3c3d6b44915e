"""Texts written for the project, on which what is learnt must not change what the base says."""

from __future__ import annotations

import numpy as np

from gapnlp.retraining.written import read_written
from gapnlp.text.normalise import normalise

# Items replayed, at most: some 800 segments. Their weight depends on the tickets, not on their number.
_MOST_ITEMS = 300


def replay_documents(language: str, seed: int) -> tuple[tuple[str, ...], ...]:
    """Draw written items of a language, as documents of normalised segments."""
    items = [item for item in read_written("labelled", language) if item.segments]
    drawn = np.sort(np.random.default_rng(seed).permutation(len(items))[:_MOST_ITEMS])
    return tuple(tuple(normalise(s.text, language) for s in items[i].segments) for i in drawn)
