"""From a file to its drift: a random part of its items, scored by the fast bundles and compared."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gapnlp.classifier.bundle import choose_bundle, read_manifest, read_verified
from gapnlp.classifier.linear import LinearClassifier
from gapnlp.errors import InputError, ModelError
from gapnlp.ingest.columns import ColumnOptions
from gapnlp.ingest.intake import list_inputs, read_feedback, recognise
from gapnlp.records.analysis import Analysis
from gapnlp.records.drift import DriftReference, LanguageDrift
from gapnlp.records.feedback import Failure, Feedback
from gapnlp.retraining.drift import compare, count_items, draw_items, read_reference
from gapnlp.scoring.loading import load

_BATCH = 500
REFERENCE_KEY = "drift_reference"


@dataclass(frozen=True, slots=True)
class FileDrift:
    """A file's drift, language by language.

    drawn: items that were looked at. unscored: kind of failure ("unsupported", "empty") -> items of them.
    """

    drawn: int
    unscored: Mapping[str, int]
    languages: tuple[LanguageDrift, ...]


def measure_drift(
    paths: Sequence[Path], columns: ColumnOptions, *, models: Path | None = None, reference: Path | None = None
) -> FileDrift:
    """Compare files with what the fast bundles were trained on.

    reference: a file of references by language, for bundles whose cards hold none.
    Raises InputError when a file or the reference cannot be read, ModelError when a bundle cannot.
    """
    files = list_inputs(paths)
    rows = read_feedback(files, columns, recognitions=tuple(recognise(path, columns) for path in files))
    items = draw_items(row for row in rows if isinstance(row, Feedback))
    scorer = load(models, quality="fast")
    results: list[Analysis | Failure] = []
    for start in range(0, len(items), _BATCH):
        results += scorer.score(items[start : start + _BATCH])
    analyses = [r for r in results if isinstance(r, Analysis)]
    references = read_references(reference) if reference else {}
    found = []
    for language in sorted({a.language for a in analyses}):
        classifier = scorer.classifier(language)
        if not isinstance(classifier, LinearClassifier):
            raise ModelError(f"the fast bundle for {language} has no n-grams to compare words with; use another")
        counts = count_items([a for a in analyses if a.language == language], classifier)
        known = references.get(language) or reference_of(models, language)
        found.append(compare(counts, known, language=language, model=classifier.version))
    unscored = Counter(r.kind for r in results if isinstance(r, Failure))
    return FileDrift(len(items), dict(sorted(unscored.items())), tuple(found))


def reference_of(models: Path | None, language: str) -> DriftReference | None:
    """Read the reference from the card of a language's fast bundle; None where it holds none."""
    info = choose_bundle(read_manifest(models), language, "fast")
    card = json.loads(read_verified(info)["card.json"])
    if REFERENCE_KEY not in card:
        return None
    try:
        return read_reference(card[REFERENCE_KEY])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{info.folder}: {REFERENCE_KEY} of its card cannot be read ({error}); train again") from None


def read_references(path: Path) -> dict[str, DriftReference]:
    """Read a file of references: language -> reference. Raises InputError when it is none."""
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        return {language: read_reference(content) for language, content in plain.items()}
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check --reference") from None
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InputError(f"{path.name}: is no file of drift references; make it again with training") from None
