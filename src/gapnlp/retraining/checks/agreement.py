"""Do annotators agree? Krippendorff's alpha, label by label.

Own code rather than the package `krippendorff`: that one is under the GPL, and for nominal values the coefficient is
a dozen lines.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from gapnlp.retraining.checks.texts import text_key
from gapnlp.retraining.labels.dataset import LabelledRow
from gapnlp.retraining.labels.named import WHOLE

# Krippendorff (2004): rely on 0.8 and above, draw tentative conclusions from 0.667 on.
GOOD, TENTATIVE = 0.8, 0.667


@dataclass(frozen=True, slots=True)
class Agreement:
    """Alpha of one of the user's labels: 1 is perfect, 0 chance; None where no value ever differs.

    texts: labelled by at least two. annotators: how many they were.
    """

    label: str
    alpha: float | None
    texts: int
    annotators: int


def krippendorff_alpha(units: Iterable[Sequence[Hashable]]) -> float | None:
    """Compute alpha for nominal values (Krippendorff 2011); units: each one's values, at least two to count.

    1 - observed / expected disagreement, over pairable values. None when there is nothing to compare, or all values
    are the same, so that no disagreement could be expected.
    """
    counts = [Counter(values) for values in units if len(values) > 1]
    totals: Counter[Hashable] = sum(counts, Counter())
    n = totals.total()
    expected = n * n - sum(c * c for c in totals.values())
    if expected == 0:
        return None
    observed = sum((m * m - sum(c * c for c in unit.values())) / (m - 1) for unit in counts for m in [unit.total()])
    return 1 - (n - 1) * observed / expected


def measure_agreement(rows: Sequence[LabelledRow]) -> tuple[Agreement, ...]:
    """Measure each label on the texts that at least two annotators judged, labels in order of appearance.

    An annotator who labelled a whole text without a label said no to it; one who was asked about single labels said
    nothing of others. Of several answers of one annotator the first counts. Nothing without two annotators.
    """
    answers: dict[str, dict[str, LabelledRow]] = defaultdict(dict)
    labels: dict[str, None] = {}
    said: dict[tuple[str, str], dict[str, bool]] = defaultdict(dict)
    for row in rows:
        if row.ticket.annotator is None:
            continue
        key = text_key(row.ticket.text)
        answers[key].setdefault(row.ticket.annotator, row)
        labels.update(dict.fromkeys(row.named.answer.said))
        for label, holds in row.named.answer.said.items():
            said[key, row.ticket.annotator].setdefault(label, holds)
    shared = {key: people for key, people in answers.items() if len(people) > 1}
    return tuple(_measure(label, shared, said) for label in labels) if shared else ()


def _measure(
    label: str, shared: dict[str, dict[str, LabelledRow]], said: dict[tuple[str, str], dict[str, bool]]
) -> Agreement:
    units: list[list[bool]] = []
    people: set[str] = set()
    for key, rows in shared.items():
        judged = {person: _judgement(label, row, said[key, person]) for person, row in rows.items()}
        values = {person: value for person, value in judged.items() if value is not None}
        if len(values) > 1:
            units.append(list(values.values()))
            people.update(values)
    return Agreement(label, krippendorff_alpha(units), len(units), len(people))


def _judgement(label: str, row: LabelledRow, said: dict[str, bool]) -> bool | None:
    absent = False if row.named.answer.covers == WHOLE else None
    return said.get(label, absent)
