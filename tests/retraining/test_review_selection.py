"""Choosing segments: a fair sample, doubtful and different ones, balance, bounded memory."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest

from gapnlp.records.labels import LABEL_INDEX, LABELS, Labels
from gapnlp.records.review import ReviewSegment
from gapnlp.retraining.near_duplicates import ALIKE, signature
from gapnlp.retraining.selection import NEAR, Reservoir, Selection, UncertainPool, choose, encode_hashed, label_doubts

WORDS = (
    "parcel courier desk phone room lift breakfast invoice refund ticket engine garden nurse app password sofa window "
    "battery driver queue menu contract noise towel pharmacy school bridge colour printer lamp"
).split()


def segment(place: int, text: str, language: str = "en", **doubtful: float) -> ReviewSegment:
    values = [0.0] * len(LABELS)
    for name, p in doubtful.items():
        values[LABEL_INDEX[name.replace("_", ":")]] = p
    return ReviewSegment(
        f"r{place}", "f.csv", place, 0, 0, len(text), text, "", "", language, Labels("neg", {}), tuple(values), "m"
    )


def sentence(rng: random.Random) -> str:
    made = ("".join(rng.choices("abcdefghijklmnoprstuwyz", k=6)) for _ in range(4))
    return " ".join([*rng.choices(WORDS, k=4), *made])


def stream(count: int, *, seed: int = 1) -> list[ReviewSegment]:
    rng = random.Random(seed)
    made = []
    for i in range(count):
        values = tuple(round(rng.random() ** 3, 4) for _ in LABELS)
        made.append(
            ReviewSegment(
                f"r{i}",
                "f.csv",
                i,
                0,
                0,
                9,
                sentence(rng),
                "",
                "",
                rng.choice(("en", "pl")),
                Labels("neg", {}),
                values,
                "m",
            )
        )
    return made


def test_every_segment_is_equally_likely_to_be_sampled():
    texts = [segment(i, "x") for i in range(30)]
    drawn: Counter[int] = Counter()
    for seed in range(3000):
        sample = Reservoir(6, seed)
        sample.add(texts)
        drawn.update(s.row for s in sample.chosen())
    # 600 expected each; the standard deviation of a count is 22.
    assert min(drawn[i] for i in range(30)) > 500
    assert max(drawn.values()) < 700


def test_a_sample_does_not_depend_on_how_the_stream_is_cut():
    segments = stream(500)
    whole, parts = Reservoir(20, 7), Reservoir(20, 7)
    whole.add(segments)
    for i in range(0, 500, 37):
        parts.add(segments[i : i + 37])
    assert whole.chosen() == parts.chosen()
    assert [s.row for s in whole.chosen()] == sorted(s.row for s in whole.chosen())
    other = Reservoir(20, 8)
    other.add(segments)
    assert other.chosen() != whole.chosen()


def test_a_short_stream_is_sampled_whole():
    sample = Reservoir(10)
    sample.add([segment(i, "x") for i in range(4)])
    assert [s.row for s in sample.chosen()] == [0, 1, 2, 3]


def test_doubt_is_the_expected_error_of_each_label():
    doubts = label_doubts([segment(0, "x", gap_delivery=0.7, churn=0.1, gap_policy=1.0)])
    assert doubts[0, LABEL_INDEX["gap:delivery"]] == pytest.approx(0.3)
    assert doubts[0, LABEL_INDEX["churn"]] == pytest.approx(0.1)
    assert doubts[0, LABEL_INDEX["gap:policy"]] == 0


def test_doubtful_segments_are_chosen_before_sure_ones():
    rng = random.Random(3)
    sure = [segment(i, sentence(rng), gap_delivery=0.99) for i in range(100)]
    doubtful = [segment(100 + i, sentence(rng), gap_delivery=0.5) for i in range(10)]
    assert {*choose([*sure, *doubtful], 10)} == set(range(100, 110))


def test_no_two_chosen_segments_are_near_identical():
    rng = random.Random(4)
    templates = [f"Dear {name}, my order {rng.randrange(10**6)} never came." for name in WORDS for _ in range(20)]
    others = [sentence(rng) for _ in range(40)]
    candidates = [segment(i, t, gap_delivery=0.5) for i, t in enumerate([*templates, *others])]
    places = choose(candidates, 60)
    features = encode_hashed([candidates[i].text for i in places])
    similar = (features @ features.T).toarray() - np.eye(len(places))
    assert similar.max() < NEAR
    assert len([i for i in places if i >= len(templates)]) >= 35


def test_nothing_like_the_excluded_is_chosen():
    rng = random.Random(5)
    candidates = [segment(i, sentence(rng), churn=0.5) for i in range(20)]
    chosen = choose(candidates, 20, excluded=candidates[:5])
    assert chosen
    assert not {*chosen} & {*range(5)}


def test_labels_and_languages_are_kept_in_balance():
    rng = random.Random(6)
    many = [segment(i, sentence(rng), gap_delivery=0.5) for i in range(400)]
    rare = [segment(400 + i, sentence(rng), gap_knowledge=0.4) for i in range(40)]
    polish = [segment(440 + i, sentence(rng), "pl", gap_delivery=0.4) for i in range(40)]
    candidates = [*many, *rare, *polish]
    kinds = Counter("many" if i < 400 else "rare" if i < 440 else "pl" for i in choose(candidates, 60))
    assert min(kinds.values()) >= 15, kinds


def test_the_pool_stays_bounded_and_keeps_the_most_doubtful():
    segments = stream(6000)
    pool = UncertainPool(20)
    for i in range(0, len(segments), 500):
        pool.add(segments[i : i + 500])
    held = {s.row for s in pool.candidates()}
    assert len(held) <= 2 * (len(LABELS) + 1) * 50
    assert len(pool._uses) == len(held)
    english = [s for s in segments if s.language == "en"]
    totals = label_doubts(english).sum(axis=1)
    best = {english[i].row for i in np.argsort(-totals)[:10]}
    assert best <= held


def test_a_flood_of_one_template_does_not_fill_the_pool():
    rng = random.Random(8)
    template = "Your ticket {} for {} was closed by our team, thank you for waiting so long."
    texts = [template.format(i, sentence(rng)[:8]) for i in range(3000)]
    flood = [segment(i, text, gap_delivery=0.5, churn=0.5) for i, text in enumerate(texts)]
    others = [segment(3000 + i, sentence(rng), gap_delivery=0.3, churn=0.3) for i in range(30)]
    pool = UncertainPool(20)
    pool.add([*flood, *others])
    held = [s.row for s in pool.candidates()]
    assert len([row for row in held if row >= 3000]) >= 10
    assert len([row for row in pool.chosen() if row.row >= 3000]) >= 10


def alike(first: str, second: str) -> bool:
    return int((signature(first) == signature(second)).sum()) >= ALIKE


def test_signatures_are_blind_to_numbers_and_case():
    assert (signature("Order 4711 came LATE.") == signature("order 12 came late!")).all()
    assert alike(
        "Dear Anna, your order was sent to the wrong address", "Dear Piotr, your order was sent to the wrong address"
    )
    assert not alike("Order 4711 came late.", "The room was dirty and cold.")
    assert alike("", "!!")


def test_a_selection_is_the_same_for_the_same_stream():
    segments = stream(800)
    first, second = Selection(30, 20, 3), Selection(30, 20, 3)
    first.add(segments)
    for i in range(0, 800, 100):
        second.add(segments[i : i + 100])
    tasks = first.tasks()
    assert tasks == second.tasks()
    assert [t.reason for t in tasks] == ["audit"] * 20 + ["uncertain"] * 30
    assert len({t.segment.id for t in tasks}) == 50


def test_an_empty_stream_gives_nothing():
    selection = Selection(10, 10)
    selection.add([])
    assert selection.tasks() == []


def test_only_what_is_asked_for_is_chosen():
    for size, audit in ((0, 5), (5, 0), (0, 0)):
        selection = Selection(size, audit)
        selection.add(stream(100))
        assert len(selection.tasks()) == size + audit
