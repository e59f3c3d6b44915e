"""Bundles' files -> classifiers, by kind. Cards are JSON, weights safetensors or ONNX: nothing that can run code."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from sklearn.feature_extraction.text import TfidfVectorizer

from gapnlp.classifier.adapted import AdaptedClassifier, Adapter
from gapnlp.classifier.base import Classifier
from gapnlp.classifier.bundle import ADAPTER, FORMAT, BundleInfo, find_version, read_verified
from gapnlp.classifier.decision import Abstention, Thresholds
from gapnlp.classifier.encoder import Encoder
from gapnlp.classifier.features import FeatureSpec, restored_vectorizer
from gapnlp.classifier.linear import FIRST_HEADS, LinearClassifier, LinearWeights
from gapnlp.classifier.transformer import StackedWeights, TransformerClassifier
from gapnlp.errors import ModelError
from gapnlp.records.error_counts import ErrorCounts, ShareError
from gapnlp.records.labels import LABELS


def load_bundle(info: BundleInfo, *, quality: str | None = None, threads: int = 1) -> Classifier:
    """Load a bundle, checked file by file, and the one it builds on.

    quality: "balanced" makes an accurate bundle a cascade over its fast one; other values leave a bundle as it is.
    threads: segments that an encoder reads at the same time.
    Raises ModelError when a file is missing, changed, or of a format that this version does not know.
    """
    loader = LOADERS.get(info.kind)
    if info.kind == ADAPTER:
        raise ModelError(f"{info.name}: an adapter reads nothing by itself; load its base and use load_adapter")
    if loader is None:
        raise ModelError(f"{info.name}: kind {info.kind!r} is unknown to this version of gapnlp; upgrade gapnlp")
    contents = read_verified(info)
    try:
        classifier = loader(info, contents)
    except (LookupError, ValueError, TypeError, AttributeError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"{info.folder}: not a bundle of format {FORMAT} ({error}); rebuild it") from None
    if isinstance(classifier, TransformerClassifier):
        classifier.encoder.threads = threads
        doubt = classifier.doubt if quality == "balanced" else None
        return replace(classifier, doubt=doubt, version=info.served_version(quality or "accurate"))
    return classifier


def _load_linear(info: BundleInfo, contents: Mapping[str, bytes]) -> LinearClassifier:
    card = _read_card(contents)
    tensors = load_tensors(contents["weights.safetensors"])
    vectorizers = _vectorizers(card, contents, tensors)
    weights = LinearWeights(
        first=tensors["first"] * tensors["first_scale"],
        first_bias=tensors["first_bias"],
        centre=tensors["centre"],
        scale=tensors["scale"],
        second=tensors["second"],
        second_bias=tensors["second_bias"],
    )
    if weights.first.shape[1] != sum(len(v.vocabulary) for v in vectorizers):
        raise ValueError(f"{weights.first.shape[1]} weights a head, but another number of n-grams")
    return LinearClassifier(
        language=info.language, version=info.version, vectorizers=vectorizers, weights=weights, **_rules(card)
    )


def _vectorizers(
    card: Mapping[str, Any], contents: Mapping[str, bytes], tensors: Mapping[str, NDArray[Any]]
) -> tuple[TfidfVectorizer, ...]:
    vocabulary = json.loads(contents["vocabulary.json"])
    return tuple(
        restored_vectorizer(FeatureSpec(**spec), vocabulary[i], tensors[f"idf{i}"])
        for i, spec in enumerate(card["features"])
    )


def load_adapter(info: BundleInfo, base: Classifier) -> AdaptedClassifier:
    """Put an adapter, checked file by file, on top of a classifier.

    Raises ModelError when a file is missing or changed, or the adapter was not made for this base.
    """
    if info.kind != ADAPTER:
        raise ModelError(f"{info.name}: is of kind {info.kind!r}; an adapter is wanted, no other kind stands on a base")
    contents = read_verified(info)
    try:
        card = _read_card(contents)
        adapter = _read_adapter(card, contents)
        bases = tuple(map(str, card["bases"]))
    except (LookupError, ValueError, TypeError, AttributeError, SafetensorError) as error:
        raise ModelError(f"{info.folder}: not a bundle of format {FORMAT} ({error}); train it again") from None
    if base.version.partition("~")[0] not in bases:
        raise ModelError(
            f"{info.name}: was made for {', '.join(bases)}, not for {base.version}; train it again on these bundles "
            "with `gapnlp train`, or go back to the bundles before with `gapnlp models rollback`"
        )
    return AdaptedClassifier(base, adapter, info.version)


def _read_adapter(card: Mapping[str, Any], contents: Mapping[str, bytes]) -> Adapter:
    tensors = load_tensors(contents["weights.safetensors"])
    vectorizers = _vectorizers(card, contents, tensors)
    learnt = np.isin(FIRST_HEADS, card["learnt"])
    rows = np.flatnonzero(learnt)
    adapter = Adapter(
        language=card["language"],
        learnt=learnt,
        vectorizers=vectorizers,
        centre=tensors["centre"],
        scale=tensors["scale"],
        signals=_all_heads(tensors["signals"], rows),
        # in columns, so that products with sparse rows need no copy
        ngrams=np.asfortranarray(_all_heads(tensors["ngrams"], rows)),
        bias=_all_heads(tensors["bias"], rows),
        thresholds=_thresholds(card),
        error_counts={label: ErrorCounts(**counts) for label, counts in card["error_counts"].items()},
        further=tuple(card["further"]),
    )
    signals = len(FIRST_HEADS) + len(adapter.further)
    shapes = (adapter.signals.shape[1], len(adapter.centre), len(adapter.scale), adapter.ngrams.shape[1])
    if shapes != (signals + len(FIRST_HEADS), signals, signals, sum(len(v.vocabulary) for v in vectorizers)):
        raise ValueError(f"weights of shapes {shapes} do not belong to its signals and n-grams")
    return adapter


def _all_heads(rows: NDArray[Any], places: Sequence[int] | NDArray[np.intp]) -> NDArray[Any]:
    """Put the learnt heads' rows to their places among all heads; zeros elsewhere."""
    found = np.zeros((len(FIRST_HEADS), *rows.shape[1:]), dtype=rows.dtype)
    found[places] = rows
    return found


