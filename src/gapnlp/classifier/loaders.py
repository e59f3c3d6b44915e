"""Bundles' files -> classifiers, by kind. Cards are JSON, weights safetensors or ONNX: nothing that can run code."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors

from gapnlp.classifier.base import Classifier
from gapnlp.classifier.bundle import FORMAT, BundleInfo, find_version, read_verified
from gapnlp.classifier.decision import Abstention, Thresholds
from gapnlp.classifier.encoder import Encoder
from gapnlp.classifier.features import FeatureSpec, restored_vectorizer
from gapnlp.classifier.linear import LinearClassifier, LinearWeights
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
    vocabulary = json.loads(contents["vocabulary.json"])
    vectorizers = tuple(
        restored_vectorizer(FeatureSpec(**spec), vocabulary[i], tensors[f"idf{i}"])
        for i, spec in enumerate(card["features"])
    )
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


def _rules(card: Mapping[str, Any]) -> dict[str, Any]:
    """Read what every kind of bundle decides by."""
    return {
        "thresholds": Thresholds(**{**card["thresholds"], "sentiment": tuple(card["thresholds"]["sentiment"])}),
        "abstention": Abstention(**card["abstention"]) if card["abstention"] else None,
        "error_counts": {label: ErrorCounts(**counts) for label, counts in card["error_counts"].items()},
        "share_errors": {label: ShareError(**error) for label, error in card["share_errors"].items()},
    }


LOADERS: dict[str, Callable[[BundleInfo, Mapping[str, bytes]], LinearClassifier | TransformerClassifier]] = {
    "linear": _load_linear,
    "transformer": _load_transformer,
}
