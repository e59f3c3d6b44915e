"""Items in, one result an item out, in the same order, with exact offsets."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapnlp.classifier.base import Predictions
from gapnlp.errors import InputError, ModelError
from gapnlp.ingest.gold import GoldItem
from gapnlp.records.analysis import Analysis, Segment
from gapnlp.records.feedback import Failure, Feedback, Part, Source
from gapnlp.records.labels import LABELS, LANGUAGES, Labels
from gapnlp.scoring.loading import load
from gapnlp.scoring.local import score_rows
from gapnlp.scoring.scorer import Scorer
from gapnlp.taxonomy.catalogue import load_structure

ENGLISH = "The courier came nine days late. Nobody answered my three e-mails, and the box was torn."
POLISH = "Kurier przyjechał dziewięć dni po terminie. Nikt nie odpisał na moje trzy maile, a pudełko było podarte."
CHINESE = "快递晚了九天才送到。发了三封邮件都没有人回复，盒子也破了。"
GERMAN = "Das Paket kam neun Tage zu spät und niemand hat auf meine drei Nachrichten geantwortet."


pytestmark = pytest.mark.usefixtures("shared_cues")


@pytest.fixture(scope="module")
def scorer(shared_cues: None) -> Scorer:
    return load()


shipped = cache(load)


def items(*texts: str, **fields) -> list[Feedback]:
    return [Feedback(f"i{n}", text, Source("a.csv", n + 2), **fields) for n, text in enumerate(texts)]


def assert_offsets_hold(analysis: Analysis) -> None:
    last = 0
    for scored in analysis.segments:
        segment = scored.segment
        assert last <= segment.start < segment.end <= len(analysis.feedback.text)
        assert analysis.feedback.text[segment.start : segment.end] == segment.text
        assert len(scored.probabilities) == len(LABELS)
        last = segment.end


def test_results_stand_where_their_items_stood(scorer):
    batch = items(CHINESE, GERMAN, ENGLISH, "?!", POLISH, ENGLISH, "12345", CHINESE)
    results = scorer.score(batch)
    assert [r.feedback.id if isinstance(r, Analysis) else r.id for r in results] == [i.id for i in batch]
    told = [r.language if isinstance(r, Analysis) else r.kind for r in results]
    assert told == ["zh", "unsupported", "en", "empty", "pl", "en", "empty", "zh"]


def test_a_result_does_not_depend_on_its_neighbours(scorer):
    batch = items(CHINESE, GERMAN, ENGLISH, "?!", POLISH)
    together = scorer.score(batch)
    assert together == [scorer.score([item])[0] for item in batch]
    assert together == scorer.score(batch)


def test_failures_of_reading_stay_in_place(scorer):
    first, second = items(ENGLISH, POLISH)
    broken = Failure(Source("a.csv", 9), "failed", "no text", "x")
    results = score_rows(scorer, [broken, first, broken, second, broken])
    assert [isinstance(r, Failure) for r in results] == [True, False, True, False, True]
    assert results[0] is broken
    assert results[3].feedback is second


def test_an_unsupported_language_is_named(scorer):
    (result,) = scorer.score(items(GERMAN))
    assert isinstance(result, Failure)
    assert (result.kind, result.language, result.id, result.source) == ("unsupported", "de", "i0", Source("a.csv", 2))
    assert "de" in result.reason
    assert "Paket" not in result.reason


@pytest.mark.parametrize("text", ["", " \n\t ", "...", "?!", "\u200b", "5/5", "12345 678"])
@pytest.mark.parametrize("claim", [None, "en", "de"])
def test_a_text_without_words_is_empty_whatever_the_export_claims(scorer, text, claim):
    (result,) = scorer.score(items(text, language=claim))
    assert isinstance(result, Failure)
    assert result.kind == "empty"


def test_nothing_in_nothing_out(scorer):
    assert scorer.score([]) == []
    assert score_rows(scorer, []) == []
    assert scorer.analyze([]) == []
    assert scorer.analyze([], language="pl") == []
    assert scorer.classify_gold([]) == []


@pytest.mark.parametrize("text", [ENGLISH, POLISH, CHINESE])
def test_offsets_labels_and_version(scorer, text):
    (analysis,) = scorer.score(items(text))
    assert isinstance(analysis, Analysis)
    assert_offsets_hold(analysis)
    assert len(analysis.segments) >= 2
    assert analysis.model_version == scorer.classifier(analysis.language).version
    for scored in analysis.segments:
        assert all(p == round(p, 4) and 0 <= p <= 1 for p in scored.probabilities)


def test_causes_belong_to_gaps_that_were_found(scorer):
    gap_of = {key: cause.gap for key, cause in load_structure().causes.items()}
    found = 0
    for analysis in scorer.analyze([ENGLISH, POLISH, CHINESE]):
        for scored in analysis.segments:
            assert {gap_of[c] for c in scored.causes} <= set(scored.labels.gaps)
            found += len(scored.causes)
    assert found > 0


def test_a_segment_never_crosses_two_parts(scorer):
    positive, negative = "Lovely room with a view", "noise all night and rude staff at the desk"
    text = f"{positive}\n{negative}"
    parts = (Part("positive", 0, len(positive)), Part("negative", len(positive) + 1, len(text)))
    (analysis,) = scorer.score(items(text, parts=parts))
    assert isinstance(analysis, Analysis)
    assert_offsets_hold(analysis)
    assert all(s.segment.end <= len(positive) or s.segment.start > len(positive) for s in analysis.segments)


ALPHABET = st.sampled_from(
    [
        *"abcł评论很好 .,!?;\n\t\r。！，",
        "😢",
        "👩\u200d👧",
        "&amp;",
        "<br>",
        "\u200b",
        "\u202e",
        "a@b.pl",
        "https://x.pl/a",
    ]
)


@settings(max_examples=40, deadline=None)
@given(text=st.lists(ALPHABET, max_size=60).map("".join), lead=st.sampled_from([ENGLISH, POLISH, CHINESE, ""]))
def test_offsets_hold_for_any_text(text, lead):
    for result in shipped().score(items(f"{lead} {text}", f"{text}{lead}{text}")):
        if isinstance(result, Analysis):
            assert_offsets_hold(result)


def test_redaction_keeps_length_and_offsets():
    text = "Write to anna.nowak@example.com or call +48 512 345 678. Nobody ever answered my complaint."
    plain, hidden = load().score(items(text)), load(redact=True).score(items(text))
    assert isinstance(plain[0], Analysis)
    assert isinstance(hidden[0], Analysis)
    shown = hidden[0].feedback.text
    assert len(shown) == len(text)
    assert "anna" not in shown
    assert "512" not in shown
    assert shown.endswith("Nobody ever answered my complaint.")
    assert_offsets_hold(hidden[0])
    spans = [[(s.segment.start, s.segment.end) for s in a.segments] for a in (plain[0], hidden[0])]
    assert spans[0] == spans[1]


def test_analyze_names_the_text_that_cannot_be_scored(scorer):
    with pytest.raises(InputError, match=r"text 1: .*\(de\)"):
        scorer.analyze([ENGLISH, GERMAN])
    with pytest.raises(InputError, match="text 2: holds no word"):
        scorer.analyze([ENGLISH, POLISH, " "])
    with pytest.raises(InputError, match="text 1: holds no word"):
        scorer.analyze([ENGLISH, "..."], language="en")


def test_analyze_refuses_a_language_that_is_not_supported(scorer):
    with pytest.raises(InputError, match="'de' is not supported; choose one of en, pl, zh"):
        scorer.analyze([GERMAN], language="de")


def test_analyze_refuses_one_bare_text(scorer):
    with pytest.raises(InputError, match="takes a list of texts"):
        scorer.analyze(ENGLISH)


def test_analyze_with_a_language_skips_detection(scorer):
    analyses = scorer.analyze([POLISH, ENGLISH], language="pl")
    assert [a.language for a in analyses] == ["pl", "pl"]
    assert [a.feedback.text for a in analyses] == [POLISH, ENGLISH]


def test_analyze_gives_the_same_as_score(scorer):
    found = scorer.analyze([ENGLISH, CHINESE])
    expected = scorer.score(items(ENGLISH, CHINESE))
    assert [a.segments for a in found] == [a.segments for a in expected if isinstance(a, Analysis)]


class Echo:
    """A classifier that says "churn" of segments with an x, and counts how often it was made."""

    made = 0

    def __init__(self, language: str) -> None:
        type(self).made += 1
        self.language, self.version, self.error_counts = language, f"echo-{language}", {}

    def predict(self, documents):
        texts = [t for d in documents for t in d]
        labels = tuple(Labels("neu", {}, (), "none", "x" in t) for t in texts)
        return Predictions(np.zeros((len(texts), len(LABELS))), labels, np.zeros(len(texts), dtype=bool))


def test_classify_gold_keeps_items_and_segments_in_order():
    def gold(number: int, language: str, *texts: str) -> GoldItem:
        joined, segments = "", []
        for text in texts:
            segments.append(Segment(len(joined), len(joined) + len(text), text))
            joined += text
        return GoldItem(str(number), language, joined, tuple(segments), tuple(Labels("neu", {}) for _ in texts))

    batch = [
        gold(0, "pl", "x", "b"),
        gold(1, "en", "a"),
        gold(2, "pl"),
        gold(3, "zh", "x"),
        gold(4, "pl", "a", "x", "x"),
    ]
    found = Scorer(Echo).classify_gold(batch)
    assert [[x.churn for x in item] for item in found] == [[True, False], [False], [], [True], [False, True, True]]


def test_classify_gold_names_a_language_without_a_bundle(scorer):
    item = GoldItem("1", "de", "Gut.", (Segment(0, 4, "Gut."),), (Labels("pos", {}),))
    with pytest.raises(InputError, match="no bundle reads the language 'de'"):
        scorer.classify_gold([item])


def test_a_bundle_is_loaded_once_and_only_when_needed():
    Echo.made = 0
    scorer = Scorer(Echo)
    assert Echo.made == 0
    for _ in range(3):
        scorer.score(items(ENGLISH, POLISH))
    assert Echo.made == 2


def test_a_changed_bundle_is_refused_at_its_first_use(changed_models):
    path = changed_models / "linear-pl" / "card.json"
    path.write_bytes(path.read_bytes() + b" ")
    scorer = load(changed_models)
    assert isinstance(scorer.score(items(ENGLISH))[0], Analysis)
    with pytest.raises(ModelError, match=r"linear-pl.card\.json"):
        scorer.score(items(POLISH))


def test_every_language_of_the_package_has_a_bundle(scorer):
    assert [scorer.classifier(language).language for language in LANGUAGES] == list(LANGUAGES)
