"""A classifier with an adapter on top must do what every classifier must."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gapnlp.classifier.adapted import AdaptedClassifier, Adapter, signal_features
from gapnlp.classifier.bundle import choose_bundle, read_manifest
from gapnlp.classifier.decision import Thresholds
from gapnlp.classifier.features import FEATURES, new_vectorizer, restored_vectorizer
from gapnlp.classifier.linear import FIRST_HEADS
from gapnlp.classifier.loaders import load_bundle
from gapnlp.errors import ModelError
from gapnlp.records.error_counts import ErrorCounts
from gapnlp.records.labels import DIMENSIONS, GAPS, LABELS

DOCUMENTS = (
    ("The parcel came 3 days late.", "I called and nobody answered.", "I will never come back."),
    ("Room 7 is old and dirty.",),
    (),
    ("ok", "!!!", "They replied within minutes.", "ok"),
)
HEADS = len(FIRST_HEADS)


@pytest.fixture(scope="module")
def base(tiny_models):
    return load_bundle(choose_bundle(read_manifest(tiny_models), "en"))


def make_adapter(*learnt: str, seed: int = 0, further: tuple[str, ...] = ()) -> Adapter:
    rng = np.random.default_rng(seed)
    texts = [t for d in DOCUMENTS for t in d]
    fitted = [new_vectorizer(replace(spec, min_df=1)).fit(texts) for spec in FEATURES["en"]]
    vectorizers = tuple(
        restored_vectorizer(spec, list(v.get_feature_names_out()), v.idf_.astype(np.float32))
        for spec, v in zip(FEATURES["en"], fitted, strict=True)
    )
    terms = sum(len(v.vocabulary) for v in vectorizers)
    return Adapter(
        language="en",
        learnt=np.isin(FIRST_HEADS, learnt),
        vectorizers=vectorizers,
        centre=np.zeros(HEADS + len(further)),
        scale=np.ones(HEADS + len(further)),
        signals=rng.normal(0, 0.1, (HEADS, 2 * HEADS + len(further))),
        ngrams=rng.normal(0, 1, (HEADS, terms)).astype(np.float32),
        bias=rng.normal(0, 1, HEADS),
        thresholds=Thresholds(
            presence=dict.fromkeys(DIMENSIONS, 0.5),
            gaps=dict.fromkeys(GAPS, 0.5),
            expectations=dict.fromkeys(("unmet", "met", "exceeded"), 0.5),
            sentiment=(1.0,) * 4,
            churn=0.5,
        ),
        error_counts={"gap:policy": ErrorCounts(1, 2, 3, 4)},
        further=further,
    )


@pytest.fixture(scope="module")
def adapted(base):
    return AdaptedClassifier(base, make_adapter(*FIRST_HEADS), "adapter-en-1+0000000000")


def test_answers_depend_neither_on_the_batch_nor_on_the_order(adapted):
    together = adapted.predict(DOCUMENTS)
    apart = [adapted.predict([d]) for d in DOCUMENTS]
    np.testing.assert_allclose(together.values, np.vstack([p.values for p in apart]), atol=1e-9)
    assert together.labels == tuple(x for p in apart for x in p.labels)
    backward = adapted.predict(DOCUMENTS[::-1])
    np.testing.assert_allclose(backward.values[-3:], together.values[:3], atol=1e-9)


def test_values_are_probabilities_that_belong_together(adapted):
    values = adapted.predict(DOCUMENTS).values
    assert values.shape == (8, len(LABELS))
    assert values.min() >= 0
    assert values.max() <= 1
    np.testing.assert_allclose(values[:, 20:24].sum(axis=1), 1)
    assert (values[:, :15].reshape(8, 5, 3).sum(axis=2) <= 1 + 1e-9).all()


@pytest.mark.parametrize("nothing", [[], [()], [(), ()]])
def test_nothing_in_nothing_out(adapted, nothing):
    assert adapted.predict(nothing).values.shape == (0, len(LABELS))
    assert adapted.predict(nothing).labels == ()


def test_an_adapter_that_learnt_nothing_changes_nothing(base):
    found = AdaptedClassifier(base, make_adapter(), "a").predict(DOCUMENTS)
    before = base.predict(DOCUMENTS)
    assert np.array_equal(found.values, before.values)
    assert found.labels == before.labels


@pytest.mark.parametrize("head", ["gap:policy", "churn", "expectation:met", "presence:empathy", "sentiment:neg"])
def test_one_learnt_head_moves_its_own_labels_alone(base, head):
    learnt = [h for h in FIRST_HEADS if h.startswith("sentiment")] if head.startswith("sentiment") else [head]
    before, after = base.predict(DOCUMENTS), AdaptedClassifier(base, make_adapter(*learnt), "a").predict(DOCUMENTS)
    kind, _, name = head.partition(":")
    own = {"presence": f"dimension:{name}", "sentiment": "sentiment:"}.get(kind, head)
    columns = np.asarray([label.startswith(own) for label in LABELS])
    assert np.array_equal(before.values[:, ~columns], after.values[:, ~columns])
    assert not np.allclose(before.values[:, columns], after.values[:, columns])
    fields = {"gap": "gaps", "churn": "churn", "expectation": "expectation", "presence": "dimensions"}
    moved = fields.get(kind, "sentiment")
    for old, new in zip(before.labels, after.labels, strict=True):
        assert replace(old, **{moved: getattr(new, moved)}) == new
        assert {d: p for d, p in old.dimensions.items() if d != name} == {
            d: p for d, p in new.dimensions.items() if d != name
        }


def test_an_outcome_that_was_not_learnt_stays_decided(base):
    before = base.predict([("They promised 5 o'clock and nobody came.",)])
    assert before.labels[0].expectation == "unmet"
    adapter = make_adapter("expectation:met")
    sure = replace(adapter, bias=np.full(HEADS, 50.0))
    found = AdaptedClassifier(base, sure, "a").predict([("They promised 5 o'clock and nobody came.",)])
    assert found.labels[0].expectation == "unmet"


def test_evidence_adds_the_adapters_words_to_the_bases(base):
    adapter = make_adapter("gap:policy")
    column = {t: i for i, t in enumerate(adapter.vectorizers[1].vocabulary)}["dirty"]
    weights = np.zeros_like(adapter.ngrams)
    weights[FIRST_HEADS.index("gap:policy"), len(adapter.vectorizers[0].vocabulary) + column] = 5
    text = DOCUMENTS[1][0]
    (before,) = base.explain(DOCUMENTS[1])
    (after,) = AdaptedClassifier(base, replace(adapter, ngrams=weights), "a").explain(DOCUMENTS[1])
    change = after["gap:policy"] - before["gap:policy"]
    place = text.index("dirty")
    assert (change[place : place + 5] > 0).all()
    assert not change[:place].any()
    assert np.array_equal(after["churn"], before["churn"])


def test_it_names_both_versions_and_takes_over_counts(base, adapted):
    assert adapted.version == f"adapter-en-1+0000000000@{base.version}"
    assert adapted.error_counts["gap:policy"] == ErrorCounts(1, 2, 3, 4)
    assert adapted.error_counts["gap:delivery"] == base.error_counts["gap:delivery"]
    assert adapted.share_errors == base.share_errors


def test_what_does_not_belong_together_is_refused(base):
    with pytest.raises(ModelError, match="adapter for 'pl' cannot stand on linear-en"):
        AdaptedClassifier(base, replace(make_adapter(), language="pl"), "a")
    with pytest.raises(ModelError, match="further signals are not there"):
        AdaptedClassifier(base, make_adapter(further=("encoder",)), "a")


class Reader:
    names = ("encoder",)

    def logits(self, documents):
        return np.asarray([[float(len(t))] for d in documents for t in d])


def test_further_signals_are_read(base):
    adapter = make_adapter("churn", further=("encoder",))
    signals = np.zeros_like(adapter.signals)
    signals[FIRST_HEADS.index("churn"), HEADS] = 1.0
    adapter = replace(adapter, signals=signals, ngrams=np.zeros_like(adapter.ngrams), bias=np.zeros(HEADS))
    values = AdaptedClassifier(base, adapter, "a", Reader()).predict(DOCUMENTS).values[:, -1]
    odds = lambda p: np.log(p / (1 - p))  # noqa: E731
    shift = odds(values[:3]) - odds(np.clip(base.predict(DOCUMENTS).values[:3, -1], 1e-6, 1 - 1e-6))
    np.testing.assert_allclose(shift, [len(t) for t in DOCUMENTS[0]], rtol=1e-3)


def test_neighbours_are_the_mean_of_both_sides_within_the_document():
    logits = np.arange(5 * HEADS, dtype=float).reshape(5, HEADS)
    found = signal_features(logits, [3, 2], centre=np.zeros(HEADS), scale=np.ones(HEADS))[:, HEADS:]
    np.testing.assert_allclose(found[0], logits[1])
    np.testing.assert_allclose(found[1], (logits[0] + logits[2]) / 2)
    np.testing.assert_allclose(found[2], logits[1])
    np.testing.assert_allclose(found[3], logits[4])
    assert not signal_features(logits[:1], [1], centre=np.zeros(HEADS), scale=np.ones(HEADS))[:, HEADS:].any()
