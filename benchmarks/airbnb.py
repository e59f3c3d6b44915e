"""Correlation of broken promises with guests' own "accuracy" scores, over rental listings.

    python -m benchmarks.airbnb airbnb_albany.jsonl.gz --out out/airbnb

Reads listings (kind "listing") and reviews (kind "review") of one file, makes the ledger over all entities, and prints
Spearman's correlation between an entity's share of items that break a promise and its human "accuracy" sub-score, with
a bootstrap interval over entities. The figure is reported whatever it is.
"""

from __future__ import annotations

import argparse
import gzip
import json
import tempfile
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from gapnlp.comparison import CopyOptions, compare
from gapnlp.ingest.columns import ColumnOptions
from gapnlp.jobs import recognise_inputs

_REPLICATES = 2_000
_LEAST_ITEMS = 5


def main() -> None:
    """Make the ledger and print the correlation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--out", type=Path, default=Path("out/airbnb"))
    options = parser.parse_args()
    with gzip.open(options.file, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    with tempfile.TemporaryDirectory() as folder:
        reviews = Path(folder) / "reviews.jsonl"
        kept = [{k: r.get(k) for k in ("id", "entity", "text", "date")} for r in rows if r["kind"] == "review"]
        reviews.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in kept), encoding="utf-8")
        inputs = recognise_inputs([reviews], ColumnOptions(by="entity"))
        copy = CopyOptions((options.file,), entity="entity", text="text", where=("kind", "listing"))
        ledger = compare(inputs, options.out, options=copy, on_progress=lambda _: None)
    scores = {r["entity"]: r["review_scores"].get("accuracy") for r in rows if r["kind"] == "listing"}
    pairs = [
        (e.break_share.value, scores[e.entity])
        for e in ledger.entities
        if e.items >= _LEAST_ITEMS and e.break_share.value is not None and scores.get(e.entity) is not None
    ]
    print(f"{len(ledger.entities)} entities, {ledger.items:,} reviews, {len(ledger.entries):,} promises")
    print(_correlation(np.array(pairs, dtype=float)))


def _correlation(pairs: np.ndarray) -> str:
    rng = np.random.default_rng(0)
    value = spearmanr(pairs[:, 0], pairs[:, 1]).statistic
    draws = [pairs[rng.integers(0, len(pairs), len(pairs))] for _ in range(_REPLICATES)]
    low, high = np.nanpercentile([spearmanr(d[:, 0], d[:, 1]).statistic for d in draws], [2.5, 97.5])
    return f"Spearman {value:.3f} (95 % interval {low:.3f} to {high:.3f}), n = {len(pairs)} entities"


if __name__ == "__main__":
    main()
