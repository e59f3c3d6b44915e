"""From a models folder to a ready scorer."""

from __future__ import annotations

from pathlib import Path

from gapnlp.classifier.base import Classifier
from gapnlp.classifier.bundle import QUALITIES, choose_adapter, choose_bundle, read_manifest
from gapnlp.classifier.loaders import load_adapter, load_bundle
from gapnlp.errors import InputError
from gapnlp.scoring.scorer import Scorer

DEFAULT_QUALITY = "balanced"


def load(
    models: Path | None = None,
    *,
    redact: bool = False,
    quality: str = DEFAULT_QUALITY,
    threads: int = 1,
    adapters: bool = True,
) -> Scorer:
    """Make a scorer from the shipped bundles, or from another models folder.

    redact: mask e-mail addresses, phone, card and account numbers before scoring. Bundles are read at first use.
    quality: "fast" (n-grams), "accurate" (an encoder on every segment) or "balanced" (an encoder on doubtful segments).
    threads: segments that an encoder reads at the same time. adapters: whether what was learnt from a user's own
    tickets stands on top, where the folder holds it.
    Raises ModelError when the folder has no valid manifest, InputError on an unknown quality.
    """
    if quality not in QUALITIES:
        raise InputError(f"quality {quality!r} is unknown; choose one of {', '.join(QUALITIES)}")
    bundles = read_manifest(models)

    def read(language: str) -> Classifier:
        base = load_bundle(choose_bundle(bundles, language, quality), quality=quality, threads=threads)
        adapter = choose_adapter(bundles, language) if adapters else None
        return base if adapter is None else load_adapter(adapter, base)

    return Scorer(read, redacts=redact)
