"""What the reader of a report must be told: keys that apply, in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Sequence

from gapnlp.aggregator.importance import Derivation
from gapnlp.aggregator.tally import Tally
from gapnlp.records.labels import ATTRIBUTED_GAPS
from gapnlp.records.report import AuditUsed, Breakdown, DimensionResult, GapResult, ModelUsed

FEW_ITEMS = 100

# Every key that can appear; each needs its wording in the report.
CAVEATS: tuple[str, ...] = (
    "no_items",
    "few_items",
    "self_selected",
    "classifier_error",
    "quality_unknown",
    "mixed_models",
    "not_corrected",
    "correction_partial",
    "audit_few",
    "audit_unmatched",
    "attributed_gaps",
    "no_reference",
    "importance_from_sentiment",
    "importance_too_few",
    "importance_inseparable",
    "importance_weak",
    "importance_partial",
    "small_cells",
    "many_tests",
    "many_languages",
    "many_failed",
)

# From this share of the items a second language makes differences between groups doubtful.
SECOND_LANGUAGE = 0.05

# From this share of rows lost to faults in the file, the rest may not stand for the whole.
MANY_FAILED = 0.05


def collect_caveats(
    tally: Tally,
    derivation: Derivation,
    *,
    models: Sequence[ModelUsed],
    results: tuple[Sequence[DimensionResult], Sequence[GapResult], Sequence[Breakdown]],
    audit: AuditUsed | None = None,
) -> tuple[str, ...]:
    """List the caveats that apply, in the order of CAVEATS."""
    items = tally.count("items")
    if items == 0:
        return ("no_items", *(("many_failed",) if _many_failed(tally) else ()))
    dimensions, gaps, breakdowns = results
    applies = {
        "few_items": items < FEW_ITEMS,
        "self_selected": True,
        "classifier_error": True,
        "quality_unknown": _quality_unknown(tally, models),
        "mixed_models": len({language for language, _ in tally.ledger.versions}) < len(tally.ledger.versions),
        "not_corrected": any(g.corrected_share.value is None for g in gaps),
        "correction_partial": _partly_corrected(tally, gaps),
        "audit_few": audit is not None and not audit.enough,
        "audit_unmatched": audit is not None and audit.unmatched > 0,
        "attributed_gaps": any(g.segments for g in gaps if g.gap in ATTRIBUTED_GAPS),
        "no_reference": any(d.reference is None for d in dimensions),
        "importance_partial": 0 < len(derivation.importances) < len(dimensions),
        "small_cells": any(not cell.enough for table in breakdowns for cell in table.cells),
        "many_tests": any(c.p is not None for table in breakdowns for cell in table.cells for c in cell.comparisons),
        "many_languages": bool(breakdowns) and _many_languages(tally),
        "many_failed": _many_failed(tally),
    }
    return tuple(key for key in CAVEATS if applies.get(key, key in derivation.caveats))


def _quality_unknown(tally: Tally, models: Sequence[ModelUsed]) -> bool:
    known = {m.language for m in models if m.headline is not None}
    return any(language not in known for language in tally.ledger.languages)


def _partly_corrected(tally: Tally, gaps: Sequence[GapResult]) -> bool:
    """Say whether some language's segments were left out of a corrected share."""
    segments = tally.count("segments")
    return any(g.corrected_share.value is not None and g.corrected_share.n < segments for g in gaps)


def _many_languages(tally: Tally) -> bool:
    """Say whether cells can differ by language, and so by the classifier that read them."""
    counts = sorted(tally.ledger.languages.values(), reverse=True)
    return len(counts) > 1 and counts[1] >= SECOND_LANGUAGE * sum(counts)


def _many_failed(tally: Tally) -> bool:
    intake = tally.intake()
    return intake.failed > MANY_FAILED * intake.read
