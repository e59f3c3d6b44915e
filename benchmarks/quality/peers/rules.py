"""Peers without learning worth the name: the most frequent answer, every label, and lists of words."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.quality.splits import Rows
from gapnlp.records.labels import CHURN, DIMENSIONS, EXPECTATIONS, GAPS, POLARITIES, SENTIMENTS, Labels

_KEYWORDS = Path(__file__).with_name("keywords.toml")


def answer_majority(train: Rows, rows: Rows) -> list[Labels]:
    """Give every segment the most frequent answer of train; what fewer than half have is "no"."""
    half = len(train.labels) / 2
    present = [d for d in DIMENSIONS if sum(d in x.dimensions for x in train.labels) > half]
    label = Labels(
        _most_frequent([x.sentiment for x in train.labels], SENTIMENTS),
        {d: _usual_polarity(train, d) for d in present},
        tuple(g for g in GAPS if sum(g in x.gaps for x in train.labels) > half),
        _most_frequent([x.expectation for x in train.labels], EXPECTATIONS),
        sum(x.churn for x in train.labels) > half,
    )
    return [label] * len(rows.texts)


def answer_all_positive(train: Rows, rows: Rows) -> list[Labels]:
    """Give every segment all labels: each dimension with its usual polarity, each gap, unmet, churn."""
    sentiment = _most_frequent([x.sentiment for x in train.labels], SENTIMENTS)
    label = Labels(sentiment, {d: _usual_polarity(train, d) for d in DIMENSIONS}, GAPS, "unmet", True)
    return [label] * len(rows.texts)


def answer_keywords(_train: Rows, rows: Rows) -> list[Labels]:
    """Look for words of lists that an analyst would type, as published SERVQUAL text pipelines do."""
    words = tomllib.loads(_KEYWORDS.read_text(encoding="utf-8"))[rows.language]
    return [_by_keywords(text.lower(), words) for text in rows.texts]


def _by_keywords(text: str, words: dict[str, list[str]]) -> Labels:
    hits = {key: sum(w in text for w in found) for key, found in words.items()}
    balance = hits["pos"] - hits["neg"]
    sentiment = "pos" if balance > 0 else "neg" if balance < 0 else "neu"
    polarity = "pos" if balance > 0 else "neg"
    return Labels(
        sentiment,
        {d: polarity for d in DIMENSIONS if hits[d]},
        tuple(g for g in GAPS if hits[g] and polarity == "neg"),
        "unmet" if hits["unmet"] and polarity == "neg" else "none",
        bool(hits[CHURN]),
    )


def _usual_polarity(train: Rows, dimension: str) -> str:
    return _most_frequent([x.dimensions.get(dimension, "") for x in train.labels], POLARITIES)


def _most_frequent(found: Sequence[str], known: Sequence[str]) -> str:
    counts = Counter(found)
    return max(known, key=lambda x: counts[x])
