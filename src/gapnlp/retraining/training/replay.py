"""Texts written for the project, on which what is learnt must not change what the base says."""

from __future__ import annotations

import numpy as np

from gapnlp.retraining.written import read_written
from gapnlp.text.normalise import normalise

# Items replayed: at least so many, and as many as there are tickets.
_FEWEST_ITEMS = 300


def replay_documents(language: str, tickets: int, seed: int) -> tuple[tuple[str, ...], ...]:
    """Draw written items of a language, as documents of normalised segments."""
    items = [item for item in read_written("labelled", language) if item.segments]
    count = min(len(items), max(_FEWEST_ITEMS, tickets))
    drawn = np.sort(np.random.default_rng(seed).permutation(len(items))[:count])
    return tuple(tuple(normalise(s.text, language) for s in items[i].segments) for i in drawn)
