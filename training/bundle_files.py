"""Writing bundles: card, vocabulary, weights, and the manifest over all of them. Same input, same bytes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save as save_tensors

from benchmarks.robustness.measuring import card_figures, measure_robustness
from gapnlp.classifier.bundle import read_manifest
from gapnlp.classifier.loaders import load_bundle
from gapnlp.classifier.states import MANIFEST
from training.calibration import calibration_figures
from training.cards import render_card
from training.decisions import figures
from training.intervals import material_intervals
from training.material import Material

# Seconds, threads and machine of each bundle's training, measured once.
EFFORT = Path(__file__).with_name("effort.json")
LICENCE = (
    "Apache-2.0 for the weights; trained on third-party texts whose own terms differ, some of them non-commercial "
    "research: see the card"
)


def finish_bundle(models: Path, card: dict[str, Any], contents: Mapping[str, bytes], *, development: Material) -> None:
    """Write a bundle, measure it as written, and write its card with the figures.

    card: gets what the development split and the robustness tests show, and what training it took when that was last
    measured: a time of this run would make every run another bundle. contents: all files but the cards.
    """
    folder = models / str(card["name"])
    write_files(folder, {**contents, "card.json": _card_bytes(card), "CARD.md": b""})
    write_manifest(models)
    info = next(b for b in read_manifest(models) if b.name == card["name"])
    classifier = load_bundle(info)
    predictions = classifier.predict(development.documents())
    card["metrics"] = figures(development.measure(predictions.labels))
    card["intervals"] = material_intervals(development, predictions.labels)
    card["calibration_development"] = calibration_figures(predictions.values, development.targets)
    card["abstained_development"] = round(float(predictions.abstained.mean()), 4) if len(predictions.labels) else None
    card |= card_figures(measure_robustness(classifier))
    card["training"] = json.loads(EFFORT.read_text(encoding="utf-8")).get(card["name"])
    write_files(folder, {"card.json": _card_bytes(card), "CARD.md": render_card(card).encode()})
    write_manifest(models)


def json_bytes(content: Any) -> bytes:
    """Compact JSON."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def tensor_bytes(tensors: Mapping[str, NDArray[Any]]) -> bytes:
    """Safetensors."""
    found: bytes = save_tensors({k: np.ascontiguousarray(v) for k, v in tensors.items()})
    return found


def _card_bytes(card: Mapping[str, Any]) -> bytes:
    return json.dumps(card, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"


def write_files(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write a bundle's files: name -> content."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        _write(folder / name, content)


def write_manifest(models: Path) -> None:
    """List every bundle folder with the sha256 of its files; the first of a language is its default."""
    blocks = ["# Written by training; a file that does not match its sha256 is refused.\n"]
    for folder in sorted(p for p in models.iterdir() if (p / "card.json").is_file()):
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        files = sorted(p for p in folder.iterdir() if p.is_file())
        lines = [
            "[[bundle]]",
            f'name = "{card["name"]}"',
            f'kind = "{card["kind"]}"',
            f'language = "{card["language"]}"',
            f'quality = "{card.get("quality", "fast")}"',
            *([f'base = "{card["base"]}"'] if card.get("base") else []),
            f'release = "{card["release"]}"',
            f'licence = "{LICENCE}"',
            *(
                [f"headline = {card['metrics']['headline']:.4f}"]
                if card.get("metrics", {}).get("headline") is not None
                else []
            ),
            "[bundle.files]",
            *(f'"{p.name}" = "{hashlib.sha256(p.read_bytes()).hexdigest()}"' for p in files),
        ]
        blocks.append("\n".join(lines) + "\n")
    _write(models / MANIFEST, "\n".join(blocks).encode())


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content)
    os.replace(partial, path)
