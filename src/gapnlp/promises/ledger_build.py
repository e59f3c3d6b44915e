"""From the tally of judged items to the ledger: every figure is computed here and nowhere after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gapnlp.promises.ledger_counts import Audience, PromiseCounts
from gapnlp.promises.ledger_shares import Correction, MatcherError, correct_share, count_share, make_correction
from gapnlp.promises.ledger_tally import LedgerTally
from gapnlp.promises.ledger_told import measure_told, suggest_wording
from gapnlp.promises.ledger_uncovered import find_uncovered, list_entities
from gapnlp.promises.ledger_verdict import judge_promise
from gapnlp.records.feedback import Recognition
from gapnlp.records.promises import (
    LEDGER_SCHEMA_VERSION,
    RELATIONS,
    VERDICTS,
    CopyUnit,
    EntityRow,
    Ledger,
    LedgerEntry,
    TrendPoint,
)
from gapnlp.records.report import ModelUsed

# Items that must speak of a promise before its effect on sentiment is given.
LEAST_FOR_EFFECT = 5
FEW_ITEMS = 100
# Every key that can appear, in the order in which they are shown; each needs its wording.
LEDGER_CAVEATS: tuple[str, ...] = (
    "no_promises",
    "no_items",
    "one_item",
    "few_items",
    "other_language",
    "matcher_error",
    "self_selected",
    "no_dates",
    "entities_without_items",
)


@dataclass(frozen=True, slots=True)
class LedgerSettings:
    """What the ledger is told from outside.

    copy: names of the copy files. matcher_error: one for each of RELATIONS, measured on held-out cases. level: of the
    intervals. draft: whether the copy is not published yet. other_language: whether copy and feedback are in different
    languages. Raises ValueError when a relation has no error, or the level is not between 0 and 1.
    """

    copy: tuple[str, ...]
    inputs: tuple[Recognition, ...]
    models: tuple[ModelUsed, ...]
    matcher_error: Mapping[str, MatcherError]
    level: float = 0.95
    draft: bool = False
    other_language: bool = False

    def __post_init__(self) -> None:
        missing = [relation for relation in RELATIONS if relation not in self.matcher_error]
        if missing:
            raise ValueError(f"the matcher's error is missing for {missing}; give one for each of {RELATIONS}")
        if not 0 < self.level < 1:
            raise ValueError(f"the level of intervals must lie between 0 and 1, not at {self.level}")


def build_ledger(tally: LedgerTally, *, units: tuple[CopyUnit, ...], settings: LedgerSettings) -> Ledger:
    """Hold what was counted against the promises of the copy; nothing is estimated where nothing was counted.

    units: all units of the copy, in order; entries are made of those that are promises, the worst first.
    """
    corrections = {r: make_correction(settings.matcher_error[r], r) for r in RELATIONS}
    promises = tuple(unit for unit in units if unit.is_promise)
    entries = [_build_entry(tally, p, corrections=corrections, level=settings.level) for p in promises]
    entities = list_entities(tally, units, correction=corrections["breaks"], level=settings.level)
    return Ledger(
        schema_version=LEDGER_SCHEMA_VERSION,
        copy=settings.copy,
        inputs=settings.inputs,
        models=settings.models,
        level=settings.level,
        units=units,
        items=tally.items,
        segments=tally.segments,
        languages=dict(sorted(tally.languages.items(), key=lambda pair: (-pair[1], pair[0]))),
        # Sorting is stable: promises that fare alike stay in the order of the copy.
        entries=tuple(sorted(entries, key=_badness)),
        praised=find_uncovered(tally, "praise", promises=promises, level=settings.level),
        complaints=find_uncovered(tally, "fault", promises=promises, level=settings.level),
        entities=entities,
        draft=settings.draft,
        caveats=_caveats(tally, promises=promises, entities=entities, other_language=settings.other_language),
    )


def _build_entry(
    tally: LedgerTally, promise: CopyUnit, *, corrections: dict[str, Correction], level: float
) -> LedgerEntry:
    counts = tally.promises.get(promise.id) or PromiseCounts()
    audience = _audience(tally, promise)
    items = {r: counts.spoken[r].items if r in counts.spoken else 0 for r in RELATIONS}
    shares = {r: correct_share(items[r], audience.items, correction=corrections[r], level=level) for r in RELATIONS}
    quotes = {r: counts.spoken[r].sentences.evidence() if r in counts.spoken else () for r in RELATIONS}
    told = None if promise.quantity is None else measure_told(promise.quantity, counts.told.values())
    spoken = (items["breaks"], items["keeps"], counts.speaking)
    return LedgerEntry(
        promise=promise,
        breaks=items["breaks"],
        keeps=items["keeps"],
        break_share=shares["breaks"],
        keep_share=shares["keeps"],
        told=told,
        trend=_trend(counts, audience, level=level),
        effect=_effect(counts, audience),
        verdict=judge_promise(spoken, break_share=shares["breaks"], corrections=corrections, level=level),
        suggested=suggest_wording(told, promise.language),
        breaking=quotes["breaks"],
        keeping=quotes["keeps"],
    )


def _audience(tally: LedgerTally, promise: CopyUnit) -> Audience:
    """Give the items that could speak of a promise: those of its entity, or all where it has none."""
    return tally.everyone if promise.entity is None else tally.entities.get(promise.entity, Audience())


def _trend(counts: PromiseCounts, audience: Audience, *, level: float) -> tuple[TrendPoint, ...]:
    """Give the share of each period's items that break the promise, as decided; nothing with fewer than 2 periods."""
    if len(audience.periods) < 2:
        return ()
    return tuple(
        TrendPoint(label, count_share(min(counts.periods[label], items), items, level=level))
        for label, items in sorted(audience.periods.items())
    )


def _effect(counts: PromiseCounts, audience: Audience) -> float | None:
    """Compare the mean sentiment of items that speak of a promise with that of the others; None with too few."""
    others = audience.items - counts.speaking
    if counts.speaking < LEAST_FOR_EFFECT or others < 1:
        return None
    mean, rest = counts.sentiment / counts.speaking, (audience.sentiment - counts.sentiment) / others
    return (mean - rest) / 100


def _badness(entry: LedgerEntry) -> tuple[int, float, float]:
    share = entry.break_share
    return VERDICTS.index(entry.verdict), -(share.low or 0.0), -(share.value or 0.0)


def _caveats(
    tally: LedgerTally, *, promises: Sequence[CopyUnit], entities: Sequence[EntityRow], other_language: bool
) -> tuple[str, ...]:
    applies = {
        "no_promises": not promises,
        "no_items": tally.items == 0,
        "one_item": tally.items == 1,
        "few_items": 0 < tally.items < FEW_ITEMS,
        "other_language": other_language,
        "matcher_error": tally.items > 0,
        "self_selected": tally.items > 0,
        "no_dates": tally.items > 0 and tally.dated == 0,
        "entities_without_items": any(row.promises and not row.items for row in entities),
    }
    return tuple(key for key in LEDGER_CAVEATS if applies[key])
