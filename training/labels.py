"""Our labels on public texts: `training/labels/` holds identifiers, offsets and labels, never the texts.

They were made like gold: by a large language model that followed the annotation guidelines (see the README there).
"""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gapnlp.ingest.gold import GoldItem, parse_gold

ROOT = Path(__file__).resolve().parents[1]
LABELS_FOLDER = ROOT / "training" / "labels"
WRITTEN_FOLDER = ROOT / "data" / "labelled"
_DIMENSIONS = {"rel": "reliability", "res": "responsiveness", "ass": "assurance", "emp": "empathy", "tan": "tangibles"}
_POLARITIES = {"-": "neg", "+": "pos", "0": "neu"}


def read_public_labels(labels: Path, public: Path) -> Iterator[GoldItem]:
    """Join labels with the texts that they are of.

    An item whose text is absent, or not the one that was labelled, is left out and counted on standard error.
    """
    rows = [json.loads(line) for line in labels.read_text(encoding="utf-8").splitlines()]
    texts = {name: _texts(public / f"{name}.jsonl.gz") for name in sorted({r["file"] for r in rows})}
    lost = 0
    for row in rows:
        found = texts[row["file"]].get(row["id"])
        if found is None or text_digest(found["text"]) != row["text_sha256"]:
            lost += 1
            continue
        segments = [{"start": a, "end": b, **parse_code(code)} for a, b, code in row["segments"]]
        record = {**row, "text": found["text"], "lang": found["lang"], "domain": found["domain"], "segments": segments}
        yield parse_gold(record, where=f"{labels.name}, {row['id']}")
    if lost:
        print(f"{labels.name}: {lost:,} items left out, their texts are not in {public.name}", file=sys.stderr)


def text_digest(text: str) -> str:
    """Tell whether a text is the one that was labelled: first digits of its sha256."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def parse_code(code: str) -> dict[str, Any]:
    """Read labels in the guidelines' short form: `neg rel-,res- delivery,customer unmet 0`, a dot for none."""
    sentiment, dimensions, gaps, expectation, churn = code.split(" ")
    return {
        "sentiment": sentiment,
        "dimensions": {_DIMENSIONS[x[:3]]: _POLARITIES[x[3]] for x in _listed(dimensions)},
        "gaps": _listed(gaps),
        "expectation": "none" if expectation == "." else expectation,
        "churn": churn == "1",
    }


def _listed(field: str) -> list[str]:
    return [] if field == "." else field.split(",")


def _texts(path: Path) -> Mapping[str, Any]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return {row["id"]: row for row in map(json.loads, lines)}
