"""A ledger tally as bytes, without pickle: compressed JSON whose order is fixed, so equal tallies give equal bytes."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import TYPE_CHECKING, Any

from gapnlp.errors import StoreError
from gapnlp.promises.ledger_counts import Audience, PromiseCounts, Spoken, ToldSample
from gapnlp.promises.ledger_evidence import Shortlist
from gapnlp.records.report import Evidence

if TYPE_CHECKING:
    from gapnlp.promises.ledger_tally import LedgerTally

MAGIC = b"gapnlp ledger tally 1\n"

_EVIDENCE_FIELDS = tuple(field.name for field in fields(Evidence))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was stored, read again; the fields are those of LedgerTally."""

    period: str | None
    segments: int
    dated: int
    languages: Mapping[str, int]
    everyone: Audience
    entities: dict[str, Audience]
    promises: dict[str, PromiseCounts]
    subjects: dict[tuple[str, str], Spoken]


def write_snapshot(tally: LedgerTally) -> bytes:
    """Store a tally."""
    plain = {
        "period": tally.period,
        "segments": tally.segments,
        "dated": tally.dated,
        "languages": dict(tally.languages),
        "everyone": _plain_audience(tally.everyone),
        "entities": {name: _plain_audience(audience) for name, audience in tally.entities.items()},
        "promises": {name: _plain_promise(counts) for name, counts in tally.promises.items()},
        "subjects": [[*key, _plain_spoken(spoken)] for key, spoken in sorted(tally.subjects.items())],
    }
    text = json.dumps(plain, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return MAGIC + zlib.compress(text.encode(), level=1)


def open_snapshot(stored: bytes) -> Snapshot:
    """Read what `write_snapshot` wrote. Raises StoreError when it is damaged or of another version."""
    if not stored.startswith(MAGIC):
        raise StoreError("the stored ledger is of another version of gapnlp; delete the work file and run again")
    try:
        plain = json.loads(zlib.decompress(stored[len(MAGIC) :]))
        return Snapshot(
            plain["period"],
            plain["segments"],
            plain["dated"],
            plain["languages"],
            _read_audience(plain["everyone"]),
            {name: _read_audience(audience) for name, audience in plain["entities"].items()},
            {name: _read_promise(counts) for name, counts in plain["promises"].items()},
            {(subject, kind): _read_spoken(spoken) for subject, kind, spoken in plain["subjects"]},
        )
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        raise StoreError("the stored ledger is damaged; delete the work file and run again") from error


def _plain_audience(audience: Audience) -> list[Any]:
    return [audience.items, audience.breaking, audience.sentiment, dict(audience.periods)]


def _read_audience(plain: list[Any]) -> Audience:
    items, breaking, sentiment, periods = plain
    return Audience(items, breaking, sentiment, Counter(periods))


def _plain_promise(counts: PromiseCounts) -> list[Any]:
    spoken = {relation: _plain_spoken(spoken) for relation, spoken in counts.spoken.items()}
    return [spoken, counts.speaking, counts.sentiment, dict(counts.periods), counts.told.values()]


def _read_promise(plain: list[Any]) -> PromiseCounts:
    spoken, speaking, sentiment, periods, told = plain
    return PromiseCounts(
        {relation: _read_spoken(stored) for relation, stored in spoken.items()},
        speaking,
        sentiment,
        Counter(periods),
        ToldSample((key, value, unit, working) for key, value, unit, working in told),
    )


def _plain_spoken(spoken: Spoken) -> list[Any]:
    sentences = [[rank, _plain_evidence(evidence)] for rank, evidence in spoken.sentences.best()]
    return [spoken.items, spoken.probability, spoken.sentences.limit, sentences]


def _read_spoken(plain: list[Any]) -> Spoken:
    items, probability, limit, stored = plain
    sentences = Shortlist(limit)
    for (poor, strength, key, file, row, item, start), values in stored:
        sentences.keep((poor, strength, key, file, row, item, start), _read_evidence(values))
    return Spoken(sentences, items, probability)


def _plain_evidence(evidence: Evidence) -> dict[str, Any]:
    values = {name: getattr(evidence, name) for name in _EVIDENCE_FIELDS}
    return values | {"date": evidence.date and evidence.date.isoformat()}


def _read_evidence(values: dict[str, Any]) -> Evidence:
    day = values["date"]
    return Evidence(**values | {"date": None if day is None else date.fromisoformat(day)})