def _load_transformer(info: BundleInfo, contents: Mapping[str, bytes]) -> TransformerClassifier:
    card = _read_card(contents)
    linear = _load_base(info, card["base_version"])
    tensors = load_tensors(contents["weights.safetensors"])
    stacked = StackedWeights(
        centre=tensors["centre"], scale=tensors["scale"], weights=tensors["second"], bias=tensors["second_bias"]
    )
    if stacked.weights.shape[1] != len(linear.weights.centre) + len(stacked.centre):
        raise ValueError("the second stage does not fit its linear bundle and encoder")
    return TransformerClassifier(
        language=info.language,
        version=info.version,
        linear=linear,
        encoder=Encoder(contents["encoder.onnx"], contents["tokenizer.json"]),
        stacked=stacked,
        doubt=card["doubt"],
        **_rules(card),
    )


def _load_base(info: BundleInfo, expected: str) -> LinearClassifier:
    """Load the linear bundle that an encoder was stacked on: no other will do, since weights belong together."""
    found = find_version(info.folder.parent, expected)
    if found is None or found.name != info.base:
        raise ValueError(f"built on {expected}, which is not in this models folder")
    linear = _load_linear(found, read_verified(found))
    return linear


def _read_card(contents: Mapping[str, bytes]) -> Mapping[str, Any]:
    card: Mapping[str, Any] = json.loads(contents["card.json"])
    if card["format"] != FORMAT or tuple(card["labels"]) != LABELS:
        raise ValueError(f"format {card['format']}, {len(card['labels'])} labels")
    return card


def _thresholds(card: Mapping[str, Any]) -> Thresholds:
    return Thresholds(**{**card["thresholds"], "sentiment": tuple(card["thresholds"]["sentiment"])})


def _rules(card: Mapping[str, Any]) -> dict[str, Any]:
    """Read what every kind of bundle decides by."""
    return {
        "thresholds": _thresholds(card),
        "abstention": Abstention(**card["abstention"]) if card["abstention"] else None,
        "error_counts": {label: ErrorCounts(**counts) for label, counts in card["error_counts"].items()},
        "share_errors": {label: ShareError(**error) for label, error in card["share_errors"].items()},
    }


LOADERS: dict[str, Callable[[BundleInfo, Mapping[str, bytes]], LinearClassifier | TransformerClassifier]] = {
    "linear": _load_linear,
    "transformer": _load_transformer,
}
