"""Cases of promises against complaints: copy cut into units, and customer segments judged against its promises."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapnlp.promises.detect import unit_features
from gapnlp.promises.match import Matcher, PromiseModel
from gapnlp.promises.pair_features import PairContext, Texts
from gapnlp.promises.subjects import subject_reader
from gapnlp.records.labels import LANGUAGES
from gapnlp.records.promises import RELATIONS
from gapnlp.scoring.scorer import Scorer
from gapnlp.text.language import LanguageDetector
from gapnlp.text.normalise import normalise

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Case:
    """One folder: units of copy, and pairs (segments with relations), as read; texts normalised beside."""

    name: str
    language: str
    units: list[Mapping[str, Any]]
    pairs: list[Mapping[str, Any]]
    unit_texts: list[str]
    segment_texts: list[str]
    context_texts: list[str]

    @property
    def promises(self) -> list[int]:
        """Places of the units that are promises by the gold labels."""
        return [i for i, u in enumerate(self.units) if u["is_promise"]]

    def targets(self, relation: str) -> NDArray[np.bool_]:
        """Which pairs have the relation, shape (n_segments, n_promises)."""
        place = {self.units[i]["id"]: k for k, i in enumerate(self.promises)}
        found = np.zeros((len(self.pairs), len(place)), dtype=bool)
        for i, pair in enumerate(self.pairs):
            for r in pair.get("relations", ()):
                if r["relation"] == relation and r["promise"] in place:
                    found[i, place[r["promise"]]] = True
        return found


def read_cases(folder: Path) -> list[Case]:
    """Read every case of a folder, by name."""
    detector = LanguageDetector()
    return [_read_case(d, detector) for d in sorted(folder.iterdir()) if (d / "promises.jsonl").is_file()]


def _read_case(folder: Path, detector: LanguageDetector) -> Case:
    units = _rows(folder / "promises.jsonl")
    pairs = _rows(folder / "pairs.jsonl") if (folder / "pairs.jsonl").is_file() else []
    language = detector.detect(" ".join(u["text"] for u in units)[:2000])
    language = language if language in LANGUAGES else "en"
    return Case(
        folder.name,
        language,
        units,
        pairs,
        [normalise(u["text"], language) for u in units],
        [normalise(p["text"], language) for p in pairs],
        [normalise(p.get("context") or p["text"], language) for p in pairs],
    )


def _rows(path: Path) -> list[Mapping[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def case_unit_features(case: Case) -> Matrix:
    """Features of a case's units for the two heads on copy."""
    return unit_features(case.unit_texts, case.language, subjects=subject_reader(case.language))


def case_matcher(case: Case, scorer: Scorer, model: PromiseModel) -> tuple[Matcher, Texts]:
    """Matcher over the case's gold promises, and its segments as texts."""
    classifier = scorer.classifier(case.language)
    chosen = [case.unit_texts[i] for i in case.promises]
    copy = Texts(chosen, chosen, classifier.predict([[t] for t in chosen]).values)
    segments = Texts(
        case.segment_texts, case.context_texts, classifier.predict([[t] for t in case.segment_texts]).values
    )
    languages = (case.language, case.language)
    context = PairContext(languages, sample=[*chosen, *case.segment_texts])
    return Matcher(languages, copy, model=model, context=context), segments


def case_targets(case: Case) -> dict[str, NDArray[np.bool_]]:
    """Relation -> targets."""
    return {r: case.targets(r) for r in RELATIONS}
