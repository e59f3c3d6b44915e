"""The base as it is, and an adapter on top of it, trained on the same rows as the peers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from benchmarks.retraining.answers import Decided
from gapnlp.classifier.adapted import AdaptedClassifier
from gapnlp.classifier.base import Classifier
from gapnlp.records.tickets import LabelledTicket
from gapnlp.retraining.training.bags import answer_tickets
from gapnlp.retraining.training.fitting import fit_adapter

# What an adapter's answers depend on beside its base and its rows.
_FITTING = ("asking", "bags", "cross_fitting", "cuts", "design", "fit", "fitting", "learning", "ngrams", "objective")
_SOURCES = (
    *(f"gapnlp.retraining.training.{name}" for name in (*_FITTING, "replay")),
    "gapnlp.retraining.checks.texts",
    "gapnlp.classifier.adapted",
    "gapnlp.classifier.features",
)
ADAPTED = "{} + adapter"


def answer_base(base: Classifier, test: Sequence[LabelledTicket]) -> Decided:
    """Label the test rows without any training."""
    return answer_tickets(base, test, base.language).decided


def answer_adapted(base: Classifier, train: Sequence[LabelledTicket], test: Sequence[LabelledTicket]) -> Decided:
    """Train an adapter on the tickets as `gapnlp train` does, and label the test rows."""
    fitted = fit_adapter(train, base.language, base)
    return answer_tickets(AdaptedClassifier(base, fitted.adapter, "adapter"), test, base.language).decided


@cache
def source_digest() -> str:
    """First digits of the sha256 of all files that define an adapter: another text, maybe another answer."""
    content = hashlib.sha256()
    for module in _SOURCES:
        spec = find_spec(module)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(module)
        content.update(Path(spec.origin).read_bytes())
    return content.hexdigest()[:12]
