"""The base as it is, and an adapter on top of it, trained on the same rows as the peers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.retraining.answers import Decided
from gapnlp.classifier.adapted import AdaptedClassifier
from gapnlp.classifier.base import Classifier
from gapnlp.classifier.bundle import BundleInfo
from gapnlp.records.tickets import LabelledTicket
from gapnlp.retraining.training.bags import answer_tickets
from gapnlp.retraining.training.fitting import fit_adapter, say_nothing
from gapnlp.retraining.training.pieces import Pieces
from gapnlp.retraining.training.plan import Plan
from gapnlp.retraining.training.teaching import teach

# What an adapter's answers depend on beside its base and its rows; with an encoder of its own also _TUNING.
_FITTING = ("asking", "bags", "cross_fitting", "cuts", "design", "fit", "fitting", "learning", "ngrams", "objective")
_SOURCES = (
    *(f"gapnlp.retraining.training.{name}" for name in (*_FITTING, "replay")),
    "gapnlp.retraining.checks.texts",
    "gapnlp.classifier.adapted",
    "gapnlp.classifier.features",
)
_TUNING = (
    *(f"gapnlp.retraining.{name}" for name in ("finetune_data", "finetune_loss", "finetuning", "method", "network")),
    *(f"gapnlp.retraining.training.{name}" for name in ("encoder_method", "teaching")),
)
ADAPTED, FINE_TUNED = "{} + adapter", "{} + adapter, fine-tuned"


def answer_base(base: Classifier, test: Sequence[LabelledTicket]) -> Decided:
    """Label the test rows without any training."""
    return answer_tickets(base, test, base.language).decided


def answer_adapted(base: Classifier, train: Sequence[LabelledTicket], test: Sequence[LabelledTicket]) -> Decided:
    """Train an adapter on the tickets as `gapnlp train` does, and label the test rows."""
    fitted = fit_adapter(train, base.language, base)
    return answer_tickets(AdaptedClassifier(base, fitted.adapter, "adapter"), test, base.language).decided


def answer_fine_tuned(
    base: Classifier, start: BundleInfo, train: Sequence[LabelledTicket], test: Sequence[LabelledTicket]
) -> Decided:
    """Train as `gapnlp train --method encoder` does, the encoder left out where it does not earn its place."""
    plan = Plan("encoder", None, start, None, "as the benchmark asks")
    with TemporaryDirectory() as folder:
        taught = teach(train, base, plan, seed=0, where=(Pieces(Path(folder)), say_nothing))
        return answer_tickets(taught.classifier(base), test, base.language).decided


@cache
def source_digest(fine_tuned: bool = False) -> str:
    """First digits of the sha256 of all files that define an adapter: another text, maybe another answer."""
    content = hashlib.sha256()
    for module in (*_SOURCES, *(_TUNING if fine_tuned else ())):
        spec = find_spec(module)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(module)
        content.update(Path(spec.origin).read_bytes())
    return content.hexdigest()[:12]
