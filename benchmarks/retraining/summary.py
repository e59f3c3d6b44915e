"""Results -> points of the curves, and whether adapters are behind their peers. Spread is over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from benchmarks.retraining.ours import ADAPTED
from benchmarks.retraining.peers import FORMS
from benchmarks.retraining.running import Result

# Training rows at which an adapter must not be behind, and the peers that count there.
PROMISED_SIZE = 200
RIVALS: tuple[str, ...] = ("tfidf", *FORMS["setfit"], "minilm embeddings", "minilm")


@dataclass(frozen=True, slots=True)
class Point:
    """One classifier at one size.

    mean, spread: of macro F1 over the seeds, spread a standard deviation and None for one seed. f1: label -> mean.
    """

    task: str
    classifier: str
    size: int
    seeds: tuple[int, ...]
    mean: float
    spread: float | None
    f1: Mapping[str, float]
    seconds: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """An adapter minus a peer at one size, over the seeds that both have: equal seeds, equal training rows.

    difference: mean of macro F1. spread: standard deviation over seeds, None for one seed.
    """

    task: str
    adapter: str
    peer: str
    size: int
    seeds: tuple[int, ...]
    difference: float
    spread: float | None


def to_points(results: Sequence[Result]) -> list[Point]:
    """Put the seeds of each classifier and size together, in the order of first appearance."""
    groups: dict[tuple[str, str, int], list[Result]] = {}
    for result in results:
        groups.setdefault((result.task, result.classifier, result.size), []).append(result)
    return [_point(group) for group in groups.values()]


def _point(group: Sequence[Result]) -> Point:
    first = group[0]
    return Point(
        first.task,
        first.classifier,
        first.size,
        tuple(sorted(r.seed for r in group)),
        fmean(r.macro for r in group),
        _spread([r.macro for r in group]),
        {label: fmean(r.f1[label] for r in group) for label in first.f1},
        fmean(r.seconds for r in group),
    )


def compare(results: Sequence[Result], kind: str) -> list[Comparison]:
    """Compare the adapter of a base with each rival, task by task and size by size."""
    macro = {(r.task, r.classifier, r.size, r.seed): r.macro for r in results}
    adapter = ADAPTED.format(kind)
    places = dict.fromkeys((r.task, r.size) for r in results if r.classifier == adapter)
    found = []
    for task, size in places:
        for peer in RIVALS:
            both = sorted(
                r.seed
                for r in results
                if (r.task, r.classifier, r.size) == (task, peer, size) and (task, adapter, size, r.seed) in macro
            )
            if both:
                ahead = [macro[task, adapter, size, seed] - macro[task, peer, size, seed] for seed in both]
                found.append(Comparison(task, adapter, peer, size, tuple(both), fmean(ahead), _spread(ahead)))
    return found


def behind(comparisons: Sequence[Comparison], size: int = PROMISED_SIZE) -> list[Comparison]:
    """List the comparisons of a size that an adapter loses on average."""
    return [c for c in comparisons if c.size == size and c.difference < 0]


def _spread(values: Sequence[float]) -> float | None:
    return stdev(values) if len(values) > 1 else None
