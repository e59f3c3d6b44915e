"""Learning curves: the headline on dev for growing parts of the gold training split.

    python -m benchmarks.quality.curves --gold path/to/gold --cache out/peers --out out/curves

Classifiers: the linear recipe and TF-IDF with logistic regression, both on gold alone; with --encoder also MiniLM
(English). Parts are nested: each holds the items of the one before. See docs/evaluation.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import altair as alt
import numpy as np
import pandas as pd

from benchmarks.quality.cache import Cache
from benchmarks.quality.counting import Estimate, count_items, draw_weights, estimate, figures
from benchmarks.quality.linear_recipe import RECIPE
from benchmarks.quality.peers.peer import Peer, check_packages
from benchmarks.quality.peers.registry import PEERS
from benchmarks.quality.rendering import NAMES, grid, with_interval
from benchmarks.quality.running import answer_peer
from benchmarks.quality.splits import Rows, Split, flatten, read_splits
from gapnlp.errors import GapnlpError
from gapnlp.records.labels import LANGUAGES

SIZES = (0.05, 0.1, 0.2, 0.4, 0.7, 1.0)
_SEED = 0
_REPLICATES = 1_000


@dataclass(frozen=True, slots=True)
class Point:
    """One classifier trained on one part; segments: how many it was trained on."""

    language: str
    classifier: str
    items: int
    segments: int
    headline: Estimate


def main(arguments: Sequence[str] | None = None) -> None:
    """Train on every part, write curves.json, curves.md and curves.png."""
    options = _parser().parse_args(arguments)
    classifiers = {"linear recipe": RECIPE, "tfidf": PEERS["tfidf"]}
    if options.encoder:
        classifiers["minilm"] = PEERS["minilm"]
    try:
        for name, peer in classifiers.items():
            check_packages(name, peer)
        splits = read_splits(options.gold, options.languages.split(","), limit=options.limit)
        sizes = sorted({float(x) for x in options.sizes.split(",")})
        points = [p for s in splits for p in curve(s, classifiers, sizes=sizes, cache=Cache(options.cache))]
    except GapnlpError as error:
        print(f"benchmarks.quality.curves: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    write(points, options.out)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality.curves",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--gold", type=Path, required=True, help="folder with train.jsonl and dev.jsonl")
    parser.add_argument("--languages", default=",".join(LANGUAGES))
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="shares of the training items")
    parser.add_argument("--encoder", action="store_true", help="also fine-tune MiniLM on each part, English only")
    parser.add_argument("--cache", type=Path, help="folder that keeps predictions, so that a killed run goes on")
    parser.add_argument("--out", type=Path, default=Path("out/curves"))
    parser.add_argument("--limit", type=int, help="only so many items of each split, for a trial")
    return parser


def curve(split: Split, classifiers: Mapping[str, Peer], *, sizes: Sequence[float], cache: Cache) -> Iterator[Point]:
    """Train each classifier on each part and measure it on the same development rows."""
    gold = [item.labels for item in split.dev.items]
    weights = draw_weights(len(gold), _REPLICATES)
    for size in sizes:
        part = Split(take(split.train, size), split.dev)
        for name, peer in classifiers.items():
            if split.language not in peer.languages:
                continue
            (answered,) = answer_peer(name.replace(" ", "_"), peer, part, cache=cache, tuned=False)
            counts = count_items(gold, answered.predictions)
            headline = estimate(figures(counts)["headline"][0], figures(counts, weights)["headline"])
            yield Point(split.language, name, len(part.train.items), len(part.train.texts), headline)


def take(rows: Rows, size: float) -> Rows:
    """Take a share of the items at random, in their old order; a larger share holds every smaller one."""
    order = np.random.default_rng(_SEED).permutation(len(rows.items))
    chosen = np.sort(order[: max(1, round(size * len(rows.items)))])
    return flatten([rows.items[i] for i in chosen], rows.language)


def write(points: Sequence[Point], out: Path) -> None:
    """Write the points as JSON, as Markdown and as a plot."""
    out.mkdir(parents=True, exist_ok=True)
    records = [asdict(p) for p in points]
    (out / "curves.json").write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")
    (out / "curves.md").write_text(_as_markdown(points), encoding="utf-8")
    _plot(points).save(str(out / "curves.png"), ppi=150)
    print(f"{len(points)} points: {out}/curves.json, curves.md, curves.png")


def _as_markdown(points: Sequence[Point]) -> str:
    head = ["language", "classifier", "training items", "segments", "headline on dev"]
    rows = [
        [p.language, p.classifier, f"{p.items:,}", f"{p.segments:,}", with_interval(p.headline)]
        for p in sorted(points, key=lambda p: (p.language, p.classifier, p.segments))
    ]
    return "# Learning curves\n\n" + grid(head, rows) + "\n"


def _plot(points: Sequence[Point]) -> alt.FacetChart:
    frame = pd.DataFrame(
        {
            "language": [NAMES[p.language] for p in points],
            "classifier": [p.classifier for p in points],
            "segments": [p.segments for p in points],
            "headline": [p.headline.value for p in points],
            "low": [p.headline.low for p in points],
            "high": [p.headline.high for p in points],
        }
    )
    along = alt.X("segments:Q", scale=alt.Scale(type="log", nice=False), title="labelled training segments")
    up = alt.Y("headline:Q", scale=alt.Scale(zero=False), title="headline F1 on dev, 95 % interval")
    base = alt.Chart(frame).encode(x=along, color=alt.Color("classifier:N", title=None))
    band = base.mark_area(opacity=0.15).encode(y=alt.Y("low:Q", title=""), y2="high:Q")
    line = base.mark_line(point=True).encode(y=up)
    chart = (band + line).properties(width=260, height=240)
    faceted: alt.FacetChart = chart.facet(column=alt.Column("language:N", title=None, sort=list(NAMES.values())))
    return faceted


if __name__ == "__main__":
    main()
