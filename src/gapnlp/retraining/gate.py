"""The gate: a retrained classifier is promoted when it is better on the user's tickets and not worse elsewhere.

"Better" has to be shown (an interval above zero), "not worse" is held against stated margins. docs/gate.md says what
each condition is and how often it errs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapnlp.classifier.ticket_answers import TicketAnswers
from gapnlp.errors import ModelError
from gapnlp.records.labels import HEADS
from gapnlp.retraining.paired_bootstrap import Difference, HeldOut, Redraws, Sample, arrange, compare_f1
from gapnlp.retraining.ticket_calibration import Calibration, measure_calibration
from gapnlp.retraining.verdict import Check, LabelCount, LabelFigures, Margins, Verdict
from gapnlp.retraining.written import RegressionScore

Truth = NDArray[np.int8]
# Labels closest to being judged that are named when none can be.
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Gate:
    """The conditions under margins of one's own."""

    margins: Margins = Margins()

    def judge(
        self, held: HeldOut, regression: tuple[RegressionScore, RegressionScore], speed: tuple[float, float]
    ) -> Verdict:
        """Compare the new classifier with the current one on the same held-out tickets.

        held: columns as HEADS. regression, speed (segments per second, above 0): (current, new). The order of the
        tickets and answers to what was not given change nothing.
        Raises ModelError when answers are no probabilities, ValueError when shapes differ or a speed is not above 0.
        """
        _check_shapes(held.truth, (held.current, held.new))
        if min(speed) <= 0:
            raise ValueError(f"speeds are segments per second, above 0; got {speed}")
        counts = _counts(held.truth)
        judged = [j for j, count in enumerate(counts) if self._is_judged(count)]
        left_out = tuple(c for c in counts if (c.true or c.false) and not self._is_judged(c))
        both = self._elsewhere(regression, speed)
        if not judged:
            few = (Check("better", False, self._missing(left_out)), *both)
            return Verdict(few, 0, (), left_out, None, None, regression, speed, self.margins)
        sample = arrange(held.labels(judged))
        labels, macro, calibration = self._measure(sample, [counts[j] for j in judged])
        checks = (*self._on_tickets(len(sample.truth), labels, macro), self._calibrated(calibration), *both)
        return Verdict(checks, len(sample.truth), labels, left_out, macro, calibration, regression, speed, self.margins)

    def _is_judged(self, count: LabelCount) -> bool:
        return count.true >= self.margins.least_true and count.false >= self.margins.least_false

    def _missing(self, left_out: Sequence[LabelCount]) -> str:
        """Say how many more held-out tickets the labels need that come closest to being judged."""
        m = self.margins
        lacking = [(max(m.least_true - c.true, 0), max(m.least_false - c.false, 0), c.label) for c in left_out]
        nearest = sorted(lacking, key=lambda x: (x[0] + x[1], x[2]))[:_NAMED]
        named = "; ".join(f"{label} lacks {true} with it and {false} without" for true, false, label in nearest)
        told = f"Closest: {named}." if named else "None was given at all."
        return (
            f"Too few held-out labels: a label is judged from {m.least_true} tickets with it and {m.least_false} "
            f"without, and none has so many. {told}"
        )

    def _measure(
        self, sample: Sample, counts: Sequence[LabelCount]
    ) -> tuple[tuple[LabelFigures, ...], Difference, tuple[Calibration, Calibration]]:
        m = self.margins
        by_label, macro = compare_f1(sample, Redraws(m.draws, m.level, m.seed))
        labels = tuple(LabelFigures(c, f1) for c, f1 in zip(counts, by_label, strict=True))
        current, new = (measure_calibration(sample.truth, a.values) for a in (sample.current, sample.new))
        return labels, macro, (current, new)

    def _on_tickets(self, tickets: int, labels: Sequence[LabelFigures], macro: Difference) -> tuple[Check, Check]:
        m = self.margins
        figures = (
            f"F1, the mean over {len(labels)} labels on {tickets:,} held-out tickets, is {macro.new:.3f} and was "
            f"{macro.current:.3f} (difference {macro.difference:+.3f}, {m.level * 100:g} % interval "
            f"{macro.low:+.3f} to {macro.high:+.3f})"
        )
        better = macro.low > 0
        said = (
            f"Better on your tickets: {figures}." if better else f"Not shown to be better on your tickets: {figures}."
        )
        worse = [x for x in labels if x.f1.high < -m.label]
        named = ", ".join(f"{x.counts.label} ({x.f1.difference:+.3f})" for x in worse)
        told = f"Worse at single labels, by more than {m.label:g} F1: {named}."
        alright = f"No single label is shown to have lost more than {m.label:g} F1."
        return Check("better", better, said), Check("labels", not worse, told if worse else alright)

    def _calibrated(self, calibration: tuple[Calibration, Calibration]) -> Check:
        old, new = calibration
        grown = max(new.ece - old.ece, new.brier - old.brier)
        figures = (
            f"calibration error {new.ece:.3f} (was {old.ece:.3f}), Brier score {new.brier:.3f} (was {old.brier:.3f})"
        )
        if grown > self.margins.calibration:
            return Check("calibration", False, f"Its probabilities can be trusted less: {figures}.")
        return Check("calibration", True, f"Its probabilities can be trusted as before: {figures}.")

    def _elsewhere(
        self, regression: tuple[RegressionScore, RegressionScore], speed: tuple[float, float]
    ) -> tuple[Check, Check]:
        return self._not_forgotten(*regression), self._fast_enough(*speed)

    def _not_forgotten(self, old: RegressionScore, new: RegressionScore) -> Check:
        if old.headline is None or new.headline is None:
            return Check("regression", False, "The regression set could not be measured.")
        kept = new.headline >= old.headline - self.margins.regression
        begins = "Not worse on the regression set" if kept else "Worse on the regression set"
        return Check("regression", kept, f"{begins}: F1 {new.headline:.3f}, was {old.headline:.3f}.")

    def _fast_enough(self, old: float, new: float) -> Check:
        kept = new >= self.margins.speed * old
        begins = "Fast enough" if kept else "Too slow"
        asked = f"at least {self.margins.speed:.0%} of that is asked for"
        return Check("speed", kept, f"{begins}: {new:,.0f} segments per second, was {old:,.0f}; {asked}.")


def _counts(truth: Truth) -> list[LabelCount]:
    true, false = (truth == 1).sum(axis=0), (truth == 0).sum(axis=0)
    return [LabelCount(*row) for row in zip(HEADS, true.tolist(), false.tolist(), strict=True)]


def _check_shapes(truth: Truth, both: Sequence[TicketAnswers]) -> None:
    """Refuse what cannot be compared; answers to cells that were not given are not looked at."""
    expected = (len(truth), len(HEADS))
    shapes = [truth.shape, *(x.shape for a in both for x in (a.values, a.decided))]
    if any(shape != expected for shape in shapes):
        raise ValueError(f"truth and answers must all have the shape {expected}; got {shapes}")
    for answers in both:
        values = answers.values[truth >= 0]
        if not ((values >= 0) & (values <= 1)).all():
            raise ModelError("a classifier's answers are not probabilities in [0, 1]; train it again from the start")
