"""Features of pairs: their order and shape, and that neither batches nor neighbours change them."""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
import pytest

from gapnlp.promises.pair_features import FEATURES, PairContext, PairReader, Texts
from gapnlp.records.labels import LABEL_INDEX, LABELS, sentiment_label

COPY = {
    "en": ("Every order is delivered within 2 days.", "Free parking for every guest.", "Refunds are paid in 5 days."),
    "pl": ("Każde zamówienie dostarczamy w 2 dni.", "Bezpłatny parking dla gości.", "Zwrot pieniędzy w 5 dni."),
    "zh": ("所有订单两天内送达。", "免费停车。", "五天内退款。"),
}
SAID = {
    "en": ("My parcel was delivered after 9 days.", "Parking cost us 20 dollars.", "No refund yet.", "A nice town."),
    "pl": ("Paczka szła 9 dni.", "Parking kosztował 20 zł.", "Nadal czekam na zwrot pieniędzy.", "Ładne miasto."),
    "zh": ("快递等了九天才送到。", "停车收了二十块。", "还没退款。", "城市很漂亮。"),
}


def texts(sentences, *, seed: int = 0, contexts=None) -> Texts:
    """Texts with made-up probabilities that depend on the text alone."""
    rows = [np.random.default_rng([seed, len(t), *t.encode()]).random(len(LABELS)) for t in sentences]
    return Texts(list(sentences), list(contexts or sentences), np.array(rows).reshape(len(rows), len(LABELS)))


@cache
def context(said: str = "en", copy: str | None = None) -> PairContext:
    copy = copy or said
    return PairContext((said, copy), sample=[*SAID[said], *COPY[copy]])


def read(said, promises, *, languages=("en", "en"), contexts=None) -> np.ndarray:
    reader = PairReader(context(*languages), texts(promises))
    return reader.read(texts(said, contexts=contexts))


def feature(values: np.ndarray, name: str) -> np.ndarray:
    return values[..., FEATURES.index(name)]


def test_the_names_are_unique():
    assert len(FEATURES) == len(set(FEATURES))


@pytest.mark.parametrize("language", ["en", "pl", "zh"])
def test_shape_and_range(language):
    values = read(SAID[language], COPY[language], languages=(language, language))
    assert values.shape == (4, 3, len(FEATURES))
    assert np.isfinite(values).all()
    for name in ("ngrams", "dimensions"):
        assert (feature(values, name) >= 0).all()
        assert (feature(values, name) <= 1 + 1e-9).all()


@pytest.mark.parametrize("language", ["en", "pl", "zh"])
def test_each_segment_is_nearest_to_its_own_promise(language):
    values = read(SAID[language], COPY[language], languages=(language, language))
    assert feature(values, "subjects")[:3].argmax(axis=1).tolist() == [0, 1, 2]
    assert (feature(values, "subjects_rank")[:3].argmin(axis=1) == [0, 1, 2]).all()
    assert feature(values, "subjects_behind")[0, 0] == 0
    assert feature(values, "subjects")[3].max() == 0
    assert feature(values, "segment_without_subject")[:, 0].tolist() == [0, 0, 0, 1]


def test_the_order_is_that_of_the_names():
    said = texts(SAID["en"])
    values = PairReader(context(), texts(COPY["en"])).read(said)
    for name in ("neg", "pos"):
        column = said.values[:, LABEL_INDEX[sentiment_label(name)]]
        assert feature(values, sentiment_label(name)) == pytest.approx(np.repeat(column[:, None], 3, axis=1))
        product = feature(values, "ngrams") * column[:, None]
        assert feature(values, f"ngrams*{name}") == pytest.approx(product)
    assert feature(values, "segment_length")[:, 0] == pytest.approx(np.log1p([len(t) for t in SAID["en"]]))
    assert feature(values, "promise_length")[0] == pytest.approx(np.log1p([len(t) for t in COPY["en"]]))


def test_the_same_words_are_most_alike():
    values = read(COPY["en"], COPY["en"])
    assert np.diag(feature(values, "ngrams")) == pytest.approx(1)
    assert feature(values, "ngrams_rank") == pytest.approx((1 - np.eye(3)) / 3, abs=0.34)
    assert np.diag(feature(values, "ngrams_rank")).tolist() == [0, 0, 0]


@pytest.mark.parametrize("language", ["en", "pl", "zh"])
def test_batches_do_not_change_features(language):
    said = [f"{t} {n}" for n in range(5) for t in SAID[language]]
    reader = PairReader(context(language), texts(COPY[language]))
    together = reader.read(texts(said))
    alone = np.concatenate([reader.read(texts([t])) for t in said])
    assert alone == pytest.approx(together, abs=1e-12)
    backwards = reader.read(texts(said[::-1]))[::-1]
    assert backwards == pytest.approx(together, abs=1e-12)


def test_repeated_texts_get_the_same_features():
    values = read([*SAID["en"], *SAID["en"]], COPY["en"])
    assert values[:4] == pytest.approx(values[4:], abs=1e-12)
    doubled = read(SAID["en"], [*COPY["en"], *COPY["en"]])
    for name in ("ngrams", "subjects", "faults", "dimensions", "themes"):
        assert feature(doubled, name)[:, :3] == pytest.approx(feature(doubled, name)[:, 3:])


def test_the_context_speaks_where_the_segment_is_silent():
    said = ["It was a joke."]
    alone = read(said, COPY["en"])
    within = read(said, COPY["en"], contexts=["No refund yet. It was a joke."])
    assert feature(alone, "context_subjects").max() == 0
    assert feature(within, "context_subjects")[0].argmax() == 2
    assert feature(within, "subjects").max() == 0


def test_other_languages_meet_in_subjects():
    values = read(SAID["en"], COPY["zh"], languages=("en", "zh"))
    assert feature(values, "subjects")[:3].argmax(axis=1).tolist() == [0, 1, 2]
    values = read(SAID["zh"], COPY["en"], languages=("zh", "en"))
    assert feature(values, "subjects")[:3].argmax(axis=1).tolist() == [0, 1, 2]


def test_nothing_against_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read([], COPY["en"]).shape == (0, 3, len(FEATURES))
        assert read(SAID["en"], []).shape == (4, 0, len(FEATURES))
        assert read([], []).shape == (0, 0, len(FEATURES))


@pytest.mark.parametrize("text", ["", " ", "🙂", "?!", "a" * 5000])
def test_odd_texts_give_finite_numbers(text):
    assert np.isfinite(read([text], COPY["en"])).all()
    assert np.isfinite(read(SAID["en"], [text, *COPY["en"]])).all()


def test_a_context_without_sample_still_reads():
    reader = PairReader(PairContext(("en", "en"), sample=[]), texts(COPY["en"]))
    assert feature(reader.read(texts(COPY["en"])), "ngrams").argmax(axis=1).tolist() == [0, 1, 2]
