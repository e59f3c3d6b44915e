"""What every classifier must do, run over every bundle: the shipped ones and small ones made by the same recipe."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gapnlp.classifier.base import Classifier
from gapnlp.classifier.bundle import choose_bundle, read_manifest
from gapnlp.classifier.loaders import load_bundle
from gapnlp.records.labels import (
    DIMENSIONS,
    EXPECTATIONS,
    GAPS,
    LABEL_INDEX,
    LABELS,
    LANGUAGES,
    POLARITIES,
    SENTIMENTS,
    dimension_label,
    gap_label,
    sentiment_label,
)

DOCUMENTS = {
    "en": (
        ("The site said next-day delivery, it took nine days.", "Nobody answered the phone.", "Never again, not here."),
        ("Lovely staff, they explained everything twice.",),
        (),
        ("ok", "!!!", "The room was dirty and the towels smelled of smoke.", "ok"),
        ("Ordered a lamp in March.", "It is a lamp."),
    ),
    "pl": (
        ("Kurier miał być w piątek, przyjechał w środę.", "Infolinia milczy.", "Więcej tu nic nie kupię."),
        ("Pani doktor cierpliwie wszystko wytłumaczyła.",),
        (),
        ("ok", "!!!", "W pokoju było brudno i śmierdziało papierosami.", "ok"),
        ("Zamówiłam lampę w marcu.", "To jest lampa."),
    ),
    "zh": (
        ("说好第二天送到，结果等了九天。", "客服电话一直没人接。", "以后再也不会来买了。"),
        ("医生很耐心，解释得非常清楚。",),
        (),
        ("好", "！！！", "房间很脏，毛巾有一股烟味。", "好"),
        ("三月份买了一盏灯。", "就是一盏灯。"),
    ),
}  # fmt: skip
CLASSIFIERS = [f"{origin}-{language}" for origin in ("shipped", "small") for language in LANGUAGES]


@pytest.fixture(scope="module", params=CLASSIFIERS)
def classifier(request: pytest.FixtureRequest) -> Classifier:
    origin, language = request.param.split("-")
    models: Path | None = request.getfixturevalue("tiny_models") if origin == "small" else None
    return load_bundle(choose_bundle(read_manifest(models), language))


@pytest.fixture
def documents(classifier: Classifier) -> tuple[tuple[str, ...], ...]:
    return DOCUMENTS[classifier.language]


def test_every_shipped_language_is_in_the_suite():
    assert {bundle.language for bundle in read_manifest() if bundle.kind != "promises"} == set(LANGUAGES)


def test_one_row_of_probabilities_and_one_decision_a_segment(classifier, documents):
    predictions = classifier.predict(documents)
    assert predictions.values.shape == (10, len(LABELS))
    assert predictions.values.dtype == np.float64
    assert len(predictions.labels) == 10


def test_values_are_probabilities(classifier, documents):
    values = classifier.predict(documents).values
    assert np.isfinite(values).all()
    assert values.min() >= 0
    assert values.max() <= 1
    sentiments = [LABEL_INDEX[sentiment_label(s)] for s in SENTIMENTS]
    np.testing.assert_allclose(values[:, sentiments].sum(axis=1), 1, atol=1e-9)
    for dimension in DIMENSIONS:
        columns = [LABEL_INDEX[dimension_label(dimension, p)] for p in POLARITIES]
        assert (values[:, columns].sum(axis=1) <= 1 + 1e-9).all()


def test_labels_are_of_the_taxonomy(classifier, documents):
    for labels in classifier.predict(documents).labels:
        assert labels.sentiment in SENTIMENTS
        assert labels.expectation in EXPECTATIONS
        assert set(labels.dimensions) <= set(DIMENSIONS)
        assert set(labels.dimensions.values()) <= set(POLARITIES)
        assert list(labels.gaps) == [g for g in GAPS if g in labels.gaps]
        assert isinstance(labels.churn, bool)


def test_answers_do_not_depend_on_the_batch(classifier, documents):
    together = classifier.predict(documents)
    apart = [classifier.predict([d]) for d in documents]
    one_by_one = np.vstack([p.values for p in apart])
    np.testing.assert_allclose(together.values, one_by_one, atol=1e-4)
    assert together.labels == tuple(labels for p in apart for labels in p.labels)


def test_answers_do_not_depend_on_the_order_of_documents(classifier, documents):
    forward = classifier.predict(documents)
    backward = classifier.predict(documents[::-1])
    starts = np.cumsum([0, *(len(d) for d in documents)])
    rows = [i for a, b in reversed(list(zip(starts, starts[1:], strict=False))) for i in range(a, b)]
    np.testing.assert_allclose(forward.values[rows], backward.values, atol=1e-4)
    assert tuple(forward.labels[i] for i in rows) == backward.labels


def test_neighbours_are_context_and_other_documents_are_not(classifier, documents):
    alone = classifier.predict([documents[0][1:2]]).values[0]
    within = classifier.predict([documents[0]]).values[1]
    beside = classifier.predict([documents[0][:1], documents[0][1:2], documents[0][2:]]).values[1]
    assert np.abs(alone - within).max() > 1e-3
    np.testing.assert_allclose(alone, beside, atol=1e-4)


def test_the_same_input_gives_the_same_bytes(classifier, documents):
    first, second = classifier.predict(documents), classifier.predict(documents)
    assert first.values.tobytes() == second.values.tobytes()
    assert first.labels == second.labels


@pytest.mark.parametrize("nothing", [[], [()], [(), ()]])
def test_nothing_in_nothing_out(classifier, nothing):
    predictions = classifier.predict(nothing)
    assert predictions.values.shape == (0, len(LABELS))
    assert predictions.labels == ()


@pytest.mark.parametrize("at", [0, 1, 2])
def test_an_empty_document_changes_nothing(classifier, documents, at):
    batch = [documents[0], documents[1]]
    expected = classifier.predict(batch)
    batch.insert(at, ())
    found = classifier.predict(batch)
    np.testing.assert_allclose(found.values, expected.values, atol=1e-12)
    assert found.labels == expected.labels


@pytest.mark.parametrize("text", ["", " ", "?", "\U0001f622", "x" * 5000, "\x00\u200b"])
def test_odd_segments_are_answered(classifier, text):
    values = classifier.predict([(text,)]).values
    assert values.shape == (1, len(LABELS))
    assert np.isfinite(values).all()


def test_error_counts_are_given_for_every_label(classifier):
    assert set(LABELS) <= set(classifier.error_counts)
    for counts in classifier.error_counts.values():
        assert min(counts.tp, counts.fn, counts.fp, counts.tn) >= 0
    assert classifier.error_counts[gap_label("delivery")].positives > 0


def test_share_errors_are_given_for_every_label(classifier):
    assert set(LABELS) <= set(classifier.share_errors)
    for error in classifier.share_errors.values():
        assert error.spread >= 0
        assert error.domains > 0


def test_the_version_names_the_bundle(classifier):
    assert classifier.version.startswith(f"linear-{classifier.language}-")
    assert "+" in classifier.version


PLAIN_FAULTS = {
    "en": "The room was filthy and the staff were rude.",
    "pl": "Pokój był brudny, a obsługa niegrzeczna.",
    "zh": "房间很脏，服务员态度很差。",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_shipped_bundle_knows_a_plain_fault(language):
    (labels,) = load_bundle(choose_bundle(read_manifest(), language)).predict([(PLAIN_FAULTS[language],)]).labels
    assert labels.sentiment == "neg"
    assert "neg" in labels.dimensions.values()
