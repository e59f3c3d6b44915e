"""All of a card that follows from out-of-fold probabilities: thresholds, abstention, error rates, figures."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapnlp.classifier.decision import Thresholds, decide, expected_errors
from gapnlp.classifier.measure import Measure, macro
from training.calibration import calibration_figures
from training.intervals import material_intervals
from training.material import Material
from training.operating_points import choose_abstention, choose_thresholds, count_errors
from training.share_errors import measure_share_errors

Matrix = NDArray[np.float64]


def decision_rules(values: Matrix, elsewhere: Matrix, train: Material) -> tuple[Thresholds, dict[str, Any]]:
    """Choose and measure on text by customers alone; give the thresholds and what belongs into the card.

    values: probabilities out of fold; elsewhere: the same with each domain held out. Columns as LABELS.
    """
    real = train.real
    targets, found = train.targets[real], values[real]
    thresholds = choose_thresholds(found, targets)
    labels = decide(values, thresholds)
    truth = [x for r in train.records for x in r.labels]
    truth_real, labels_real = ([x for x, keep in zip(all_, real, strict=True) if keep] for all_ in (truth, labels))
    errors = count_errors(truth_real, labels_real, train.random[real])
    shares = measure_share_errors((found, elsewhere[real]), targets, groups=(train.domains[real], train.random[real]))
    abstention = choose_abstention(expected_errors(found, thresholds), truth_real, labels_real)
    return thresholds, {
        "thresholds": asdict(thresholds),
        "abstention": asdict(abstention) if abstention else None,
        "error_counts": {label: asdict(counts) for label, counts in errors.items()},
        "share_errors": {label: asdict(error) for label, error in shares.items()},
        "out_of_fold": figures(train.measure(labels)),
        "out_of_fold_intervals": material_intervals(train, labels),
        "calibration": {
            "all": calibration_figures(found, targets),
            "random": calibration_figures(values[train.random], train.targets[train.random]),
        },
    }


def figures(result: Measure) -> dict[str, Any]:
    """Flatten a measure, with macro means, rounded to four digits."""
    found = asdict(result)
    found["headline"] = result.headline
    for group in ("dimensions", "dimensions_polarity", "gaps", "sentiment", "item_dimensions", "item_gaps"):
        found[f"{group}_macro"] = macro(found[group])
    rounded: dict[str, Any] = json.loads(json.dumps(found), parse_float=lambda x: round(float(x), 4))
    return rounded
