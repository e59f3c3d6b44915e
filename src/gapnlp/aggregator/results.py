"""The results of each dimension, each gap, and all items together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gapnlp.aggregator.causes import rank_causes, rank_remedies
from gapnlp.aggregator.columns import EXPLICIT, LANGUAGE_COLUMNS, PROBABILITY_UNIT
from gapnlp.aggregator.comparisons import BALANCE, LIKERT
from gapnlp.aggregator.intervals import NOTHING, UNIT, estimate_mean, estimate_ratio, estimate_share
from gapnlp.aggregator.prevalence import estimate_corrected
from gapnlp.aggregator.rows import Counts
from gapnlp.aggregator.tally import Tally
from gapnlp.aggregator.typical import pick_evidence
from gapnlp.records.error_counts import ShareError
from gapnlp.records.labels import ATTRIBUTED_GAPS, DIMENSIONS, POLARITIES, SENTIMENTS, gap_label
from gapnlp.records.report import DimensionResult, Estimate, GapResult, Importance, Overall, Reference
from gapnlp.taxonomy.catalogue import Structure


def summarise_all(tally: Tally, *, level: float) -> Overall:
    """Sentiment, churn, expectations and satisfaction over all items."""
    items = tally.count("items")
    explicit = _total(tally, [f"expectation:{e}" for e in EXPLICIT])
    return Overall(
        sentiment={
            s: estimate_ratio((tally.column(f"sentiment:{s}"), tally.column("segments")), clusters=items, level=level)
            for s in SENTIMENTS
        },
        churn=estimate_share(tally.count("items:churn"), items, level=level),
        breach_rate=estimate_ratio(
            (tally.column("expectation:unmet"), explicit), clusters=tally.count("items:expected"), level=level
        ),
        expectations={e: tally.count(f"expectation:{e}") for e in EXPLICIT},
        mean_satisfaction=_mean_satisfaction(tally, level=level),
    )


def _total(tally: Tally, names: Sequence[str]) -> Counts:
    """Sum several statistics: plain, then the bootstrap's, shape (1 + n_replicates,)."""
    total: Counts = np.sum([tally.column(name) for name in names], axis=0)
    return total


def _mean_satisfaction(tally: Tally, *, level: float) -> Estimate | None:
    """Mean of the ratings' place on their scale, in [0, 1]; None when no item has one."""
    n, y, yy = (tally.count(f"rating:{name}") for name in ("n", "y", "yy"))
    if n == 0:
        return None
    mean = y / n / 100
    variance = max(0.0, yy / n / 10_000 - mean**2) / max(1, n - 1)
    return estimate_mean(mean, variance, size=(n, n), level=level, scale=UNIT)


def summarise_dimension(
    tally: Tally, dimension: str, *, reference: Reference | None, importance: Importance | None, level: float
) -> DimensionResult:
    """All figures of one dimension."""
    counts = {p: tally.column(f"dimension:{dimension}:{p}") for p in POLARITIES}
    judging = _total(tally, [f"dimension:{dimension}:{p}" for p in POLARITIES])
    items = tally.count(f"items:dimension:{dimension}")
    balance = (counts["pos"] - counts["neg"], judging)
    perception = estimate_ratio(balance, clusters=items, level=level, ends=BALANCE, scale=LIKERT)
    expected = (tally.column(f"unmet:{dimension}"), tally.column(f"expected:{dimension}"))
    return DimensionResult(
        dimension=dimension,
        segments=int(judging[0]),
        items=items,
        counts={p: int(c[0]) for p, c in counts.items()},
        segment_share=estimate_ratio((judging, tally.column("segments")), clusters=tally.count("items"), level=level),
        item_share=estimate_share(items, tally.count("items"), level=level),
        perception=perception,
        breach_rate=estimate_ratio(expected, clusters=tally.count(f"items:expected:{dimension}"), level=level),
        reference=reference,
        servqual_gap=None if reference is None else shift_estimate(perception, -reference.expectation),
        importance=importance,
        negative=pick_evidence(tally.evidence, ("dimension", dimension, "neg")),
        positive=pick_evidence(tally.evidence, ("dimension", dimension, "pos")),
    )


def shift_estimate(estimate: Estimate, by: float) -> Estimate:
    """Add a known number to an estimate and its interval."""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return estimate
    return Estimate(estimate.value + by, estimate.low + by, estimate.high + by, estimate.n)


def summarise_gap(
    tally: Tally,
    gap: str,
    *,
    share_errors: Mapping[str, Mapping[str, ShareError]],
    structure: Structure,
    level: float,
) -> GapResult:
    """All figures of one gap."""
    segments, items = tally.count(f"gap:{gap}"), tally.count(f"items:gap:{gap}")
    causes = rank_causes(tally, gap, structure=structure, level=level)
    return GapResult(
        gap=gap,
        segments=segments,
        items=items,
        raw_share=estimate_ratio(
            (tally.column(f"gap:{gap}"), tally.column("segments")), clusters=tally.count("items"), level=level
        ),
        corrected_share=correct_share(tally, gap_label(gap), share_errors=share_errors, level=level),
        item_share=estimate_share(items, tally.count("items"), level=level),
        attributed=gap in ATTRIBUTED_GAPS,
        dimensions={d: tally.count(f"fault:{gap}:{d}") for d in DIMENSIONS},
        causes=causes,
        unexplained=tally.count(f"unexplained:{gap}"),
        remedies=rank_remedies(causes, gap, structure=structure) if segments else (),
        evidence=pick_evidence(tally.evidence, ("gap", gap)),
    )


def correct_share(
    tally: Tally, label: str, *, share_errors: Mapping[str, Mapping[str, ShareError]], level: float
) -> Estimate:
    """Estimate a label's share of segments, corrected for the classifier's known error; value None without one."""
    place, segments = LANGUAGE_COLUMNS.index(f"probability:{label}"), LANGUAGE_COLUMNS.index("segments")
    counts = {
        name: (sums[:, place] / PROBABILITY_UNIT, sums[:, segments]) for name, sums in sorted(tally.languages.items())
    }
    if not any(int(n[0]) for _, n in counts.values()):
        return NOTHING
    errors = {name: labels[label] for name, labels in share_errors.items() if label in labels}
    return estimate_corrected(counts, errors, label=label, clusters=tally.count("items"), level=level)
