"""All checks of a labelled file in one record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gapnlp.errors import MissingExtra
from gapnlp.retraining.checks.agreement import Agreement, measure_agreement
from gapnlp.retraining.checks.mislabelled import MOST_ROWS, Suspect, find_mislabelled
from gapnlp.retraining.checks.rarity import ONE_SIDED, RARE, RULE, LabelCount, count_labels
from gapnlp.retraining.checks.repeats import (
    Contradiction,
    Leak,
    Repeat,
    find_contradictions,
    find_duplicates,
    find_leaks,
)
from gapnlp.retraining.labels.dataset import LabelledRow, LabelledRows
from gapnlp.retraining.labels.mapping import LabelMapping

# Said where the list of suspects is longer than it can be of use.
_HOPELESS = (
    "more than half of the rows look mislabelled: from so few rows the plain classifier of this check cannot tell "
    "these labels, so look at the first of its list only"
)


@dataclass(frozen=True, slots=True)
class DataReport:
    """What a labelled file holds and what is wrong with it; rows are named, texts are not in here.

    counts: gapnlp's labels. names: the user's labels -> rows that carry them, used or not. leaks: None when no test
    file was given. suspects: None when they could not be looked for; note says why, or what was left out.
    """

    data: LabelledRows
    mapping: LabelMapping
    names: Mapping[str, int]
    languages: Mapping[str, int]
    counts: tuple[LabelCount, ...]
    duplicates: tuple[Repeat, ...]
    contradictions: tuple[Contradiction, ...]
    agreement: tuple[Agreement, ...]
    leaks: tuple[Leak, ...] | None
    suspects: tuple[Suspect, ...] | None
    note: str = ""

    def summary(self) -> dict[str, int]:
        """Count the rows and the findings, of probably mislabelled ones the rows; -1 for a check that was not made."""
        return {
            "rows": len(self.data.rows),
            "not used": len(self.data.failures),
            "labels too rare": sum(c.state == RARE for c in self.counts),
            "labels that nothing denies": sum(c.state == ONE_SIDED for c in self.counts),
            "texts that repeat": len(self.duplicates),
            "leaks into the test set": -1 if self.leaks is None else len(self.leaks),
            "contradictions": len(self.contradictions),
            "probably mislabelled": -1 if self.suspects is None else len({s.place for s in self.suspects}),
        }

    def to_dict(self) -> dict[str, Any]:
        """Write everything as JSON-ready values, without any text of a ticket."""
        return {
            "files": [asdict(file) for file in self.data.files],
            "confirmed": self.mapping.confirmed,
            "mapping": {"judged": list(self.mapping.judged), "empty": self.mapping.empty},
            "summary": {key: None if value < 0 else value for key, value in self.summary().items()},
            "failures": [asdict(failure) for failure in self.data.failures],
            "unmapped": dict(self.data.unmapped),
            "names": dict(self.names),
            "languages": dict(self.languages),
            "rule": RULE,
            "labels": [asdict(count) | {"state": count.state} for count in self.counts],
            "duplicates": [asdict(repeat) for repeat in self.duplicates],
            "contradictions": [asdict(found) for found in self.contradictions],
            "agreement": [asdict(found) for found in self.agreement],
            "leaks": None if self.leaks is None else [asdict(leak) for leak in self.leaks],
            "suspects": None if self.suspects is None else [asdict(suspect) for suspect in self.suspects],
            "note": self.note,
        }


def check_labels(data: LabelledRows, mapping: LabelMapping, *, test: LabelledRows | None = None) -> DataReport:
    """Make all checks. test: held-out rows that training must not have seen."""
    rows = data.rows
    suspects, note = _suspects(rows)
    return DataReport(
        data=data,
        mapping=mapping,
        names=_count_names(data),
        languages=dict(Counter(row.ticket.language or "und" for row in rows).most_common()),
        counts=count_labels(data.tickets),
        duplicates=find_duplicates(rows),
        contradictions=find_contradictions(rows),
        agreement=measure_agreement(rows),
        leaks=None if test is None else find_leaks(rows, test.rows),
        suspects=suspects,
        note=note,
    )


def _count_names(data: LabelledRows) -> dict[str, int]:
    """Count the rows of each of the user's labels, most first, also those that the mapping makes nothing of."""
    counts = Counter(name for row in data.rows for name in sorted(row.named.chosen))
    counts.update(dict(sorted(data.unused.items())))
    return dict(counts.most_common())


def _suspects(rows: Sequence[LabelledRow]) -> tuple[tuple[Suspect, ...] | None, str]:
    try:
        suspects = find_mislabelled(rows)
    except MissingExtra as missing:
        return None, str(missing)
    notes = []
    if len(rows) > MOST_ROWS:
        notes.append(f"the last {len(rows) - MOST_ROWS:,} rows were not looked at for wrong labels")
    if 2 * len({suspect.place for suspect in suspects}) > len(rows):
        notes.append(_HOPELESS)
    return suspects, "; ".join(notes)
