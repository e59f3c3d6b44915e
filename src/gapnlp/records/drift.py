"""What a classifier was trained on, in the figures that another file can be compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# labels: distance of label shares. unknown: share of words that the vocabulary lacks. abstained: share of segments too
# doubtful to act on. doubt: labels expected to be wrong per segment.
DRIFT_FIGURES = ("labels", "unknown", "abstained", "doubt")


@dataclass(frozen=True, slots=True)
class DriftGroup:
    """One domain of the training data: its figures, as DRIFT_FIGURES, by a classifier that had not seen its rows."""

    domain: str
    segments: int
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class DriftReference:
    """Figures of a bundle's training data, kept in its card under "drift_reference".

    segments: that it rests on. shares: label -> mean probability, in [0, 1]. figures: over all of them. known: domains
    of the training data, each by a classifier that knew the domain but not these rows. new: the same domains, each by a
    classifier that knew nothing of it.
    """

    segments: int
    shares: Mapping[str, float]
    figures: Mapping[str, float]
    known: tuple[DriftGroup, ...]
    new: tuple[DriftGroup, ...]


@dataclass(frozen=True, slots=True)
class DriftFigure:
    """One figure of a file beside the training data.

    value: of the file. low: its lower end, sampling taken into account. reference: of the training data. usual, limit:
    up to where domains that were in training, and new ones, lie; None where too few were measured. state: "usual",
    "new" (like a domain that was not in training), "beyond" (unlike any) or "unknown".
    """

    name: str
    value: float
    low: float
    reference: float
    usual: float | None
    limit: float | None
    state: str


@dataclass(frozen=True, slots=True)
class LabelShift:
    """One label's share, as mean probability, in the training data and in the file."""

    label: str
    reference: float
    value: float


@dataclass(frozen=True, slots=True)
class LanguageDrift:
    """One language's part of a file beside what its bundle was trained on.

    figures: in the order of DRIFT_FIGURES; empty when the file holds too few segments or the bundle has no reference.
    shifts: the labels that moved most, first the largest. state: the gravest of the figures' states.
    """

    language: str
    model: str
    items: int
    segments: int
    figures: tuple[DriftFigure, ...]
    shifts: tuple[LabelShift, ...]
    state: str
