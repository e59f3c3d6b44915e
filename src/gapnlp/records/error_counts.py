"""How often a classifier's decision for one label was right and wrong, on segments whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ErrorCounts:
    """Decisions for one label in one language against the truth, in segments that the classifier was not trained on.

    tp: labelled and true. fn: true but missed. fp: labelled but not true. tn: neither. Made from out-of-fold
    predictions at the same thresholds that the bundle is used with, so that they hold for its output.
    """

    tp: int
    fn: int
    fp: int
    tn: int

    @property
    def positives(self) -> int:
        """Segments that truly have the label."""
        return self.tp + self.fn

    @property
    def negatives(self) -> int:
        """Segments that truly do not have the label."""
        return self.fp + self.tn
