"""From a models folder to a ready scorer."""

from __future__ import annotations

from pathlib import Path

from gapnlp.classifier.base import Classifier
from gapnlp.classifier.bundle import choose_bundle, load_bundle, read_manifest
from gapnlp.scoring.scorer import Scorer


def load(models: Path | None = None, *, redact: bool = False) -> Scorer:
    """Make a scorer from the shipped bundles, or from another models folder.

    redact: mask e-mail addresses, phone, card and account numbers before scoring. Bundles are read at first use.
    Raises ModelError when the folder has no valid manifest.
    """
    bundles = read_manifest(models)

    def read(language: str) -> Classifier:
        return load_bundle(choose_bundle(bundles, language))

    return Scorer(read, redacts=redact)
