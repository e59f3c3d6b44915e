"""The classifiers that adapters stand on: the shipped bundles, and ones that never saw the company's data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks.retraining.tasks import Task
from gapnlp.classifier.base import Classifier
from gapnlp.classifier.bundle import BundleInfo, choose_bundle, read_manifest
from gapnlp.classifier.states import MANIFEST
from gapnlp.records.labels import LANGUAGES
from gapnlp.scoring.loading import DEFAULT_QUALITY, load
from training.linear import main as train_linear
from training.transformer import main as train_encoder

SHIPPED, BLIND, BLIND_ENCODER = "shipped", "blind", "blind-encoder"
# Base -> languages. The encoders of Polish and Chinese began with the companies' own texts (docs/encoders.md).
BASES: Mapping[str, tuple[str, ...]] = {SHIPPED: LANGUAGES, BLIND: LANGUAGES, BLIND_ENCODER: ("en",)}


def load_base(kind: str, task: Task, *, folders: tuple[Path, Path, Path]) -> Classifier:
    """Load the base of a company's language.

    kind: "shipped" (at the default quality; it has learnt from other rows of the same public set, and knows the
    sentiment of the test rows from its further heads), "blind" (n-grams alone, fitted without the company's set or
    domain), or "blind-encoder" (fitted so, at the default quality). What is blind is made when it is not there, which
    takes minutes, with an encoder most of an hour. folders: gold, the public sets, and where blind bases go.
    """
    if kind == SHIPPED:
        return load(quality=DEFAULT_QUALITY).classifier(task.language)
    gold, public, kept = folders
    withheld = [f"{task.file}:{domain}" for domain in task.domains] or [task.file]
    options = ["--gold", str(gold), "--public", str(public), "--out", str(kept), "--language", task.language]
    options += ["--trial", *(x for name in withheld for x in ("--without", name))]
    kept.mkdir(parents=True, exist_ok=True)
    if not _is_there(kept, task.language, "linear"):
        train_linear(options)
    if kind == BLIND:
        return load(kept, quality="fast").classifier(task.language)
    if not _is_there(kept, task.language, "transformer"):
        train_encoder([*options, "--work", str(kept / "folds"), "--threads", "1"])
    return load(kept, quality=DEFAULT_QUALITY).classifier(task.language)


def find_encoder(kind: str, task: Task, kept: Path) -> BundleInfo | None:
    """Find the bundle whose encoder an adapter on a base may fine-tune; None where the base has none."""
    if kind == BLIND:
        return None
    return choose_bundle(read_manifest(None if kind == SHIPPED else kept), task.language, "accurate")


def _is_there(models: Path, language: str, kind: str) -> bool:
    if not (models / MANIFEST).is_file():
        return False
    return (language, kind) in {(bundle.language, bundle.kind) for bundle in read_manifest(models)}
