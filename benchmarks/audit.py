"""Coverage of audited shares: simulated audits of labelled data, drawn many times.

    python -m benchmarks.audit --gold path/to/gold

The development split of each language, scored by the shipped fast bundle (which never saw it), stands for all customers
who could write. Each run draws a file of as many items from it, with replacement, then an audit of segments from that
file, without. The truth is the share in the split: a report's intervals speak of other customers of the same kind, too.
Prints how often each interval held it and how wide it was, by label; --json writes the same as JSON.

Intervals: "audited" (aggregator.audit), "classical" (Wilson's, of the audit's labels alone), "normal" (prediction-
powered with the usual normal approximation) and "corrected" (aggregator.prevalence, without an audit).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapnlp.aggregator.audit import Population, Sample, estimate_audited
from gapnlp.aggregator.intervals import estimate_share, normal_quantile
from gapnlp.aggregator.prevalence import estimate_corrected
from gapnlp.classifier.decision import head_matrix
from gapnlp.ingest.gold import GoldItem, read_gold
from gapnlp.records.error_counts import ShareError
from gapnlp.records.labels import HEADS, LABELS, LANGUAGES
from gapnlp.retraining.training.bags import with_presence
from gapnlp.scoring.loading import load
from gapnlp.text.normalise import normalise

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEVEL = 0.95
METHODS = ("audited", "classical", "normal", "corrected")
# Labels with fewer expected positives in an audit are shown apart: no interval from an audit is exact for them.
LEAST_EXPECTED = 5
# The corrected interval needs a bootstrap for each file, so it is measured on each tenth.
_CORRECTED_EVERY = 10
_REPLICATES = 200


@dataclass(frozen=True, slots=True)
class Scored:
    """One language's labelled segments: probabilities and truth (n_segments, n_labels), and each one's item."""

    language: str
    probabilities: Floats
    truth: Floats
    items: Ints
    errors: Mapping[str, ShareError]


@dataclass(frozen=True, slots=True)
class Measured:
    """One label's intervals over all runs: method -> share of runs that held the truth, and mean width."""

    language: str
    label: str
    share: float
    coverage: Mapping[str, float]
    width: Mapping[str, float]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the simulation and print its table."""
    options = _parser().parse_args(arguments)
    gold = list(read_gold(options.gold / "dev.jsonl"))
    results: list[Measured] = []
    for language in options.languages.split(","):
        scored = score([item for item in gold if item.language == language], language, options.models)
        results += simulate(scored, runs=options.runs, audited=options.segments, seed=options.seed)
    print(write_table(results, options.segments))
    if options.json:
        options.json.write_text(json.dumps(to_plain(results, options), indent=1) + "\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.audit", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gold", type=Path, required=True, help="folder with dev.jsonl")
    parser.add_argument("--models", type=Path, help="models folder (default: the shipped one)")
    parser.add_argument("--languages", default=",".join(LANGUAGES))
    parser.add_argument("--runs", type=int, default=500, help="simulated audits of each language (default: 500)")
    parser.add_argument("--segments", type=int, default=100, help="segments of each audit (default: 100)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    return parser


def score(items: Sequence[GoldItem], language: str, models: Path | None = None) -> Scored:
    """Read labelled items with the language's fast bundle."""
    classifier = load(models, quality="fast").classifier(language)
    values = classifier.predict([[normalise(s.text, language) for s in item.segments] for item in items]).values
    sizes = [len(item.segments) for item in items]
    return Scored(
        language,
        with_presence(values),
        head_matrix([labels for item in items for labels in item.labels]).astype(np.float64),
        np.repeat(np.arange(len(items)), sizes),
        classifier.share_errors,
    )


