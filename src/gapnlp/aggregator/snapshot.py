"""A tally as bytes, without pickle: a JSON head and packed integers, compressed; equal tallies give equal bytes.

Layout: MAGIC, then zlib of (head length as 8 bytes, head, arrays one after the other). The arrays are little-endian
64-bit integers whose bytes are regrouped by significance, which lets small counts compress well.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import fields
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from gapnlp.aggregator.columns import COLUMNS, LANGUAGE_COLUMNS
from gapnlp.aggregator.evidence import Sketch, Topic
from gapnlp.aggregator.ledger import Ledger
from gapnlp.aggregator.moments import MOMENTS
from gapnlp.aggregator.rows import Counts
from gapnlp.aggregator.weights import REPLICATES
from gapnlp.errors import StoreError
from gapnlp.records.feedback import Failure, Source
from gapnlp.records.report import Evidence

if TYPE_CHECKING:
    from gapnlp.aggregator.tally import Tally

MAGIC = b"gapnlp tally 1\n"

# A tally of other columns cannot be added to; the names make a mismatch visible.
_LAYOUT = f"{REPLICATES}|{zlib.crc32(' '.join((*COLUMNS, *MOMENTS, *LANGUAGE_COLUMNS)).encode()):08x}"


_EVIDENCE_FIELDS = tuple(field.name for field in fields(Evidence))
_OTHER_VERSION = "the stored counts are of another version of gapnlp; delete the work file and run again"


def write_snapshot(tally: Tally) -> bytes:
    """Store a tally."""
    arrays = [tally.replicated]
    arrays += [tally.causes[c] for c in sorted(tally.causes)]
    arrays += [tally.languages[name] for name in sorted(tally.languages)]
    arrays += [tally.cells[key] for key in sorted(tally.cells)]
    head = json.dumps(_head(tally), ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode()
    body = _pack(np.concatenate([a.reshape(-1) for a in arrays]))
    return MAGIC + zlib.compress(len(head).to_bytes(8, "little") + head + body, level=1)


def open_snapshot(stored: bytes) -> tuple[dict[str, Any], Counts]:
    """Take a stored tally apart into head and counts. Raises StoreError when it is damaged or of another version."""
    if not stored.startswith(MAGIC):
        raise StoreError(_OTHER_VERSION)
    try:
        raw = zlib.decompress(stored[len(MAGIC) :])
        length = int.from_bytes(raw[:8], "little")
        head = json.loads(raw[8 : 8 + length])
        counts = _unpack(raw[8 + length :])
    except (zlib.error, ValueError) as error:
        raise StoreError("the stored counts are damaged; delete the work file and run again") from error
    if head["layout"] != _LAYOUT:
        raise StoreError(_OTHER_VERSION)
    return head, counts


def fill_tally(tally: Tally, head: dict[str, Any], counts: Counts) -> None:
    """Put what `open_snapshot` gave into an empty tally."""
    _fill_counts(tally, head, counts)
    tally.ledger = _read_ledger(head["ledger"])
    tally.evidence.strongest = _read_sketches(head["strongest"])
    tally.evidence.sample = _read_sketches(head["sample"])
    tally.first, tally.last = (_read_day(head[name]) for name in ("first", "last"))


def _head(tally: Tally) -> dict[str, Any]:
    return {
        "layout": _LAYOUT,
        "by_group": tally.by_group,
        "period": tally.period,
        "first": tally.first and tally.first.isoformat(),
        "last": tally.last and tally.last.isoformat(),
        "causes": sorted(tally.causes),
        "languages": sorted(tally.languages),
        "cells": sorted(tally.cells),
        "ledger": _ledger_head(tally.ledger),
        "strongest": _sketch_heads(tally.evidence.strongest),
        "sample": _sketch_heads(tally.evidence.sample),
    }


def _fill_counts(tally: Tally, head: dict[str, Any], flat: Counts) -> None:
    rows = 1 + REPLICATES
    tally.replicated, flat = _take(flat, rows, len(COLUMNS))
    for cause in head["causes"]:
        column, flat = _take(flat, rows, 1)
        tally.causes[cause] = column[:, 0]
    for language in head["languages"]:
        tally.languages[language], flat = _take(flat, rows, len(LANGUAGE_COLUMNS))
    for kind, name in head["cells"]:
        row, flat = _take(flat, 1, len(MOMENTS))
        tally.cells[(kind, name)] = row[0]


def _take(flat: Counts, rows: int, columns: int) -> tuple[Counts, Counts]:
    size = rows * columns
    return flat[:size].reshape(rows, columns), flat[size:]


def _pack(values: Counts) -> bytes:
    return values.astype("<i8").view(np.uint8).reshape(-1, 8).T.tobytes()


def _unpack(packed: bytes) -> Counts:
    grouped = np.frombuffer(packed, dtype=np.uint8).reshape(8, -1)
    return np.ascontiguousarray(grouped.T).reshape(-1).view("<i8").astype(np.int64)


def _ledger_head(ledger: Ledger) -> dict[str, Any]:
    return {
        # Unary plus drops zero counts, which would make equal ledgers look different.
        "kinds": dict(+ledger.kinds),
        "languages": dict(+ledger.languages),
        "unsupported": dict(+ledger.unsupported),
        "versions": sorted(ledger.versions),
        "failures": [_failure_head(f) for f in ledger.failures],
        "notices": ledger.notices,
        "noticed": [_failure_head(f) for f in ledger.noticed],
    }


def _read_ledger(head: dict[str, Any]) -> Ledger:
    ledger = Ledger()
    ledger.kinds.update(head["kinds"])
    ledger.languages.update(head["languages"])
    ledger.unsupported.update(head["unsupported"])
    ledger.versions = {(language, version) for language, version in head["versions"]}
    ledger.failures = [_read_failure(f) for f in head["failures"]]
    ledger.notices = head["notices"]
    ledger.noticed = [_read_failure(f) for f in head["noticed"]]
    return ledger


def _failure_head(failure: Failure) -> list[Any]:
    return [failure.source.file, failure.source.row, failure.kind, failure.reason, failure.id, failure.language]


def _read_failure(head: list[Any]) -> Failure:
    file, row, kind, reason, name, language = head
    return Failure(Source(file, row), kind, reason, name, language)


def _sketch_heads(sketches: dict[Topic, Sketch]) -> list[Any]:
    return [
        [topic, sketch.limit, [[rank, _evidence_head(evidence)] for rank, evidence in sketch.ranked()]]
        for topic, sketch in sorted(sketches.items())
    ]


def _evidence_head(evidence: Evidence) -> dict[str, Any]:
    # Not dataclasses.asdict: it copies deeply, which took most of a snapshot's time.
    values = {name: getattr(evidence, name) for name in _EVIDENCE_FIELDS}
    return values | {"date": evidence.date and evidence.date.isoformat()}


def _read_sketches(heads: list[Any]) -> dict[Topic, Sketch]:
    sketches = {}
    for topic, limit, entries in heads:
        sketch = sketches[tuple(topic)] = Sketch(limit)
        for rank, raw in entries:
            evidence = Evidence(**raw | {"date": _read_day(raw["date"])})
            # The text key stands fourth from the end of a rank.
            sketch.put(tuple(rank), rank[-4], evidence)
    return sketches


def _read_day(raw: str | None) -> date | None:
    return None if raw is None else date.fromisoformat(raw)
