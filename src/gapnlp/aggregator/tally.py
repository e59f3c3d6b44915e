"""The bridge between items and the report: counts that can be merged in any order and stored between chunks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gapnlp.aggregator.columns import COLUMNS, INDEX, LANGUAGE_COLUMNS
from gapnlp.aggregator.evidence import EvidenceBook
from gapnlp.aggregator.ledger import Ledger
from gapnlp.aggregator.moments import MOMENTS, item_moments
from gapnlp.aggregator.periods import check_period
from gapnlp.aggregator.rows import Counts, count_causes, count_rows
from gapnlp.aggregator.snapshot import fill_tally, open_snapshot, write_snapshot
from gapnlp.aggregator.weights import REPLICATES, draw_weights, item_key
from gapnlp.errors import InputError
from gapnlp.records.analysis import Analysis
from gapnlp.records.feedback import Failure
from gapnlp.records.periods import PERIODS
from gapnlp.records.report import Intake

MOST_GROUPS = 500

# Items worked on at once; bounds memory, changes no figure.
BLOCK = 2048

# (kind, name): ("all", ""), ("group", value) or ("period", label)
CellKey = tuple[str, str]
ALL: CellKey = ("all", "")

K = TypeVar("K")


class Tally:
    """Mergeable counts of analyses and failures.

    `merge` is associative and commutative, and adding items in any order or in any chunks gives the same tally, bit by
    bit: all sums are of integers, and bootstrap weights depend on the item alone. Each item must be added once.

    replicated: (1 + REPLICATES, n_columns); row 0 is the plain sum, the others are bootstrap-weighted sums.
    causes: cause -> (1 + REPLICATES,) segments. languages: language -> (1 + REPLICATES, n) in LANGUAGE_COLUMNS.
    cells: sums of MOMENTS for everything, each group and each period.
    """

    def __init__(self, *, by_group: bool = False, period: str | None = None) -> None:
        """Start empty. by_group: count by `Feedback.group`. period: "week", "month", "quarter" or None.

        Raises InputError for another period.
        """
        check_period(period)
        self.by_group = by_group
        self.period = period
        self.replicated: Counts = np.zeros((1 + REPLICATES, len(COLUMNS)), dtype=np.int64)
        self.causes: dict[str, Counts] = {}
        self.languages: dict[str, Counts] = {}
        self.cells: dict[CellKey, Counts] = {ALL: np.zeros(len(MOMENTS), dtype=np.int64)}
        self.evidence = EvidenceBook()
        self.ledger = Ledger()
        self.first: date | None = None
        self.last: date | None = None

    def add(self, analyses: Sequence[Analysis]) -> None:
        """Count scored items.

        Raises InputError, leaving the tally as it was, when there would be more than MOST_GROUPS groups.
        """
        keys = [self._cells_of(a) for a in analyses]
        self._check_groups({key for item in keys for key in item if key[0] == "group"})
        for start in range(0, len(analyses), BLOCK):
            self._add_block(analyses[start : start + BLOCK], keys[start : start + BLOCK])
        for analysis, cells in zip(analyses, keys, strict=True):
            self.evidence.add(analysis, cells)
        self.ledger.add(analyses)
        self._widen([a.feedback.date for a in analyses])

    def add_failures(self, failures: Sequence[Failure]) -> None:
        """Count rows that were read and not scored."""
        self.ledger.add_failures(failures)

    def merge(self, other: Tally) -> Tally:
        """Combine two tallies of different items into a new one.

        Raises ValueError when they count by different groups or periods, InputError when they have more than
        MOST_GROUPS groups together.
        """
        if (self.by_group, self.period) != (other.by_group, other.period):
            raise ValueError("tallies that count by different groups or periods cannot be merged")
        merged = Tally(by_group=self.by_group, period=self.period)
        merged.replicated = self.replicated + other.replicated
        merged.causes = _sum_maps(self.causes, other.causes)
        merged.languages = _sum_maps(self.languages, other.languages)
        merged.cells = _sum_maps(self.cells, other.cells)
        merged._check_groups(set())
        merged.evidence = self.evidence.merge(other.evidence)
        merged.ledger = self.ledger.merge(other.ledger)
        merged._widen([self.first, self.last, other.first, other.last])
        return merged

    def column(self, name: str) -> Counts:
        """Give the sums of one statistic: the plain one, then the bootstrap's, shape (1 + REPLICATES,)."""
        return self.replicated[:, INDEX[name]]

    def count(self, name: str) -> int:
        """Give the plain sum of one statistic."""
        return int(self.replicated[0, INDEX[name]])

    def cause(self, name: str) -> Counts:
        """Count segments with a cue of the cause: the plain sum, then the bootstrap's, shape (1 + REPLICATES,)."""
        return self.causes.get(name, np.zeros(1 + REPLICATES, dtype=np.int64))

    def intake(self) -> Intake:
        """Account for every row that was read."""
        return self.ledger.intake()

    def to_bytes(self) -> bytes:
        """Store the tally; the same counts always give the same bytes."""
        return write_snapshot(self)

    @classmethod
    def from_bytes(cls, stored: bytes) -> Tally:
        """Read what `to_bytes` wrote. Raises StoreError when it is damaged or of another version."""
        head, counts = open_snapshot(stored)
        tally = cls(by_group=head["by_group"], period=head["period"])
        fill_tally(tally, head, counts)
        return tally

    def _add_block(self, analyses: Sequence[Analysis], keys: Sequence[tuple[CellKey, ...]]) -> None:
        rows = count_rows(analyses)
        weights = np.ones((len(analyses), 1 + REPLICATES))
        weights[:, 1:] = draw_weights([item_key(a.feedback) for a in analyses])
        self.replicated += _weighted_sums(weights, rows)
        for cause, counts in count_causes(analyses).items():
            self.causes[cause] = self.cause(cause) + _weighted_sums(weights, counts[:, None])[:, 0]
        self._add_languages([a.language for a in analyses], weights, rows)
        self._add_cells(keys, item_moments(rows))

    def _add_languages(self, languages: Sequence[str], weights: NDArray[np.float64], rows: Counts) -> None:
        columns = np.array([INDEX[name] for name in LANGUAGE_COLUMNS])
        for language in set(languages):
            mine = np.array([i for i, name in enumerate(languages) if name == language])
            sums = _weighted_sums(weights[mine], rows[np.ix_(mine, columns)])
            self.languages[language] = self.languages[language] + sums if language in self.languages else sums

    def _add_cells(self, keys: Sequence[tuple[CellKey, ...]], moments: Counts) -> None:
        members: dict[CellKey, list[int]] = {ALL: list(range(len(keys)))}
        for i, cells in enumerate(keys):
            for key in cells:
                members.setdefault(key, []).append(i)
        for key, items in members.items():
            sums = moments[items].sum(axis=0)
            self.cells[key] = self.cells[key] + sums if key in self.cells else sums

    def _cells_of(self, analysis: Analysis) -> tuple[CellKey, ...]:
        """Name the group and the period that an item belongs to, where it has one."""
        feedback = analysis.feedback
        group = (("group", feedback.group),) if self.by_group and feedback.group is not None else ()
        if self.period is None or feedback.date is None:
            return group
        return (*group, ("period", PERIODS[self.period](feedback.date)))

    def _check_groups(self, new: set[CellKey]) -> None:
        groups = new | {key for key in self.cells if key[0] == "group"}
        if len(groups) > MOST_GROUPS:
            raise InputError(
                f"the column to group by has more than {MOST_GROUPS} different values; choose one with fewer, such as "
                "store, product line or country"
            )

    def _widen(self, days: Sequence[date | None]) -> None:
        known = [day for day in (*days, self.first, self.last) if day is not None]
        if known:
            self.first, self.last = min(known), max(known)


def _weighted_sums(weights: NDArray[np.float64], rows: Counts) -> Counts:
    """Sum rows by weight, shape (1 + REPLICATES, n_columns), exactly.

    The product runs in floating point because that is fast. It is exact: all terms are integers, and their sums stay
    below 2048 items * weight 8 * the largest value. That is 10,000 (squared hundredths), or 10,000 for each segment of
    an item (probabilities): less than 2**28 * segments, far under 2**53 for any text that fits in memory.
    """
    return (weights.T @ rows.astype(np.float64)).astype(np.int64)


def _sum_maps(left: Mapping[K, Counts], right: Mapping[K, Counts]) -> dict[K, Counts]:
    summed = dict(left)
    for key, counts in right.items():
        summed[key] = summed[key] + counts if key in summed else counts
    return summed
