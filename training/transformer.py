"""The recipe of the accurate bundles: `python -m training.transformer --gold ../shared/gold --language en`.

An encoder is fine-tuned on the labelled segments in their context and stacked on the language's linear bundle: a second
stage reads both. What it learns from, thresholds and the cascade's cut are out-of-fold predictions. Run
`training.linear` first; a killed run goes on from the folds that it finished, kept in the work folder.
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
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from threadpoolctl import threadpool_limits

from gapnlp.classifier.bundle import FORMAT, BundleInfo, read_manifest
from gapnlp.classifier.encoder import EncoderInput, encoder_inputs
from gapnlp.errors import InputError
from gapnlp.records.labels import LABELS, LANGUAGES
from gapnlp.retraining.network import Network, predict_logits, seed_everything
from gapnlp.retraining.onnx_export import export_network
from training.bases import MINILM, load_base
from training.bundle_files import finish_bundle, tensor_bytes
from training.cascade import choose_doubt
from training.decisions import decision_rules
from training.linear_fit import LinearFit, fit_linear, out_of_domain, out_of_fold_second
from training.material import Material, describe_rows, fingerprint
from training.network import FitSettings, fit_network, step_printer
from training.stages import fit_second
from training.withheld import Scope

RELEASE = "1.1.0"
# Fewer folds than the linear recipe's: each costs a fine-tuning.
FOLDS = 2

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is trained: the encoder's name (see bases.load_base), how it is fitted, whether its weights become 8-bit."""

    encoder: str
    settings: FitSettings
    quantised: bool = True


def main(arguments: Sequence[str] | None = None) -> None:
    """Train the bundles asked for, measure them on the development split, write the manifest."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gold", type=Path, required=True, help="folder with train.jsonl and dev.jsonl")
    parser.add_argument("--public", type=Path, help="folder of the public sets; default: public beside the gold folder")
    parser.add_argument("--out", type=Path, default=Path("models"), help="models folder with the linear bundles")
    parser.add_argument("--language", choices=LANGUAGES, default="en")
    parser.add_argument("--encoder", default=MINILM, help="minilm, a folder, or a hub id (default: minilm)")
    parser.add_argument("--epochs", type=float, default=FitSettings().epochs)
    parser.add_argument("--rate", type=float, default=FitSettings().rate, help="highest learning rate of the body")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--full-precision", action="store_true", help="keep 32-bit weights")
    Scope.add_options(parser)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", type=Path, default=Path("out/training"), help="folder for finished folds")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    recipe = Recipe(
        options.encoder,
        FitSettings(epochs=options.epochs, rate=options.rate, seed=options.seed),
        not options.full_precision,
    )
    folders = (options.gold, options.public or options.gold.parent / "public", options.out)
    make_bundle(options.language, recipe, Scope.chosen(options), folders=folders, work=options.work)


def make_bundle(language: str, recipe: Recipe, scope: Scope, *, folders: tuple[Path, Path, Path], work: Path) -> None:
    """Train, stack, export and measure one language's accurate bundle."""
    started = time.perf_counter()
    gold, public, out = folders
    base = _linear_bundle(out, language)
    train, development, further = scope.read(gold, public, language)
    with threadpool_limits(1):  # as in the linear recipe, so that both see the same context
        fit = fit_linear(train, further)
    _, tokenizer = load_base(recipe.encoder)
    inputs = encoder_inputs(tokenizer, train.documents())
    kept = work / f"{language}-{_key(recipe, train, inputs)}"
    kept.mkdir(parents=True, exist_ok=True)
    logits = out_of_fold(recipe, (inputs, train), kept)
    network = whole(recipe, (inputs, train), kept)
    stack = _Stack.fit(fit, logits, train)
    thresholds, rules = decision_rules(stack.values, stack.values if scope.trial else out_of_domain(fit, train), train)
    card = {
        "format": FORMAT,
        "name": f"encoder-{language}",
        "kind": "transformer",
        "language": language,
        "quality": "accurate",
        "base": base.name,
        "base_version": base.version,
        "release": RELEASE,
        "labels": list(LABELS),
        "encoder": _describe(network, recipe),
        "rows": describe_rows(train),
        "fingerprint": fingerprint(gold, language, gold_only=scope.gold_only) | _versions(),
        **choose_doubt((fit.values, stack.values), thresholds, train),
        **rules,
        **scope.card(),
    }
    contents = {
        "encoder.onnx": export_network(network, quantised=recipe.quantised),
        "tokenizer.json": tokenizer.to_str().encode(),
        "weights.safetensors": tensor_bytes(stack.tensors()),
    }
    finish_bundle(out, card, contents, development=development)
    print(f"{language}: headline {card['metrics']['headline']} on dev; {time.perf_counter() - started:.0f} s")


