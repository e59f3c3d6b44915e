"""Classifiers -> predictions on the development rows: our bundles, and each peer in its usual and its tuned form."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.quality.cache import Cache, split_digest
from benchmarks.quality.peers.peer import Peer, Values
from benchmarks.quality.splits import Predictions, Split, hold_out
from gapnlp.classifier.decision import Thresholds, decide
from gapnlp.records.labels import DIMENSIONS, EXPECTATIONS, GAPS
from gapnlp.scoring.loading import load
from training.operating_points import choose_thresholds

# What is usual: a label is given when it is more probable than not, the sentiment is the most probable one.
HALF = Thresholds(
    presence=dict.fromkeys(DIMENSIONS, 0.5),
    gaps=dict.fromkeys(GAPS, 0.5),
    expectations={e: 0.5 for e in EXPECTATIONS if e != "none"},
    sentiment=(1.0, 1.0, 1.0, 1.0),
    churn=0.5,
)
TUNED = "_tuned"
# What `choose_thresholds` gives a label with fewer than ten positives.
NEVER = 1.01


@dataclass(frozen=True, slots=True)
class Answered:
    """One classifier's predictions. name: unique in its language. detail: bundle version, or what the peer is."""

    name: str
    detail: str
    ours: bool
    predictions: Predictions


def answer_bundles(split: Split, qualities: Sequence[str], models: Path | None) -> Iterator[Answered]:
    """Label the development rows with the bundles, at each quality."""
    for quality in qualities:
        scorer = load(models, quality=quality)
        predictions = scorer.classify_gold(split.dev.items)
        yield Answered(quality, scorer.classifier(split.language).version, True, predictions)


def answer_peer(name: str, peer: Peer, split: Split, *, cache: Cache, tuned: bool = True) -> Iterator[Answered]:
    """Train a peer and label the development rows; what the cache holds is not made again.

    tuned: also a second form, whose thresholds are chosen on a fifth of train by a model of the other four fifths.
    """
    key = f"{split.language}-{{}}-{split_digest(split)}-{peer.source_digest()}"
    forms = {name: peer.summary}
    if tuned and not peer.gives_labels:
        forms[name + TUNED] = f"{peer.summary}; thresholds chosen on a fifth of train"
    found = {form: kept for form in forms if (kept := cache.read(key.format(form), split.dev)) is not None}
    if len(found) < len(forms):
        print(f"{split.language}: {name}", file=sys.stderr, flush=True)
        thresholds = _tuned_thresholds(peer, split, cache, key.format(name)) if len(forms) > 1 else None
        labelled = _label(peer, split, (HALF,) if thresholds is None else (HALF, thresholds))
        for form, predictions in zip(forms, labelled, strict=True):
            cache.write(key.format(form), split.dev, predictions)
            found[form] = predictions
    for form, summary in forms.items():
        yield Answered(form, summary, False, found[form])


def _label(peer: Peer, split: Split, cuts: Sequence[Thresholds]) -> list[Predictions]:
    """Label the development rows once for each set of thresholds."""
    if peer.gives_labels:
        return [split.dev.grouped(peer.function()(split.train, split.dev))]
    values: Values = peer.function()(split.train, split.dev.texts)
    return [split.dev.grouped(decide(values, cut)) for cut in cuts]


def _tuned_thresholds(peer: Peer, split: Split, cache: Cache, name: str) -> Thresholds:
    """Choose thresholds by F1 on held-out items of train; one half where those hold too few positives to choose."""
    kept = cache.read_thresholds(name)
    if kept is not None:
        return kept
    learnt_from, held = hold_out(split.train)
    chosen = choose_thresholds(peer.function()(learnt_from, held.texts), held.targets)
    thresholds = replace(
        chosen,
        presence=_or_half(chosen.presence),
        gaps=_or_half(chosen.gaps),
        expectations=_or_half(chosen.expectations),
        churn=_or_half({"churn": chosen.churn})["churn"],
    )
    cache.write_thresholds(name, thresholds)
    return thresholds


def _or_half(chosen: Mapping[str, float]) -> dict[str, float]:
    return {label: 0.5 if cut == NEVER else cut for label, cut in chosen.items()}
