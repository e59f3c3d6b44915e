"""spaCy's text classifier for several labels, on a blank pipeline of the language, with its default model."""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import spacy
from spacy.training import Example
from thinc.api import fix_random_seed

from benchmarks.quality.peers.peer import Values
from benchmarks.quality.splits import Rows
from gapnlp.records.labels import LABELS

# Dropout as in spaCy's default configuration; ten rounds are past the point where its loss stops falling much.
_EPOCHS, _BATCH, _DROP = 10, 32, 0.1
_PIPE = "textcat_multilabel"


def score_textcat(train: Rows, texts: Sequence[str]) -> Values:
    """Train and predict on the CPU; Chinese is cut into characters, spaCy's default there."""
    fix_random_seed(0)
    nlp: Any = spacy.blank(train.language)
    component = nlp.add_pipe(_PIPE)
    for i in range(len(LABELS)):
        component.add_label(str(i))
    examples = [
        Example.from_dict(nlp.make_doc(text), {"cats": {str(i): float(row[i]) for i in range(len(LABELS))}})
        for text, row in zip(train.texts, train.targets, strict=True)
    ]
    optimiser = nlp.initialize(lambda: examples)
    for epoch in range(_EPOCHS):
        random.shuffle(examples)
        losses: dict[str, float] = {}
        for i in range(0, len(examples), _BATCH):
            nlp.update(examples[i : i + _BATCH], drop=_DROP, sgd=optimiser, losses=losses)
        print(f"textcat {train.language}: epoch {epoch + 1}/{_EPOCHS}, loss {losses[_PIPE]:.2f}", file=sys.stderr)
    return np.asarray([[doc.cats[str(i)] for i in range(len(LABELS))] for doc in nlp.pipe(texts)])