def simulate(scored: Scored, *, runs: int, audited: int, seed: int) -> list[Measured]:
    """Draw files and audits, and measure each label's intervals."""
    rng = np.random.default_rng(seed)
    truth = scored.truth.mean(axis=0)
    bounds: dict[str, list[list[tuple[float, float]]]] = {m: [[] for _ in HEADS] for m in METHODS}
    for run in range(runs):
        places, items = draw_file(scored.items, rng)
        chosen = rng.choice(len(places), audited, replace=False)
        found = audit_bounds(scored, places, items, chosen)
        if run % _CORRECTED_EVERY == 0:
            found["corrected"] = corrected_bounds(scored, places, items, rng)
        for method, by_label in found.items():
            for j, pair in by_label.items():
                bounds[method][j].append(pair)
    return [measure(scored.language, j, float(truth[j]), bounds) for j in range(len(HEADS))]


def draw_file(items: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Draw as many items as there are, with replacement: places of their segments, and which drawn item each is of."""
    count = int(items.max()) + 1
    starts = np.searchsorted(items, np.arange(count + 1))
    drawn = rng.integers(0, count, count)
    places = np.concatenate([np.arange(starts[i], starts[i + 1]) for i in drawn])
    return places, np.repeat(np.arange(count), starts[drawn + 1] - starts[drawn])


def audit_bounds(scored: Scored, places: Ints, items: Ints, chosen: Ints) -> dict[str, dict[int, tuple[float, float]]]:
    """Give each label's intervals from one audit: method -> label's place -> interval."""
    values, truth = scored.probabilities[places], scored.truth[places[chosen]]
    found: dict[str, dict[int, tuple[float, float]]] = {m: {} for m in METHODS[:3]}
    clusters = mean_clustering(values, items)
    for j in range(len(HEADS)):
        sample = Sample(truth[:, j], values[chosen, j], items[chosen])
        population = Population(len(places), float(values[:, j].mean()), float(values[:, j].var()), float(clusters[j]))
        estimate = estimate_audited(sample, population, level=LEVEL).estimate
        classical = estimate_share(int(sample.truth.sum()), len(chosen), level=LEVEL)
        found["audited"][j] = (estimate.low or 0.0, estimate.high or 0.0)
        found["classical"][j] = (classical.low or 0.0, classical.high or 0.0)
        found["normal"][j] = normal_interval(sample, population)
    return found


def mean_clustering(values: Floats, items: Ints) -> Floats:
    """How many times the variance of each column's mean grows because rows share items, shape (n_columns,)."""
    centred = values - values.mean(axis=0)
    together = np.zeros((int(items.max()) + 1, values.shape[1]))
    np.add.at(together, items, centred)
    grown: Floats = (together**2).sum(axis=0) / np.maximum((centred**2).sum(axis=0), 1e-12)
    return grown


def normal_interval(sample: Sample, population: Population) -> tuple[float, float]:
    """Give the usual prediction-powered interval (PPI++): tuned weight, normal error, variance as seen in the audit."""
    n = len(sample.truth)
    spread = float(sample.probabilities.var())
    covariance = float(np.cov(sample.truth, sample.probabilities, ddof=0)[0, 1])
    weight = min(1.0, max(0.0, covariance / spread / (1 + n / population.n))) if spread > 0 else 0.0
    residuals = sample.truth - weight * sample.probabilities
    variance = float(residuals.var(ddof=1)) / n + weight**2 * population.variance / population.n
    share = float(residuals.mean()) + weight * population.mean
    half = normal_quantile(LEVEL) * variance**0.5
    return share - half, share + half


def corrected_bounds(
    scored: Scored, places: Ints, items: Ints, rng: np.random.Generator
) -> dict[int, tuple[float, float]]:
    """Give each label's interval without any audit, where its error is known."""
    count = int(items.max()) + 1
    sums = np.zeros((count, scored.probabilities.shape[1]))
    np.add.at(sums, items, scored.probabilities[places])
    weights = np.vstack([np.ones(count), rng.poisson(1.0, (_REPLICATES, count))])
    segments = (weights @ np.bincount(items, minlength=count)).astype(np.int64)
    expected = weights @ sums
    found = {}
    for j, label in enumerate(LABELS):
        counts = {scored.language: (expected[:, j], segments)}
        errors = {scored.language: scored.errors[label]} if label in scored.errors else {}
        estimate = estimate_corrected(counts, errors, label=label, clusters=count, level=LEVEL)
        if estimate.low is not None and estimate.high is not None:
            found[j] = (estimate.low, estimate.high)
    return found


def measure(
    language: str, j: int, share: float, bounds: Mapping[str, Sequence[Sequence[tuple[float, float]]]]
) -> Measured:
    """Count how often a label's intervals held its share."""
    held = {m: [low <= share <= high for low, high in bounds[m][j]] for m in METHODS if bounds[m][j]}
    widths = {m: [high - low for low, high in bounds[m][j]] for m in METHODS if bounds[m][j]}
    return Measured(
        language,
        HEADS[j],
        share,
        {m: float(np.mean(v)) for m, v in held.items()},
        {m: float(np.mean(v)) for m, v in widths.items()},
    )


def pool(results: Sequence[Measured], method: str) -> tuple[float, float, float, float] | None:
    """Give mean, lowest and highest coverage over labels, and the mean width; None where the method gave none."""
    known = [r for r in results if method in r.coverage]
    if not known:
        return None
    coverage = [r.coverage[method] for r in known]
    return float(np.mean(coverage)), min(coverage), max(coverage), float(np.mean([r.width[method] for r in known]))


def by_frequency(results: Sequence[Measured], audited: int) -> dict[str, list[Measured]]:
    """Tell labels that an audit of this size allows an exact interval for from rarer ones."""
    common = [r for r in results if LEAST_EXPECTED <= audited * r.share <= audited - LEAST_EXPECTED]
    return {"common": common, "rare": [r for r in results if r not in common]}


def write_table(results: Sequence[Measured], audited: int) -> str:
    """Write coverage in percent and width by label, then pooled."""
    lines = [f"{'':32}{'share':>7}" + "".join(f"{m:>16}" for m in METHODS)]
    for r in sorted(results, key=lambda r: (r.language, -r.share)):
        lines.append(f"{r.language} {r.label:29}{r.share:7.3f}" + "".join(_cell(r, m) for m in METHODS))
    for name, group in by_frequency(results, audited).items():
        for language in sorted({r.language for r in group}):
            lines += _pooled(f"{name} {language}", [r for r in group if r.language == language])
        lines += _pooled(f"{name} all", group)
    return "\n".join(lines)


def _cell(result: Measured, method: str) -> str:
    if method not in result.coverage:
        return f"{'-':>16}"
    return f"{100 * result.coverage[method]:8.1f} {result.width[method]:7.3f}"


def _pooled(name: str, group: Sequence[Measured]) -> list[str]:
    lines = []
    for method in METHODS:
        found = pool(group, method)
        if found:
            mean, low, high, width = (100 * found[0], 100 * found[1], 100 * found[2], found[3])
            lines.append(f"{name:11}{method:10} {mean:5.1f} % (labels {low:.1f} to {high:.1f}), width {width:.3f}")
    return lines


def to_plain(results: Sequence[Measured], options: argparse.Namespace) -> dict[str, Any]:
    """Put the figures into JSON's own types."""
    rows = [
        {"language": r.language, "label": r.label, "share": r.share, "coverage": r.coverage, "width": r.width}
        for r in results
    ]
    pooled = {
        name: {m: dict(zip(("coverage", "lowest", "highest", "width"), found, strict=True))}
        for name, group in by_frequency(results, options.segments).items()
        for m in METHODS
        if (found := pool(group, m))
    }
    return {"runs": options.runs, "segments": options.segments, "seed": options.seed, "labels": rows, "pooled": pooled}


if __name__ == "__main__":
    main()
