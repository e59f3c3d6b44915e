"""What bundles learn from, as flat rows: gold, our labels on public texts, and the items written for gapnlp."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapnlp.classifier.decision import head_matrix
from gapnlp.classifier.measure import Measure, measure
from gapnlp.ingest.gold import GoldItem, read_gold
from gapnlp.records.labels import HEADS
from gapnlp.text.normalise import normalise
from training.auxiliary import text_key
from training.labels import LABELS_FOLDER, WRITTEN_FOLDER, read_public_labels

# The stratum of items that were written, not collected: trained on, never a base for thresholds or figures.
WRITTEN = "written"


@dataclass(frozen=True, slots=True)
class Material:
    """Labelled items of one language as flat rows.

    texts: normalised segments. items: row -> number of its item. lengths: segments of each item. domains: row ->
    industry. random, real: row -> whether its item was drawn at random, whether a customer wrote it.
    """

    language: str
    records: list[GoldItem]
    texts: list[str]
    items: NDArray[np.intp]
    lengths: list[int]
    targets: NDArray[np.int8]
    domains: NDArray[np.str_]
    random: NDArray[np.bool_]
    real: NDArray[np.bool_]

    def documents(self) -> list[list[str]]:
        """Give the segments of each item."""
        starts = np.concatenate([[0], np.cumsum(self.lengths)])
        return [self.texts[a:b] for a, b in zip(starts[:-1], starts[1:], strict=True)]

    def measure(self, predicted: Sequence[Any], *, real_only: bool = True) -> Measure:
        """Compare predictions, one a row, with the labels; written items are left out."""
        starts = np.concatenate([[0], np.cumsum(self.lengths)])
        spans = zip(self.records, starts[:-1], starts[1:], strict=True)
        return measure((r.labels, predicted[a:b]) for r, a, b in spans if not real_only or r.stratum != WRITTEN)


def flatten(records: Iterable[GoldItem], language: str) -> Material:
    """Put the items of one language into rows, normalised as the scorer does it."""
    kept = [r for r in records if r.language == language]
    lengths = [len(r.segments) for r in kept]
    return Material(
        language=language,
        records=kept,
        texts=[normalise(s.text, language) for r in kept for s in r.segments],
        items=np.repeat(np.arange(len(kept)), lengths),
        lengths=lengths,
        targets=head_matrix([x for r in kept for x in r.labels]).astype(np.int8),
        domains=np.repeat([r.domain or "" for r in kept], lengths),
        random=np.repeat([r.stratum == "random" for r in kept], lengths),
        real=np.repeat([r.stratum != WRITTEN for r in kept], lengths),
    )


def read_material(gold: Path, public: Path, language: str, *, gold_only: bool = False) -> Material:
    """Read gold's training split and, unless told not to, our labels on public texts and the written items."""
    records = list(read_gold(gold / "train.jsonl"))
    if not gold_only:
        records += read_public_labels(LABELS_FOLDER / f"{language}.jsonl", public)
        records += read_gold(WRITTEN_FOLDER / f"{language}.jsonl")
    return flatten(records, language)


def read_development(gold: Path, language: str) -> Material:
    """Read gold's development split."""
    return flatten(read_gold(gold / "dev.jsonl"), language)


def banned_keys(material: Material, development: Material) -> set[str]:
    """Keys of every labelled text and segment: no further head may learn from them, or it would know the answers."""
    return {
        text_key(text)
        for part in (material, development)
        for record in part.records
        for text in (record.text, *(s.text for s in record.segments))
    }


def fingerprint(gold: Path, language: str, *, gold_only: bool) -> dict[str, str]:
    """Digest of each file of labels."""
    files = {"gold_sha256": gold / "train.jsonl"}
    if not gold_only:
        files |= {
            "public_labels_sha256": LABELS_FOLDER / f"{language}.jsonl",
            "written_sha256": WRITTEN_FOLDER / f"{language}.jsonl",
        }
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}


def describe_rows(material: Material) -> dict[str, Any]:
    """Count what a bundle was trained on, for its card."""
    return {
        "segments": len(material.texts),
        "written": int((~material.real).sum()),
        "random": int(material.random.sum()),
        "positives": dict(zip(HEADS, material.targets.sum(axis=0).tolist(), strict=True)),
    }
