"""The recipe of the linear bundles: `python -m training.linear --gold ../shared/gold --public ../shared/public`.

Per language: n-gram heads on gold segments (stage one), further heads on public labelled sets, then calibrated heads on
both in context (stage two). Thresholds and error rates come from out-of-fold predictions; the development split is only
measured. Deterministic: the same input gives the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from threadpoolctl import threadpool_limits

from gapnlp.classifier.bundle import FORMAT, choose_bundle, load_bundle, read_manifest
from gapnlp.classifier.context import context_features
from gapnlp.classifier.decision import decide
from gapnlp.classifier.features import FeatureSpec, encode, new_vectorizer
from gapnlp.classifier.linear import combine
from gapnlp.classifier.measure import Measure, macro, measure
from gapnlp.ingest.gold import GoldItem, read_gold
from gapnlp.records.labels import LABELS, LANGUAGES
from gapnlp.text.normalise import normalise
from training.auxiliary import Auxiliary, read_auxiliary, text_key
from training.bundle_files import write_bundle, write_manifest
from training.cards import render_card
from training.operating_points import choose_thresholds, count_errors
from training.share_errors import held_out_domains, measure_share_errors
from training.stages import Linear, fit_auxiliary, fit_first, fit_second, folds, join
from training.targets import target_matrix

RELEASE = "1.0.0"
_LATIN = (FeatureSpec("char_wb", 2, 5), FeatureSpec("word", 1, 2))
FEATURES: dict[str, tuple[FeatureSpec, ...]] = {"en": _LATIN, "pl": _LATIN, "zh": (FeatureSpec("char", 1, 3),)}
# Rows of public sets that an n-gram must occur in, to be kept though gold has it less than twice.
_AUXILIARY_MIN_DF = 20

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Gold:
    """Gold items of one language as flat rows.

    items: row -> number of its item. lengths: segments of each item. domains: row -> industry.
    """

    records: list[GoldItem]
    texts: list[str]
    items: NDArray[np.intp]
    lengths: list[int]
    targets: NDArray[np.int8]
    domains: NDArray[np.str_]
    random: NDArray[np.bool_]


def main(arguments: Sequence[str] | None = None) -> None:
    """Train the bundles asked for, measure them on the development split, write the manifest."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gold", type=Path, required=True, help="folder with train.jsonl and dev.jsonl")
    parser.add_argument("--public", type=Path, help="folder of the public sets; default: public beside the gold folder")
    parser.add_argument("--out", type=Path, default=Path("models"), help="models folder (default: models)")
    parser.add_argument("--language", choices=LANGUAGES, action="append", help="default: all")
    options = parser.parse_args(arguments)
    public = options.public or options.gold.parent / "public"
    with threadpool_limits(1):  # threads would sum in another order each time
        for language in options.language or LANGUAGES:
            _make_bundle(language, gold=options.gold, public=public, out=options.out)


def _make_bundle(language: str, *, gold: Path, public: Path, out: Path) -> None:
    started = time.perf_counter()
    train = load_gold(gold / "train.jsonl", language)
    further = read_auxiliary(public, language, banned=_banned(gold, language))
    print(f"{language}: {len(train.texts):,} gold segments, {len(further)} further heads", file=sys.stderr)
    vectorizers, tensors, card = _fit(language, train, further)
    card["fingerprint"] = _fingerprint(gold / "train.jsonl", further)
    folder = out / card["name"]
    vocabulary = [list(v.get_feature_names_out()) for v in vectorizers]
    write_bundle(folder, card=card, vocabulary=vocabulary, tensors=tensors, text_card="")
    write_manifest(out)
    card["metrics"] = _figures(_measure(out, gold / "dev.jsonl", language))
    write_bundle(folder, card=card, vocabulary=vocabulary, tensors=tensors, text_card=render_card(card))
    write_manifest(out)
    seconds = time.perf_counter() - started
    headline = card["metrics"]["headline"]
    found = "not measurable" if headline is None else f"{headline:.3f}"
    print(f"{language}: headline {found} on dev; {seconds:.0f} s", file=sys.stderr)