@dataclass(frozen=True, slots=True)
class _Stack:
    """The second stage, and its probabilities out of fold."""

    centre: Matrix
    scale: Matrix
    weights: Matrix
    bias: Matrix
    values: Matrix

    @classmethod
    def fit(cls, fit: LinearFit, logits: Matrix, train: Material) -> _Stack:
        centre = logits[train.real].mean(axis=0)
        scale = np.maximum(logits[train.real].std(axis=0), 1e-6)
        features = np.hstack([fit.context, (logits - centre) / scale])
        second = fit_second(features[train.real], train.targets[train.real])
        return cls(centre, scale, second.weights, second.bias, out_of_fold_second(features, train))

    def tensors(self) -> dict[str, Matrix]:
        return {"centre": self.centre, "scale": self.scale, "second": self.weights, "second_bias": self.bias}


def _linear_bundle(models: Path, language: str) -> BundleInfo:
    for info in read_manifest(models):
        if info.language == language and info.kind == "linear":
            return info
    raise InputError(f"{models}: holds no linear bundle of {language!r}; run training.linear first")


def out_of_fold(recipe: Recipe, rows: tuple[Sequence[EncoderInput], Material], work: Path) -> Matrix:
    """Log-odds of every row by a network that saw none of its item; a finished fold is read back."""
    inputs, train = rows
    logits: Matrix | None = None
    for fold in range(FOLDS):
        held = train.items % FOLDS == fold
        place = work / f"fold{fold}.npy"
        if not place.is_file():
            body, _ = load_base(recipe.encoder)
            kept = [x for x, h in zip(inputs, held, strict=True) if not h]
            network = _fit(recipe, body, kept, train.targets[~held], name=f"fold {fold + 1} of {FOLDS}")
            found = predict_logits(network, [x for x, h in zip(inputs, held, strict=True) if h])
            np.save(work / "partial.npy", found)
            (work / "partial.npy").replace(place)
        found = np.load(place)
        logits = np.zeros((len(inputs), found.shape[1])) if logits is None else logits
        logits[held] = found
    assert logits is not None
    return logits


def whole(recipe: Recipe, rows: tuple[Sequence[EncoderInput], Material], work: Path) -> Network:
    """Fit the network that is shipped, on every row; a finished one is read back."""
    inputs, train = rows
    place = work / "network.safetensors"
    body, _ = load_base(recipe.encoder)
    if place.is_file():
        network = Network(body, dropout=recipe.settings.dropout)
        network.load_state_dict(load_file(place))
        return network
    network = _fit(recipe, body, inputs, train.targets, name="all rows")
    save_file(network.state_dict(), work / "partial.safetensors")
    (work / "partial.safetensors").replace(place)
    return network


def _fit(
    recipe: Recipe, body: torch.nn.Module, inputs: Sequence[EncoderInput], targets: NDArray[np.int8], *, name: str
) -> Network:
    seed_everything(recipe.settings.seed)
    network = Network(body, dropout=recipe.settings.dropout)
    fit_network(network, inputs, targets, recipe.settings, on_step=step_printer(name, sys.stderr))
    return network


def _key(recipe: Recipe, train: Material, inputs: Sequence[EncoderInput]) -> str:
    """Digest of all that a fold's answers depend on."""
    digest = hashlib.sha256(json.dumps([asdict(recipe), FOLDS, version("torch")], sort_keys=True).encode())
    digest.update(train.targets.tobytes())
    for x in inputs:
        digest.update(np.asarray(x.ids).tobytes())
    return digest.hexdigest()[:12]


def _describe(network: Network, recipe: Recipe) -> dict[str, Any]:
    config: Any = network.body.config
    return {
        "base": Path(recipe.encoder).name,
        "architecture": config.model_type,
        "layers": getattr(config, "num_hidden_layers", None) or getattr(config, "n_layers", None),
        "hidden": config.hidden_size,
        "vocabulary": config.vocab_size,
        "parameters": sum(p.numel() for p in network.parameters()),
        "quantised": recipe.quantised,
        "fit": asdict(recipe.settings),
        "folds": FOLDS,
    }


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("torch", "transformers", "tokenizers", "onnxruntime", "scikit-learn")}


if __name__ == "__main__":
    main()
