"""Every label's share of segments, in each way that it can be stated, and which of them to go by."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gapnlp.aggregator.audit import LEAST_AUDITED, Audited, estimate_audited
from gapnlp.aggregator.audit_tally import AuditTally
from gapnlp.aggregator.intervals import NOTHING, estimate_ratio
from gapnlp.aggregator.results import correct_share
from gapnlp.aggregator.rows import Counts
from gapnlp.aggregator.tally import Tally
from gapnlp.errors import InputError
from gapnlp.records.error_counts import ShareError
from gapnlp.records.labels import DIMENSIONS, HEADS, POLARITIES, PRESENCE_LABELS, dimension_label
from gapnlp.records.report import AuditUsed, Estimate, LabelShare

# A share with fewer audited segments on either side has an interval that is wider than need be: see docs/audit.md.
RARE = 5


def summarise_shares(
    tally: Tally,
    audit: AuditTally | None,
    *,
    share_errors: Mapping[str, Mapping[str, ShareError]],
    level: float,
) -> tuple[LabelShare, ...]:
    """State every label's share, in the order of HEADS: audited if possible, else corrected, else counted."""
    if tally.count("segments") == 0:
        return ()
    return tuple(_summarise(tally, label, audit, share_errors=share_errors, level=level) for label in HEADS)


def _summarise(
    tally: Tally,
    label: str,
    audit: AuditTally | None,
    *,
    share_errors: Mapping[str, Mapping[str, ShareError]],
    level: float,
) -> LabelShare:
    counted = estimate_ratio(
        (_count(tally, label), tally.column("segments")), clusters=tally.count("items"), level=level
    )
    corrected = None
    if label not in PRESENCE_LABELS:
        corrected = _known(correct_share(tally, label, share_errors=share_errors, level=level))
    found, positives = Audited(NOTHING, 0.0), 0
    if audit is not None:
        sample = audit.sample(label)
        positives = int(sample.truth.sum())
        found = estimate_audited(sample, audit.population(label), level=level)
    audited = _known(found.estimate)
    return LabelShare(
        label,
        counted=counted,
        corrected=corrected,
        audited=audited,
        weight=found.weight,
        positives=positives,
        rare=audited is not None and min(positives, audited.n - positives) < RARE,
        used="audited" if audited else "corrected" if corrected else "counted",
    )


def _count(tally: Tally, label: str) -> Counts:
    """Segments decided to have a label: the plain sum, then the bootstrap's."""
    if label not in PRESENCE_LABELS:
        return tally.column(label)
    dimension = DIMENSIONS[PRESENCE_LABELS.index(label)]
    total: Counts = np.sum([tally.column(dimension_label(dimension, p)) for p in POLARITIES], axis=0)
    return total


def _known(estimate: Estimate) -> Estimate | None:
    return None if estimate.value is None else estimate


def describe_audit(audit: AuditTally) -> AuditUsed:
    """Say what became of the audit's rows. Raises InputError when none of its segments is among the scored ones."""
    found = list(audit.found.values())
    if not found:
        raise InputError(
            f"{audit.table.file}: none of its {len(audit.table.rows)} labelled segments is among the scored ones; give "
            "the file that the sample was drawn from, with the same columns and the same --redact"
        )
    return AuditUsed(
        file=audit.table.file,
        segments=len(found),
        items=len({segment.item for segment in found}),
        waiting=audit.table.waiting,
        unmatched=len(audit.table.rows) - len(found),
        enough=len(found) >= LEAST_AUDITED,
        left_out=audit.table.left_out,
    )
