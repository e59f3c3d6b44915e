"""From counts to the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gapnlp.aggregator.audit_tally import AuditTally
from gapnlp.aggregator.caveats import collect_caveats
from gapnlp.aggregator.importance import derive_importance
from gapnlp.aggregator.label_shares import describe_audit, summarise_shares
from gapnlp.aggregator.results import summarise_all, summarise_dimension, summarise_gap
from gapnlp.aggregator.tally import Tally
from gapnlp.aggregator.trends import build_breakdowns
from gapnlp.errors import InputError
from gapnlp.records.error_counts import ShareError
from gapnlp.records.feedback import Recognition
from gapnlp.records.labels import DIMENSIONS, GAPS
from gapnlp.records.report import SCHEMA_VERSION, GapReport, ModelUsed, Reference
from gapnlp.taxonomy.catalogue import load_structure


@dataclass(frozen=True, slots=True)
class BuildSettings:
    """What the counts do not know.

    share_errors: language -> label ("gap:delivery") -> how far the bundle's mean probability lies from the true share
    in new domains; a gap without is not corrected. references: dimension -> expectation that P is compared with. by:
    name of the column that groups come from. period: the tally's. level: of all intervals, in (0, 1). audit: segments
    that people labelled, found among the same items that the tally counted.
    """

    recognitions: tuple[Recognition, ...] = ()
    models: tuple[ModelUsed, ...] = ()
    share_errors: Mapping[str, Mapping[str, ShareError]] = field(default_factory=dict)
    references: Mapping[str, Reference] = field(default_factory=dict)
    by: str | None = None
    period: str | None = None
    level: float = 0.95
    audit: AuditTally | None = None


def build(tally: Tally, *, settings: BuildSettings) -> GapReport:
    """Estimate everything that a report shows; the same tally and settings give the same report.

    Without any scored item the figures are None and the intake says what became of the rows.
    Raises InputError when the settings do not fit the tally, or no audited segment is among the scored ones.
    """
    _check_settings(tally, settings)
    level = settings.level
    derivation = derive_importance(tally.replicated, level=level)
    dimensions = tuple(
        summarise_dimension(
            tally,
            d,
            reference=settings.references.get(d),
            importance=derivation.importances.get(d),
            level=level,
        )
        for d in DIMENSIONS
    )
    structure = load_structure()
    gaps = tuple(
        summarise_gap(tally, g, share_errors=settings.share_errors, structure=structure, level=level) for g in GAPS
    )
    breakdowns = build_breakdowns(tally, by=settings.by, level=level)
    audit = describe_audit(settings.audit) if settings.audit else None
    return GapReport(
        schema_version=SCHEMA_VERSION,
        inputs=settings.recognitions,
        intake=tally.intake(),
        models=settings.models,
        level=level,
        items=tally.count("items"),
        segments=tally.count("segments"),
        first=tally.first,
        last=tally.last,
        overall=summarise_all(tally, level=level),
        outcome=derivation.outcome,
        outcome_items=derivation.items,
        explained=derivation.explained,
        dimensions=dimensions,
        gaps=gaps,
        shares=summarise_shares(tally, settings.audit, share_errors=settings.share_errors, level=level),
        audit=audit,
        breakdowns=breakdowns,
        caveats=collect_caveats(
            tally, derivation, models=settings.models, results=(dimensions, gaps, breakdowns), audit=audit
        ),
    )


def _check_settings(tally: Tally, settings: BuildSettings) -> None:
    if not 0 < settings.level < 1:
        raise InputError(f"level {settings.level} is no confidence level; give a number between 0 and 1, such as 0.95")
    if settings.period != tally.period:
        raise InputError(f"the counts are by period {tally.period}, the report was asked by {settings.period}")
    if (settings.by is not None) != tally.by_group:
        raise InputError("the counts and the report must both be by group, or both not; run again from the input")
    unknown = sorted(set(settings.references) - set(DIMENSIONS))
    if unknown:
        raise InputError(f"expectations for unknown dimensions {unknown}; known: {', '.join(DIMENSIONS)}")
