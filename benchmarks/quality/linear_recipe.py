"""The recipe of the fast bundles, fitted on chosen gold items only, without writing a bundle.

The same functions as `training.linear`; left out are our own labels, the public sets and the error rates, which change
no label. What learning curves and transfer checks need: a classifier of which it is known what it has seen.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.quality.peers.peer import Peer
from benchmarks.quality.splits import Rows
from gapnlp.classifier.linear import LinearClassifier, LinearWeights
from gapnlp.ingest.gold import GoldItem
from gapnlp.records.labels import Labels
from gapnlp.text.normalise import normalise
from training.linear_fit import eight_bits, fit_linear
from training.material import flatten
from training.operating_points import choose_thresholds

RECIPE = Peer(
    "the linear recipe on gold alone",
    "benchmarks.quality.linear_recipe:label_by_recipe",
    gives_labels=True,
    further_sources=("training.linear_fit", "training.stages", "training.operating_points"),
)


def label_by_recipe(train: Rows, rows: Rows) -> list[Labels]:
    """Fit on train and label rows, each segment in its item."""
    documents = [[normalise(s.text, rows.language) for s in item.segments] for item in rows.items]
    return list(fit_on(train.items, train.language).predict(documents).labels)


def fit_on(items: Sequence[GoldItem], language: str) -> LinearClassifier:
    """Fit both stages and choose thresholds on out-of-fold probabilities. Same items, same classifier."""
    train = flatten(items, language)
    with threadpool_limits(1):  # threads would sum in another order each time
        fit = fit_linear(train, [])
    first, first_scale = eight_bits(fit.first.weights)
    weights = LinearWeights(
        first=first * first_scale,
        first_bias=fit.first.bias.astype(np.float32),
        centre=fit.centre,
        scale=fit.scale,
        second=fit.second.weights,
        second_bias=fit.second.bias,
    )
    return LinearClassifier(
        language=language,
        version="not a bundle",
        vectorizers=fit.vectorizers,
        weights=weights,
        thresholds=choose_thresholds(fit.values, train.targets),
        abstention=None,
        error_counts={},
        share_errors={},
    )
