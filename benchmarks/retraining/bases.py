"""The classifiers that adapters stand on: the shipped bundles, and linear ones that never saw the company's data."""

from __future__ import annotations

from pathlib import Path

from benchmarks.retraining.tasks import Task
from gapnlp.classifier.base import Classifier
from gapnlp.classifier.bundle import read_manifest
from gapnlp.classifier.states import MANIFEST
from gapnlp.scoring.loading import DEFAULT_QUALITY, load
from training.linear import main as train_linear

SHIPPED, BLIND = "shipped", "blind"
BASES = (SHIPPED, BLIND)


def load_base(kind: str, task: Task, *, folders: tuple[Path, Path, Path]) -> Classifier:
    """Load the base of a company's language.

    kind: "shipped" (at the default quality; it has learnt from other rows of the same public set, and knows the
    sentiment of the test rows from its further heads), or "blind" (n-grams alone, fitted without the company's set or
    domain; made when it is not there, which takes minutes). folders: gold, the public sets, and where blind bases go.
    """
    if kind == SHIPPED:
        return load(quality=DEFAULT_QUALITY).classifier(task.language)
    gold, public, kept = folders
    if not _is_there(kept, task.language):
        kept.mkdir(parents=True, exist_ok=True)
        withheld = [f"{task.file}:{domain}" for domain in task.domains] or [task.file]
        options = ["--gold", str(gold), "--public", str(public), "--out", str(kept), "--language", task.language]
        train_linear([*options, "--trial", *(x for name in withheld for x in ("--without", name))])
    return load(kept, quality="fast").classifier(task.language)


def _is_there(models: Path, language: str) -> bool:
    return (models / MANIFEST).is_file() and language in {bundle.language for bundle in read_manifest(models)}