def load_gold(path: Path, language: str) -> Gold:
    """Read one language's gold items, normalised as the scorer does it."""
    records = [r for r in read_gold(path) if r.language == language]
    lengths = [len(r.segments) for r in records]
    return Gold(
        records=records,
        texts=[normalise(s.text, language) for r in records for s in r.segments],
        items=np.repeat(np.arange(len(records)), lengths),
        lengths=lengths,
        targets=target_matrix([x for r in records for x in r.labels]),
        domains=np.repeat([r.domain or "" for r in records], lengths),
        random=np.repeat([r.stratum == "random" for r in records], lengths),
    )


def _fit(
    language: str, train: Gold, further: Sequence[Auxiliary]
) -> tuple[tuple[TfidfVectorizer, ...], dict[str, NDArray[Any]], dict[str, Any]]:
    texts = {head.name: [normalise(t, language) for t in head.texts] for head in further}
    vectorizers = _fit_vectorizers(FEATURES[language], train.texts, sorted({t for x in texts.values() for t in x}))
    features = encode(vectorizers, train.texts)
    auxiliary = [fit_auxiliary(encode(vectorizers, texts[h.name]), h.targets) for h in further]
    first = join(fit_first(features, train.targets), auxiliary)
    logits = _out_of_fold_first(features, train, auxiliary)
    context = context_features(logits, train.texts, train.lengths)
    centre, scale = context.mean(axis=0), np.maximum(context.std(axis=0), 1e-6)
    standard = (context - centre) / scale
    second = fit_second(standard, train.targets)
    values = _out_of_fold_second(standard, train)
    thresholds = choose_thresholds(values, train.targets)
    gold_labels = [x for r in train.records for x in r.labels]
    errors = count_errors(gold_labels, decide(values, thresholds), train.random)
    elsewhere = _out_of_domain(features, train, auxiliary, (context, values))
    shares = measure_share_errors((values, elsewhere), train.targets, groups=(train.domains, train.random))
    tensors = {
        "first": first.weights.astype(np.float16),
        "first_bias": first.bias.astype(np.float32),
        "centre": centre,
        "scale": scale,
        "second": second.weights,
        "second_bias": second.bias,
        **{f"idf{i}": v.idf_.astype(np.float32) for i, v in enumerate(vectorizers)},
    }
    card = {
        "format": FORMAT,
        "name": f"linear-{language}",
        "kind": "linear",
        "language": language,
        "release": RELEASE,
        "labels": list(LABELS),
        "auxiliary": [{"name": h.name, "rows": len(h.texts), "positive": sum(h.targets)} for h in further],
        "features": [asdict(spec) for spec in FEATURES[language]],
        "thresholds": asdict(thresholds),
        "error_counts": {label: asdict(counts) for label, counts in errors.items()},
        "share_errors": {label: asdict(error) for label, error in shares.items()},
        "out_of_fold": _figures(_grouped(train, decide(values, thresholds))),
    }
    return vectorizers, tensors, card


def _fit_vectorizers(
    specs: Sequence[FeatureSpec], gold: Sequence[str], public: Sequence[str]
) -> tuple[TfidfVectorizer, ...]:
    """Learn the vocabulary from gold and public texts: frequent in either is enough."""
    fitted = []
    for spec in specs:
        terms = set(new_vectorizer(spec).fit(gold).vocabulary_)
        rare = FeatureSpec(spec.analyzer, spec.low, spec.high, _AUXILIARY_MIN_DF)
        terms |= set(new_vectorizer(rare).fit(public).vocabulary_) if len(public) >= _AUXILIARY_MIN_DF else set()
        vocabulary = {term: i for i, term in enumerate(sorted(terms))}
        fitted.append(new_vectorizer(spec).set_params(vocabulary=vocabulary).fit([*gold, *public]))
    return tuple(fitted)


