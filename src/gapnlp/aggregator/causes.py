"""Why a gap opens, by what its segments say, and what closes it."""

from __future__ import annotations

from collections.abc import Sequence

from gapnlp.aggregator.intervals import estimate_ratio
from gapnlp.aggregator.tally import Tally
from gapnlp.aggregator.typical import pick_evidence
from gapnlp.records.report import CauseResult
from gapnlp.taxonomy.catalogue import Structure

MOST_REMEDIES = 5


def rank_causes(tally: Tally, gap: str, *, structure: Structure, level: float) -> tuple[CauseResult, ...]:
    """List a gap's causes that any segment has a cue of, the most frequent first."""
    found = [c for c in structure.causes.values() if c.gap == gap and tally.cause(c.key)[0] > 0]
    order = {key: i for i, key in enumerate(structure.causes)}
    found.sort(key=lambda c: (-int(tally.cause(c.key)[0]), order[c.key]))
    clusters = tally.count(f"items:gap:{gap}")
    return tuple(
        CauseResult(
            cause=cause.key,
            segments=int(tally.cause(cause.key)[0]),
            share=estimate_ratio((tally.cause(cause.key), tally.column(f"gap:{gap}")), clusters=clusters, level=level),
            remedies=cause.remedies,
            evidence=pick_evidence(tally.evidence, ("cause", cause.key)),
        )
        for cause in found
    )


def rank_remedies(causes: Sequence[CauseResult], gap: str, *, structure: Structure) -> tuple[str, ...]:
    """List up to five remedies of a gap by how many segments speak of the causes that they mend.

    A cause counts in full for its best remedy, by half for its second, by a third for its third. Without any known
    cause, the gap's general remedies are given.
    """
    if not causes:
        return structure.gap_remedies.get(gap, ())[:MOST_REMEDIES]
    scores: dict[str, float] = {}
    for cause in causes:
        for place, remedy in enumerate(cause.remedies, start=1):
            scores[remedy] = scores.get(remedy, 0.0) + cause.segments / place
    order = {key: i for i, key in enumerate(structure.remedies)}
    return tuple(sorted(scores, key=lambda r: (-scores[r], order.get(r, len(order)), r))[:MOST_REMEDIES])
