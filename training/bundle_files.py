"""Writing bundles: card, vocabulary, weights, and the manifest over all of them. Same input, same bytes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save as save_tensors

from gapnlp.classifier.bundle import MANIFEST

LICENCE = (
    "Apache-2.0 for the weights; trained on third-party texts whose own terms differ, some of them non-commercial "
    "research: see the card"
)


def write_bundle(
    folder: Path,
    *,
    card: Mapping[str, Any],
    vocabulary: Sequence[Sequence[str]],
    tensors: Mapping[str, NDArray[Any]],
    text_card: str,
) -> None:
    """Write a linear bundle's files into its folder."""
    write_files(
        folder,
        {
            "card.json": json.dumps(card, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n",
            "vocabulary.json": json.dumps(vocabulary, ensure_ascii=False, separators=(",", ":")).encode(),
            "weights.safetensors": save_tensors({k: np.ascontiguousarray(v) for k, v in tensors.items()}),
            "CARD.md": text_card.encode(),
        },
    )


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