def _out_of_fold_first(features: sp.csr_matrix, train: Gold, auxiliary: Sequence[Linear]) -> Matrix:
    logits = np.zeros((len(train.texts), train.targets.shape[1] + len(auxiliary)))
    for held in folds(train.items):
        layer = join(fit_first(features[~held], train.targets[~held]), auxiliary)
        logits[held] = layer.logits(features[held])
    return logits


def _out_of_fold_second(standard: Matrix, train: Gold) -> Matrix:
    values = np.zeros((len(train.texts), len(LABELS)))
    for held in folds(train.items):
        values[held] = combine(fit_second(standard[~held], train.targets[~held]).logits(standard[held]))
    return values


def _out_of_domain(
    features: sp.csr_matrix, train: Gold, auxiliary: Sequence[Linear], in_domain: tuple[Matrix, Matrix]
) -> Matrix:
    """Probabilities of each domain's segments by a classifier that saw no gold of that domain.

    in_domain: context features and probabilities out of fold; the latter stay for domains too small to hold out.
    """
    context, values = in_domain[0], in_domain[1].copy()
    for domain in held_out_domains(train.domains):
        held = train.domains == domain
        first = join(fit_first(features[~held], train.targets[~held]), auxiliary)
        places = [i for i, r in enumerate(train.records) if (r.domain or "") == domain]
        texts = [t for t, h in zip(train.texts, held, strict=True) if h]
        fresh = context_features(first.logits(features[held]), texts, [train.lengths[i] for i in places])
        centre, scale = context[~held].mean(axis=0), np.maximum(context[~held].std(axis=0), 1e-6)
        second = fit_second((context[~held] - centre) / scale, train.targets[~held])
        values[held] = combine(second.logits((fresh - centre) / scale))
    return values


def _grouped(gold: Gold, predicted: Sequence[Any]) -> Measure:
    starts = np.concatenate([[0], np.cumsum(gold.lengths)])
    return measure((r.labels, predicted[a:b]) for r, a, b in zip(gold.records, starts[:-1], starts[1:], strict=True))


def _measure(models: Path, dev: Path, language: str) -> Measure:
    """Measure the bundle as written, not the arrays in memory."""
    classifier = load_bundle(choose_bundle(read_manifest(models), language))
    gold = load_gold(dev, language)
    documents = [[normalise(s.text, language) for s in r.segments] for r in gold.records]
    return _grouped(gold, classifier.predict(documents).labels)


def _figures(result: Measure) -> dict[str, Any]:
    figures = asdict(result)
    figures["headline"] = result.headline
    for group in ("dimensions", "dimensions_polarity", "gaps", "sentiment", "item_dimensions", "item_gaps"):
        figures[f"{group}_macro"] = macro(figures[group])
    rounded: dict[str, Any] = json.loads(json.dumps(figures), parse_float=lambda x: round(float(x), 4))
    return rounded


def _banned(gold: Path, language: str) -> set[str]:
    """Keys of every gold text and segment, of train and dev: no further head may learn from them."""
    keys: set[str] = set()
    for split in ("train.jsonl", "dev.jsonl"):
        for item in read_gold(gold / split):
            if item.language == language:
                keys |= {text_key(item.text), *(text_key(s.text) for s in item.segments)}
    return keys


def _fingerprint(train: Path, further: Sequence[Auxiliary]) -> dict[str, str]:
    rows = hashlib.sha256()
    for head in further:
        for text, target in zip(head.texts, head.targets, strict=True):
            rows.update(f"{head.name}\t{int(target)}\t{text}\n".encode())
    return {
        "gold_sha256": hashlib.sha256(train.read_bytes()).hexdigest(),
        "auxiliary_sha256": rows.hexdigest(),
        "scikit-learn": version("scikit-learn"),
        "numpy": version("numpy"),
        "scipy": version("scipy"),
    }


if __name__ == "__main__":
    main()
