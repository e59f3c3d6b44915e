"""What is held against a newly learnt adapter: answers on tickets that neither it nor the current model has seen."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapnlp.classifier.adapted import AdaptedClassifier
from gapnlp.classifier.base import Classifier, Document
from gapnlp.records.labels import HEADS
from gapnlp.retraining.gate import Gate
from gapnlp.retraining.paired_bootstrap import HeldOut
from gapnlp.retraining.verdict import Margins, Verdict
from gapnlp.retraining.written import measure_regression

# Speed is the best of so many passes over so many tickets.
_PASSES, _TIMED = 7, 100
# An encoder of the adapter's own reads every segment: 0.50 of the speed is left on top of the accurate model, 0.31 on
# top of the balanced one (English, short tweets). Who fine-tunes one is told, so the gate asks for a quarter alone.
_WITH_ENCODER = Margins(speed=0.25)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Both sides' answers on the same tickets.

    held: columns as HEADS. test: fingerprint of the file of held-out tickets, None when answers were cross-fitted.
    how: where the answers come from, plain sentences.
    """

    held: HeldOut
    test: str | None
    how: str

    def take(self, kept: NDArray[np.bool_], how: str) -> Evidence:
        """Keep some tickets."""
        return Evidence(self.held.rows(kept), self.test, how)

    def figures(self) -> dict[str, Any]:
        """Give F1 by label of both sides, for the card; None where neither truth nor answers hold the label."""
        labels = {}
        for j, head in enumerate(HEADS):
            given = self.held.truth[:, j] >= 0
            truth = self.held.truth[given, j] == 1
            if truth.any():
                pair = [_f1(truth, a.decided[given, j]) for a in (self.held.current, self.held.new)]
                labels[head] = {"tickets": int(truth.sum()), "current": pair[0], "new": pair[1]}
        return {"how": self.how, "test": self.test, "tickets": len(self.held.truth), "labels": labels}


def _f1(truth: NDArray[np.bool_], decided: NDArray[np.bool_]) -> float | None:
    total = int(truth.sum() + decided.sum())
    return round(2 * int((truth & decided).sum()) / total, 4) if total else None


def weigh(evidence: Evidence, current: Classifier, new: Classifier, documents: Sequence[Document]) -> Verdict:
    """Ask the gate. documents: of the user's, to time both on."""
    margins = _WITH_ENCODER if reads_further(new) and not reads_further(current) else Margins()
    regression = (measure_regression(current, current.language), measure_regression(new, new.language))
    speeds = measure_speeds(current, new, documents)
    return Gate(margins).judge(evidence.held, regression, speeds)


def reads_further(classifier: Classifier) -> bool:
    """Say whether a classifier is an adapter that reads an encoder of its own."""
    return isinstance(classifier, AdaptedClassifier) and bool(classifier.adapter.further)


def measure_speeds(current: Classifier, new: Classifier, documents: Sequence[Document]) -> tuple[float, float]:
    """Measure segments a second of both, in turn; of the processor's time, which other programs do not take from."""
    timed = documents[:_TIMED]
    segments = sum(map(len, timed))
    best = [np.inf, np.inf]
    for _ in range(_PASSES):
        for i, classifier in enumerate((current, new)):
            started = time.process_time()
            classifier.predict(timed)
            best[i] = min(best[i], max(time.process_time() - started, 1e-6))
    return segments / best[0], segments / best[1]
