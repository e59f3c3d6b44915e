"""How far a classifier's answers can be trusted, measured on held-out data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ErrorCounts:
    """Counts of one label's decisions on held-out segments: tp + fn positives, fp + tn negatives."""

    tp: int
    fn: int
    fp: int
    tn: int

    @property
    def positives(self) -> int:
        """Segments that truly carry the label."""
        return self.tp + self.fn

    @property
    def negatives(self) -> int:
        """Segments that truly do not."""
        return self.fp + self.tn


@dataclass(frozen=True, slots=True)
class ShareError:
    """How far a label's mean probability lies from its true share, in the domains of the training data and in new ones.

    spread: root mean square of log-odds(true share) - log-odds(mean probability), beyond what sampling explains, half
    over domains that were in training and half over held-out ones; at least 0. positives: segments with the label
    that it rests on. domains: groups of one domain and stratum that it was measured on.
    """

    spread: float
    positives: int
    domains: int
