"""MiniLM as it comes: its sentence embeddings, unchanged, and one balanced logistic regression a label."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer
from sklearn.linear_model import LogisticRegression

from benchmarks.quality.peers.peer import Values
from benchmarks.quality.splits import Rows
from gapnlp.records.labels import LABELS
from training.bases import minilm_folder


def score_embedded(train: Rows, texts: Sequence[str]) -> Values:
    """Fit the heads on embeddings of the training texts; what train always or never holds is answered so."""
    seen, new = _embed(tuple(train.texts)), _embed(tuple(texts))
    values = np.zeros((len(texts), len(LABELS)))
    for j, target in enumerate(train.targets[:, : len(LABELS)].T):
        if 0 < target.sum() < len(target):
            model = LogisticRegression(class_weight="balanced", max_iter=1000).fit(seen, target)
            values[:, j] = model.predict_proba(new)[:, 1]
        else:
            values[:, j] = target[0]
    return values


# Every draw of a company has the same test texts.
@lru_cache(maxsize=2)
def _embed(texts: tuple[str, ...]) -> NDArray[np.float32]:
    body = SentenceTransformer(str(minilm_folder()), device="cpu")
    return np.asarray(body.encode(list(texts), show_progress_bar=False), dtype=np.float32)
