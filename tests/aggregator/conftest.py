"""Analyses made up for the tests: small ones by hand, large ones from a seeded generator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta

import numpy as np
import pytest

from gapnlp.records.analysis import Analysis, ScoredSegment, Segment
from gapnlp.records.feedback import Feedback, Source
from gapnlp.records.labels import DIMENSIONS, GAPS, LABELS, Labels
from gapnlp.taxonomy.catalogue import load_structure

WORDS = (
    "parcel driver lobby refund clerk queue window promise answer room price form desk letter invoice kettle".split()
)

Part = tuple[str, Labels, tuple[str, ...]]


def make_analysis(row: int, parts: Sequence[Part], **fields) -> Analysis:
    """An item whose segments are given as (text, labels, causes); fields go to Feedback, but language and values.

    values: one probability for all labels, or one per label; 0.9 when not given.
    """
    language = fields.pop("language", "en")
    values = fields.pop("values", 0.9)
    probabilities = tuple([values] * len(LABELS)) if isinstance(values, float) else tuple(values)
    text = " ".join(part for part, _, _ in parts)
    scored, start = [], 0
    for part, labels, causes in parts:
        segment = Segment(start, start + len(part), part)
        scored.append(ScoredSegment(segment, labels, probabilities, causes))
        start += len(part) + 1
    file = fields.pop("file", "reviews.csv")
    feedback = Feedback(id=fields.pop("id", f"r{row}"), text=text, source=Source(file, row), **fields)
    return Analysis(feedback, language, tuple(scored), "linear-1")


def random_labels(rng: np.random.Generator) -> Labels:
    dimensions = {
        d: str(rng.choice(["neg", "neu", "pos"], p=[0.5, 0.1, 0.4])) for d in DIMENSIONS if rng.random() < 0.3
    }
    bad = any(p != "pos" for p in dimensions.values())
    gaps = tuple(g for g in GAPS if rng.random() < 0.25) if bad else ()
    return Labels(
        sentiment=str(rng.choice(["neg", "neu", "pos", "mixed"], p=[0.4, 0.15, 0.4, 0.05])),
        dimensions=dimensions,
        gaps=gaps,
        expectation=str(rng.choice(["none", "unmet", "met", "exceeded"], p=[0.8, 0.12, 0.05, 0.03])),
        churn=bool(rng.random() < 0.05),
    )


def random_items(n: int, *, seed: int = 0, groups: int = 5) -> list[Analysis]:
    """Items of one to four segments with random labels, ratings, dates, languages and groups."""
    rng = np.random.default_rng(seed)
    causes = list(load_structure().causes.values())
    items = []
    for row in range(2, n + 2):
        parts: list[Part] = []
        for _ in range(int(rng.integers(1, 5))):
            labels = random_labels(rng)
            fitting = [c.key for c in causes if c.gap in labels.gaps]
            cued = tuple(rng.choice(fitting, size=1).tolist()) if fitting and rng.random() < 0.6 else ()
            parts.append((" ".join(rng.choice(WORDS, size=5).tolist()), labels, cued))
        rated = rng.random() < 0.7
        items.append(
            make_analysis(
                row,
                parts,
                date=date(2025, 1, 1) + timedelta(days=int(rng.integers(365))) if rng.random() < 0.95 else None,
                satisfaction=float(rng.integers(5)) / 4 if rated else None,
                rating=3.0 if rated else None,
                group=f"g{rng.integers(groups)}" if rng.random() < 0.95 else None,
                language=str(rng.choice(["en", "pl", "zh"], p=[0.6, 0.3, 0.1])),
                values=rng.uniform(0.01, 0.99, size=len(LABELS)).tolist(),
                notices=("date '31/02/2025' is no date",) if rng.random() < 0.02 else (),
            )
        )
    return items


@pytest.fixture(scope="session", name="make_analysis")
def make_analysis_fixture() -> Callable[..., Analysis]:
    return make_analysis


@pytest.fixture(scope="session", name="random_items")
def random_items_fixture() -> Callable[..., list[Analysis]]:
    return random_items


@pytest.fixture(scope="session")
def some_items() -> list[Analysis]:
    return random_items(600, seed=11)
