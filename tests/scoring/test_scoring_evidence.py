"""Evidence: the words shown lie in the text as written, and are the ones that speak for the label."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapnlp.records.analysis import ScoredSegment, Segment, Span
from gapnlp.records.labels import LABELS, Labels
from gapnlp.scoring.evidence import find_evidence, given_labels
from gapnlp.scoring.loading import load
from gapnlp.text.normalise import normalise

PLAIN = {
    "en": "The parcel came five days late and nobody answered the phone.",
    "pl": "Paczka przyszła pięć dni po terminie i nikt nie odbierał telefonu.",
    "zh": "快递晚到了五天,客服电话一直没人接。",
}


def scored(text: str, labels: Labels, start: int = 0) -> ScoredSegment:
    return ScoredSegment(Segment(start, start + len(text), text), labels, (0.0,) * len(LABELS))


def weights_on(text: str, word: str) -> dict[str, np.ndarray]:
    weights = np.zeros(len(text))
    place = text.index(word)
    weights[place : place + len(word)] = 1.0
    return dict.fromkeys(LABELS, weights)


def test_the_strongest_word_is_marked_at_its_place_in_the_item():
    text = "Nobody answered for weeks."
    segment = scored(text, Labels("neg", {"responsiveness": "neg"}), start=10)
    found = find_evidence(segment, text, weights_on(text, "answered"))
    assert found["dimension:responsiveness:neg"] == (Span(17, 25),)
    assert found["sentiment:neg"] == (Span(17, 25),)


def test_neighbouring_words_become_one_span():
    text = "They never answered me."
    found = find_evidence(scored(text, Labels("neg", {})), text, weights_on(text, "never answered"))
    assert [text[s.start : s.end] for s in found["sentiment:neg"]] == ["never answered"]


def test_no_word_that_speaks_for_a_label_means_no_span():
    text = "Well."
    assert find_evidence(scored(text, Labels("neu", {})), text, dict.fromkeys(LABELS, np.full(5, -1.0))) == {}


def test_offsets_survive_normalisation():
    text = "Staff  was   RUDE !!!!!!! see https://example.org/a"
    normal = normalise(text, "en")
    found = find_evidence(scored(text, Labels("neg", {})), normal, weights_on(normal, "RUDE"))
    assert [text[s.start : s.end] for s in found["sentiment:neg"]] == ["RUDE"]


def test_traditional_script_is_marked_where_it_stands():
    text = "醫師態度很差"
    normal = normalise(text, "zh")
    assert normal != text
    found = find_evidence(scored(text, Labels("neg", {})), normal, weights_on(normal, "很差"))
    assert [text[s.start : s.end] for s in found["sentiment:neg"]] == ["很差"]


@given(st.text(max_size=60), st.sampled_from(["en", "pl", "zh"]))
@settings(max_examples=60)
def test_spans_are_always_inside_the_segment(text, language):
    normal = normalise(text, language)
    attribution = dict.fromkeys(LABELS, np.linspace(-1, 1, len(normal)))
    for spans in find_evidence(scored(text, Labels("pos", {})), normal, attribution).values():
        assert all(0 <= s.start < s.end <= len(text) for s in spans)


def test_given_labels_names_all_that_was_decided():
    labels = Labels("mixed", {"empathy": "neg"}, ("policy",), "unmet", True)
    names = ["dimension:empathy:neg", "gap:policy", "sentiment:mixed", "expectation:unmet", "churn"]
    assert list(given_labels(labels)) == names


@pytest.mark.parametrize("language", PLAIN)
@pytest.mark.parametrize("quality", ["fast", "accurate"])
def test_shipped_bundles_explain_plain_complaints(language, quality):
    text = PLAIN[language]
    (analysis,) = load(quality=quality).analyze([text], language=language, evidence=True)
    assert any(s.evidence for s in analysis.segments)
    for segment in analysis.segments:
        assert set(segment.evidence) <= set(given_labels(segment.labels))
        for spans in segment.evidence.values():
            assert all(segment.segment.start <= s.start < s.end <= segment.segment.end for s in spans)


def test_evidence_is_only_looked_for_when_asked():
    (analysis,) = load(quality="fast").analyze([PLAIN["en"]])
    assert all(not s.evidence for s in analysis.segments)
