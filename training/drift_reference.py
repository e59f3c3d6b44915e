"""What drift is judged by, for a bundle's card: figures of the training data, by domain, known and held out.

    python -m training.drift_reference --gold ../shared/gold --out drift.json

measures them without making a bundle; `training.linear` writes them into the card.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gapnlp.classifier.decision import Abstention, Thresholds, abstains, expected_errors
from gapnlp.records.drift import DriftGroup, DriftReference
from gapnlp.records.labels import LABELS, LANGUAGES
from gapnlp.retraining.drift_figures import count_unknown, share_distance, word_vectorizer
from training.auxiliary import read_auxiliary
from training.decisions import decision_rules
from training.linear_fit import LinearFit, fit_linear, out_of_domain
from training.material import Material, banned_keys, read_development, read_material
from training.share_errors import SMALLEST_GROUP, held_out_domains

# Labelled rows that a word must stand in to be known.
_LEAST_ROWS = 2

Rows = NDArray[np.bool_]


def measure_drift_reference(
    fit: LinearFit, elsewhere: NDArray[np.float64], train: Material, *, rules: tuple[Thresholds, Abstention | None]
) -> DriftReference:
    """Measure the training data as a later file will be measured, by classifiers that had not seen the rows.

    elsewhere: probabilities with each domain held out, columns as LABELS. Rests on items drawn at random; on all by
    customers where few were.
    """
    rows = train.real & train.random
    if rows.sum() < 5 * SMALLEST_GROUP:
        rows = train.real
    words = _Words(fit, train)
    shares = fit.values[rows].mean(axis=0)
    known, new = [], []
    for domain in np.unique(train.domains[rows]):
        members = rows & (train.domains == domain)
        if members.sum() < SMALLEST_GROUP:
            continue
        figures = _figures(fit.values[members], words.unknown(members), rules, reference=shares)
        known.append(DriftGroup(str(domain), int(members.sum()), figures))
        if domain in held_out_domains(train.domains[train.real]):
            others = fit.values[rows & ~members].mean(axis=0)
            unknown = words.unknown(members, without=train.domains == domain)
            figures = _figures(elsewhere[members], unknown, rules, reference=others)
            new.append(DriftGroup(str(domain), int(members.sum()), figures))
    whole = _figures(fit.values[rows], words.unknown(rows), rules, reference=shares)
    by_label = {label: round(float(s), 5) for label, s in zip(LABELS, shares, strict=True)}
    return DriftReference(int(rows.sum()), by_label, whole, tuple(known), tuple(new))


class _Words:
    """Which words of the training rows would be unknown if the rows were not there."""

    def __init__(self, fit: LinearFit, train: Material) -> None:
        self._vectorizer = word_vectorizer(fit.vectorizers)
        at = fit.vectorizers.index(self._vectorizer)
        offset = sum(len(v.vocabulary_) for v in fit.vectorizers[:at])
        block = fit.features[:, offset : offset + len(self._vectorizer.vocabulary_)]
        self._present = (block > 0).astype(np.int32).tocsr()
        self._names = self._vectorizer.get_feature_names_out()
        self._rows = np.asarray(self._present.sum(axis=0)).ravel()
        self._texts = train.texts

    def unknown(self, members: Rows, *, without: Rows | None = None) -> float:
        """Share of the members' words that a vocabulary without those rows (or without each row itself) would lack.

        Words that labelled rows alone would not have made known come from public texts, and stay.
        """
        gone = np.asarray(self._present[without].sum(axis=0)).ravel() if without is not None else 1
        stay = (self._rows - gone >= _LEAST_ROWS) | (self._rows < _LEAST_ROWS)
        texts = [t for t, m in zip(self._texts, members, strict=True) if m]
        unknown, words = count_unknown(texts, self._vectorizer, set(self._names[stay].tolist())).sum(axis=0)
        return float(unknown / max(1, words))


def _figures(
    values: NDArray[np.float64],
    unknown: float,
    rules: tuple[Thresholds, Abstention | None],
    *,
    reference: NDArray[np.float64],
) -> dict[str, float]:
    doubt = expected_errors(values, rules[0])
    found = {
        "labels": share_distance(values.mean(axis=0), reference),
        "unknown": unknown,
        "abstained": abstains(doubt, rules[1]).mean(),
        "doubt": doubt.mean(),
    }
    return {name: round(float(value), 5) for name, value in found.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit each language as its recipe does, and write the references: language -> reference."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gold", type=Path, required=True, help="folder with train.jsonl and dev.jsonl")
    parser.add_argument("--public", type=Path, help="folder of the public sets; default: public beside the gold folder")
    parser.add_argument("--out", type=Path, required=True, help="JSON file")
    parser.add_argument("--language", choices=LANGUAGES, action="append", help="default: all")
    parser.add_argument("--gold-only", action="store_true", help="leave out our labels and the written items")
    options = parser.parse_args(arguments)
    public = options.public or options.gold.parent / "public"
    found = {}
    with threadpool_limits(1):
        for language in options.language or LANGUAGES:
            train = read_material(options.gold, public, language, gold_only=options.gold_only)
            banned = banned_keys(train, read_development(options.gold, language))
            fit = fit_linear(train, read_auxiliary(public, language, banned=banned))
            elsewhere = out_of_domain(fit, train)
            thresholds, rules = decision_rules(fit.values, elsewhere, train)
            abstention = Abstention(**rules["abstention"]) if rules["abstention"] else None
            reference = measure_drift_reference(fit, elsewhere, train, rules=(thresholds, abstention))
            found[language] = asdict(reference)
            options.out.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
