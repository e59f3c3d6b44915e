"""Small registries: bundles trained on a few sentences, and candidates that are copies with another card."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gapnlp.classifier.bundle import BundleInfo, choose_bundle, read_manifest, read_verified
from gapnlp.retraining.registry import add_candidate

GOOD = {"promote": True, "reasons": ["better on the held-out tickets"]}
BAD = {"promote": False, "reasons": ["no better on the held-out tickets", "slower"]}


def candidate_of(
    models: Path, release: str, *, language: str = "en", verdict: dict[str, Any] = GOOD, **fields: Any
) -> BundleInfo:
    """Add a copy of a language's bundle with another release in its card."""
    source = choose_bundle(read_manifest(models), language)
    contents = read_verified(source)
    card = {**json.loads(contents.pop("card.json")), "release": release, **fields}
    return add_candidate(models, card, contents, verdict)
