"""F1 of the shipped bundles beside three baselines on the same rows, by language, with bootstrap intervals over items.

    python -m benchmarks.quality --gold path/to/gold

majority: the most frequent label everywhere (for labels said yes or no: yes, since "no" has F1 zero). keyword: short
lists of words, as published SERVQUAL text pipelines use. tfidf: character 2-5-grams and word 1-2-grams, one balanced
logistic regression a label, trained on the training split.
"""

from __future__ import annotations

import argparse
import json
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union

from gapnlp.classifier.measure import Measure, macro, measure
from gapnlp.ingest.gold import GoldItem, read_gold
from gapnlp.records.labels import CHURN, DIMENSIONS, EXPECTATIONS, GAPS, LANGUAGES, SENTIMENTS, Labels
from gapnlp.scoring.loading import load

Predictions = list[tuple[Labels, ...]]
Predictor = Callable[[Sequence[GoldItem], Sequence[GoldItem]], Predictions]

_REPLICATES = 500


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gold", type=Path, required=True, help="folder with train.jsonl and dev.jsonl")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    train, dev = list(read_gold(options.gold / "train.jsonl")), list(read_gold(options.gold / "dev.jsonl"))
    rows = [
        _row(name, language, predict, (_of(train, language), _of(dev, language)))
        for language in LANGUAGES
        for name, predict in PREDICTORS.items()
    ]
    if options.json:
        print(json.dumps(rows, indent=1))
        return
    for row in rows:
        print(" ".join(f"{v:.3f}" if isinstance(v, float) else f"{v:10}" for v in row.values()))


def _of(items: Sequence[GoldItem], language: str) -> list[GoldItem]:
    return [i for i in items if i.language == language]


def _row(
    name: str, language: str, predict: Predictor, splits: tuple[list[GoldItem], list[GoldItem]]
) -> dict[str, str | float]:
    train, dev = splits
    predictions = predict(train, dev)
    result = _score(dev, predictions, range(len(dev)))
    draws = np.random.default_rng(0).integers(0, len(dev), (_REPLICATES, len(dev)))
    headlines = [_score(dev, predictions, draw).headline or 0.0 for draw in draws]
    low, high = np.percentile(headlines, [2.5, 97.5])
    figures = {
        "headline": result.headline,
        "low": float(low),
        "high": float(high),
        "dimensions_polarity": macro(result.dimensions_polarity),
        "gaps": macro(result.gaps),
        "sentiment": macro(result.sentiment),
        "unmet": result.expectation_unmet,
    }
    return {"language": language, "classifier": name, **{k: round(v or 0.0, 4) for k, v in figures.items()}}


def _score(dev: Sequence[GoldItem], predictions: Predictions, places: Sequence[int] | range) -> Measure:
    return measure((dev[i].labels, predictions[i]) for i in places)


def _shipped(_train: Sequence[GoldItem], dev: Sequence[GoldItem]) -> Predictions:
    return load().classify_gold(dev)


def _majority(train: Sequence[GoldItem], dev: Sequence[GoldItem]) -> Predictions:
    found = [x for i in train for x in i.labels]
    sentiment = max(SENTIMENTS, key=lambda s: sum(x.sentiment == s for x in found))
    polarity = {d: max(("neg", "pos"), key=lambda p: sum(x.dimensions.get(d) == p for x in found)) for d in DIMENSIONS}
    label = Labels(sentiment, polarity, GAPS, "unmet", True)
    return [(label,) * len(i.segments) for i in dev]


def _keyword(_train: Sequence[GoldItem], dev: Sequence[GoldItem]) -> Predictions:
    lists = tomllib.loads(Path(__file__).with_name("keywords.toml").read_text(encoding="utf-8"))
    return [tuple(_by_keywords(s.text.lower(), lists[i.language]) for s in i.segments) for i in dev]


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


def _tfidf(train: Sequence[GoldItem], dev: Sequence[GoldItem]) -> Predictions:
    labels = [x for i in train for x in i.labels]
    features = make_union(
        TfidfVectorizer(analyzer="char", ngram_range=(2, 5), min_df=2, sublinear_tf=True),
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
    )
    seen = features.fit_transform([s.text for i in train for s in i.segments])
    new = features.transform([s.text for i in dev for s in i.segments])

    def fit(target: list[str] | list[bool], rows: list[int] | None = None) -> list[str] | list[bool]:
        model = make_pipeline(LogisticRegression(class_weight="balanced", solver="lbfgs", max_iter=300))
        chosen = rows if rows is not None else list(range(len(labels)))
        answer: list[str] | list[bool] = model.fit(seen[chosen], [target[r] for r in chosen]).predict(new).tolist()
        return answer

    presence = {d: fit([d in x.dimensions for x in labels]) for d in DIMENSIONS}
    polarity = {}
    for d in DIMENSIONS:
        judged = [r for r, x in enumerate(labels) if d in x.dimensions]
        polarity[d] = fit([x.dimensions.get(d, "") for x in labels], judged)
    gaps = {g: fit([g in x.gaps for x in labels]) for g in GAPS}
    sentiment, churn = fit([x.sentiment for x in labels]), fit([x.churn for x in labels])
    expectation = {e: fit([x.expectation == e for x in labels]) for e in EXPECTATIONS[1:]}
    flat = [
        Labels(
            str(sentiment[k]),
            {d: str(polarity[d][k]) for d in DIMENSIONS if presence[d][k]},
            tuple(g for g in GAPS if gaps[g][k]),
            next((e for e in EXPECTATIONS[1:] if expectation[e][k]), "none"),
            bool(churn[k]),
        )
        for k in range(new.shape[0])
    ]
    rest = iter(flat)
    return [tuple(next(rest) for _ in i.segments) for i in dev]


PREDICTORS: dict[str, Predictor] = {"gapnlp": _shipped, "tfidf": _tfidf, "keyword": _keyword, "majority": _majority}

if __name__ == "__main__":
    main()
