"""Bootstrap intervals: the same figures as the measure, items drawn whole."""

from __future__ import annotations

import numpy as np
import pytest

from gapnlp.classifier.measure import macro, measure
from gapnlp.ingest.gold import read_gold
from gapnlp.records.labels import DIMENSIONS, GAPS, POLARITIES, SENTIMENTS, Labels
from training.intervals import INTERVAL_FIGURES, bootstrap_intervals, material_intervals
from training.material import flatten


def random_labels(rng: np.random.Generator) -> Labels:
    return Labels(
        str(rng.choice(SENTIMENTS)),
        {d: str(rng.choice(POLARITIES)) for d in DIMENSIONS if rng.random() < 0.3},
        tuple(g for g in GAPS if rng.random() < 0.3),
        str(rng.choice(["none", "unmet", "met"])),
    )


def random_pairs(seed: int, items: int):
    """Items of some segments, about half of them predicted rightly."""
    rng = np.random.default_rng(seed)
    pairs = []
    for _ in range(items):
        gold = [random_labels(rng) for _ in range(rng.integers(1, 5))]
        pairs.append((gold, [g if rng.random() < 0.5 else random_labels(rng) for g in gold]))
    return pairs


def measured(pairs) -> dict[str, float]:
    result = measure(pairs)
    figures = {
        "headline": result.headline,
        "dimensions_polarity_macro": macro(result.dimensions_polarity),
        "gaps_macro": macro(result.gaps),
        "sentiment_macro": macro(result.sentiment),
        "expectation_unmet": result.expectation_unmet,
    }
    return {name: value for name, value in figures.items() if value is not None}


@pytest.mark.parametrize("seed", range(8))
def test_one_item_gives_exactly_what_is_measured(seed):
    """Every draw of one item is that item, so both ends are the figure itself."""
    pairs = random_pairs(seed, 1)
    found, figures = bootstrap_intervals(pairs, replicates=3), measured(pairs)
    assert set(found) == set(figures)
    for name, value in figures.items():
        assert found[name] == pytest.approx([value, value], abs=1e-4)


def test_the_figure_lies_in_its_interval_and_more_items_narrow_it():
    few, many = random_pairs(1, 30), random_pairs(1, 500)
    for pairs in (few, many):
        found, figures = bootstrap_intervals(pairs), measured(pairs)
        assert tuple(found) == INTERVAL_FIGURES
        assert all(found[name][0] < figures[name] < found[name][1] for name in figures)
    widths = [np.diff(bootstrap_intervals(pairs)["headline"])[0] for pairs in (few, many)]
    assert widths[1] < widths[0] / 2


def test_the_same_seed_gives_the_same_interval():
    pairs = random_pairs(2, 40)
    assert bootstrap_intervals(pairs) == bootstrap_intervals(pairs)
    assert bootstrap_intervals(pairs) != bootstrap_intervals(pairs, seed=1)


def test_repeating_segments_within_items_does_not_narrow_it():
    pairs = random_pairs(3, 60)
    repeated = [([*g] * 5, [*p] * 5) for g, p in pairs]
    assert bootstrap_intervals(repeated) == bootstrap_intervals(pairs)


def test_what_cannot_be_measured_is_left_out():
    plain = [([Labels("neg", {}, ("policy",))], [Labels("neg", {}, ("policy",))])] * 4
    found = bootstrap_intervals(plain)
    assert set(found) == {"headline", "gaps_macro", "sentiment_macro"}
    assert found["gaps_macro"] == [1.0, 1.0]
    assert bootstrap_intervals([]) == {}


def test_written_items_do_not_count(tiny_gold):
    items = [i for i in read_gold(tiny_gold / "train.jsonl") if i.language == "en"]
    material = flatten(items, "en")
    truth = [x for r in material.records for x in r.labels]
    assert material_intervals(material, truth)["headline"] == [1.0, 1.0]
    from dataclasses import replace

    mixed = flatten([replace(i, stratum="written") if n % 2 else i for n, i in enumerate(items)], "en")
    nothing = Labels("mixed", {})
    predicted = [nothing if r.stratum == "written" else x for r in mixed.records for x in r.labels]
    assert material_intervals(mixed, predicted)["headline"] == [1.0, 1.0]
