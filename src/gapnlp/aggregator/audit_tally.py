"""What an audit needs of all scored items: sums of the classifier's probabilities, and the audited segments.

Like the tally: sums of whole numbers, so any order or chunks give the same, and a resumed job goes on where it stopped.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gapnlp.aggregator.audit import Population, Sample
from gapnlp.aggregator.columns import PROBABILITY_UNIT
from gapnlp.errors import StoreError
from gapnlp.records.analysis import Analysis, ScoredSegment
from gapnlp.records.audit import AuditedSegment, AuditRow, AuditTable
from gapnlp.records.labels import DIMENSIONS, HEADS, LABEL_INDEX, LABELS, POLARITIES, dimension_label

Sums = NDArray[np.int64]

_PRESENCE_COLUMNS = [[LABEL_INDEX[dimension_label(d, p)] for p in POLARITIES] for d in DIMENSIONS]
# Rows of the sums; p: a segment's probability, P: its sum over an item, m: segments of an item.
_SUMS = ("p", "pp", "PP", "mP")


class AuditTally:
    """Counts over all segments, and the audited ones among them.

    segments: scored. squares: sum over items of their squared number of segments. sums: shape (4, n_labels) in the
    order of HEADS, in ten-thousandths or their squares. found: place in the table -> the segment.
    """

    def __init__(self, table: AuditTable) -> None:
        """Start empty, with the rows to look for."""
        self.table = table
        self.segments = 0
        self.squares = 0
        self.sums: Sums = np.zeros((len(_SUMS), len(HEADS)), dtype=np.int64)
        self.found: dict[int, AuditedSegment] = {}
        self._wanted: dict[tuple[int, int, int], list[int]] = {}
        for place, row in enumerate(table.rows):
            self._wanted.setdefault((row.key.row, row.key.start, row.key.end), []).append(place)
        self._rows = {row.key.row for row in table.rows}

    def add(self, analyses: Sequence[Analysis]) -> None:
        """Count scored items; each once."""
        for analysis in analyses:
            if not analysis.segments:
                continue
            units = _units(analysis.segments)
            whole = units.sum(axis=0)
            self.segments += len(units)
            self.squares += len(units) ** 2
            self.sums += np.stack([whole, (units**2).sum(axis=0), whole**2, len(units) * whole])
            if analysis.feedback.source.row in self._rows:
                self._look(analysis, units)

    def population(self, label: str) -> Population:
        """Give one label's probabilities over everything counted. Raises ValueError when nothing was."""
        if self.segments == 0:
            raise ValueError("no segment was counted")
        p, pp, whole, weighted = (int(x) for x in self.sums[:, HEADS.index(label)])
        mean = p / self.segments
        within = pp - self.segments * mean**2
        between = whole - 2 * mean * weighted + mean**2 * self.squares
        grown = between / within if within > 0.5 else 1.0
        variance = max(0.0, within / self.segments / PROBABILITY_UNIT**2)
        return Population(self.segments, mean / PROBABILITY_UNIT, variance, grown)

    def sample(self, label: str) -> Sample:
        """Give the audited segments of which people said whether they have the label."""
        place = HEADS.index(label)
        asked = [self.found[i] for i in sorted(self.found) if label in self.found[i].given]
        names = {name: code for code, name in enumerate(dict.fromkeys(s.item for s in asked))}
        return Sample(
            np.array([s.given[label] for s in asked], dtype=np.float64),
            np.array([s.probabilities[place] for s in asked], dtype=np.float64),
            np.array([names[s.item] for s in asked], dtype=np.int64),
        )

    def to_bytes(self) -> bytes:
        """Store the counts."""
        found = {i: (s.item, s.probabilities) for i, s in sorted(self.found.items())}
        state = {"segments": self.segments, "squares": self.squares, "sums": self.sums.tolist(), "found": found}
        return json.dumps(state).encode()

    def restore(self, stored: bytes) -> None:
        """Go back to what `to_bytes` gave, of the same table. Raises StoreError when it is damaged."""
        try:
            state = json.loads(stored)
            self.segments, self.squares = int(state["segments"]), int(state["squares"])
            self.sums = np.array(state["sums"], dtype=np.int64).reshape(len(_SUMS), len(HEADS))
            self.found = {
                int(i): _audited(self.table.rows[int(i)], item, tuple(values))
                for i, (item, values) in state["found"].items()
            }
        except (ValueError, LookupError, TypeError) as error:
            raise StoreError("the stored audit counts are damaged; delete the work file and run again") from error

    def _look(self, analysis: Analysis, units: Sums) -> None:
        """Find audited segments among an item's."""
        source = analysis.feedback.source
        for scored, values in zip(analysis.segments, units, strict=True):
            for place in self._wanted.get((source.row, scored.segment.start, scored.segment.end), ()):
                if place not in self.found and _is_same(self.table.rows[place], analysis, scored):
                    shares = tuple((values / PROBABILITY_UNIT).tolist())
                    self.found[place] = _audited(self.table.rows[place], f"{source.file}:{source.row}", shares)


def _units(segments: Sequence[ScoredSegment]) -> Sums:
    """Probabilities as whole ten-thousandths, columns as HEADS: a presence is the sum of its polarities."""
    values = np.array([s.probabilities for s in segments], dtype=np.float64).reshape(-1, len(LABELS))
    units = np.rint(PROBABILITY_UNIT * values).astype(np.int64)
    return np.hstack([units, *(units[:, columns].sum(axis=1, keepdims=True) for columns in _PRESENCE_COLUMNS)])


def _audited(row: AuditRow, item: str, probabilities: tuple[float, ...]) -> AuditedSegment:
    return AuditedSegment(row.key, item, probabilities, row.given)


def _is_same(row: AuditRow, analysis: Analysis, scored: ScoredSegment) -> bool:
    """Say whether a table's row means this segment, as far as it tells: file, item and words."""
    if row.key.file is not None and row.key.file != analysis.feedback.source.file:
        return False
    if row.item and _bare(row.item) != _bare(analysis.feedback.id):
        return False
    return not row.text or _bare(row.text) == _bare(scored.segment.text)


def _bare(text: str) -> str:
    """Take off what spreadsheets and their guards change: runs of blanks, a leading apostrophe."""
    return " ".join(text.split()).removeprefix("'").strip()
