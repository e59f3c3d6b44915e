"""fastText (Joulin et al. 2017), one classifier a label (`-loss ova`), as its tutorial does for many labels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.quality.peers.peer import Values
from benchmarks.quality.splits import Rows
from gapnlp.records.labels import LABELS

_PREFIX = "__label__"
# The tutorial's rate and word bigrams; more epochs, since the data are small; n-grams of characters for inflection.
_SETTINGS = {"lr": 0.5, "epoch": 25, "wordNgrams": 2, "dim": 100, "bucket": 200_000, "loss": "ova", "verbose": 0}
_CHARACTER_NGRAMS = {"minn": 2, "maxn": 5}
_CHINESE = re.compile(r"([\u3400-\u9fff])")


def score_fasttext(train: Rows, texts: Sequence[str]) -> Values:
    """Words and character n-grams; Chinese is cut into characters, since fastText knows blanks only."""
    fasttext: Any = import_module("fasttext")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "train.txt"
        path.write_text("".join(_line(t, row) for t, row in zip(train.texts, train.targets, strict=True)), "utf-8")
        # One thread: with more, the result differs each time.
        model = fasttext.train_supervised(str(path), thread=1, seed=0, **_SETTINGS, **_CHARACTER_NGRAMS)
    values = np.zeros((len(texts), len(LABELS)))
    for row, text in zip(values, texts, strict=True):
        # Not model.predict: with one text it fails on numpy 2, with several it gives all labels the first one's number.
        for probability, name in model.f.predict(_words(text) + "\n", -1, 0.0, "strict"):
            row[int(name.removeprefix(_PREFIX))] = probability
    return values


def _line(text: str, row: Sequence[int]) -> str:
    labels = " ".join(f"{_PREFIX}{i}" for i in range(len(LABELS)) if row[i])
    return f"{labels} {_words(text)}\n"


def _words(text: str) -> str:
    return " ".join(_CHINESE.sub(r" \1 ", text.lower()).split())
