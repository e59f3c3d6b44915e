"""Proposals of mappings: from names in three languages, and from examples by lift."""

from __future__ import annotations

import tomllib

import pytest

from gapnlp.errors import InputError
from gapnlp.records.analysis import Analysis, ScoredSegment, Segment
from gapnlp.records.feedback import Failure
from gapnlp.records.labels import LABELS, Labels
from gapnlp.retraining.labels.examples import propose_from_examples, sample_texts
from gapnlp.retraining.labels.mapping import parse_mapping
from gapnlp.retraining.labels.mapping_file import write_mapping
from gapnlp.retraining.labels.names import propose_from_names
from gapnlp.retraining.labels.proposals import PROPOSED, Candidate, combine, propose_judged
from gapnlp.retraining.labels.propose import MOST_LABELS, propose_mapping


def proposed(name: str) -> tuple[str, ...]:
    (proposal,) = propose_mapping({name: ["a text"]})
    return proposal.proposed


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("gap:delivery", "gap:delivery"),
        ("DIMENSION:RELIABILITY:NEG", "dimension:reliability:neg"),
        ("rel-", "dimension:reliability:neg"),
        ("Empathy +", "dimension:empathy:pos"),
        ("Reliability", "presence:reliability"),
        ("Delivery gap", "gap:delivery"),
        ("gap_delivery", "gap:delivery"),
        ("reliability_negative", "dimension:reliability:neg"),
        ("sentiment: Negative", "sentiment:neg"),
        ("churn", "churn"),
    ],
)
def test_gapnlps_own_names_are_recognised(name, label):
    assert proposed(name) == (label,)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Late Flight", "dimension:reliability:neg"),
        ("Opóźniona dostawa", "dimension:reliability:neg"),
        ("航班延誤", "dimension:reliability:neg"),
        ("Rude staff", "dimension:assurance:neg"),
        ("Niemiła obsługa", "dimension:assurance:neg"),
        ("服务态度差", "dimension:assurance:neg"),
        ("Customer service problem", "dimension:responsiveness:neg"),
        ("Kolejki", "presence:responsiveness"),
        ("排队", "presence:responsiveness"),
        ("hidden_fees", "gap:communication"),
        ("Regulamin", "gap:policy"),
        ("政策", "gap:policy"),
        ("Praise: cleanliness", "dimension:tangibles:pos"),
    ],
)
def test_usual_words_are_recognised_in_three_languages(name, label):
    assert label in proposed(name)


@pytest.mark.parametrize("name", ["Can't Tell", "xyz", "Q3", "其他", "inne"])
def test_nothing_is_proposed_for_names_that_say_nothing(name):
    assert proposed(name) == ()


def test_every_candidate_has_a_reason_and_a_confidence():
    for candidates in propose_from_names(["Late", "排队", "rel-", "Delivery gap"]).values():
        assert candidates
        assert all(c.reason and 0 < c.confidence <= 1 for c in candidates)


class FakeScorer:
    """Finds churn in texts with "leave", policy in those with "rule", negative sentiment in all."""

    def score(self, items):
        return [self._one(item) for item in items]

    def _one(self, item):
        if "unreadable" in item.text:
            return Failure(item.source, "unsupported", "x")
        gaps = ("policy",) if "rule" in item.text else ()
        labels = Labels("neg", {}, gaps, churn="leave" in item.text)
        segment = ScoredSegment(Segment(0, 1, item.text[:1]), labels, (0.0,) * len(LABELS), (), False)
        return Analysis(item, "en", (segment,), "fake")


def texts(word: str, n: int = 20) -> list[str]:
    return [f"{word} {i}" for i in range(n)]


def test_examples_speak_by_lift_and_not_by_frequency():
    found = propose_from_examples({"A": texts("leave"), "B": texts("rule"), "C": texts("else")}, FakeScorer())
    assert [c.label for c in found["A"]] == ["churn"]
    assert [c.label for c in found["B"]] == ["gap:policy"]
    assert found["C"] == []
    assert found["A"][0].confidence >= PROPOSED and "98%" in found["A"][0].reason


def test_few_examples_and_a_lone_label_say_nothing():
    assert propose_from_examples({"A": texts("leave", 9), "B": texts("rule")}, FakeScorer())["A"] == []
    assert propose_from_examples({"A": texts("leave")}, FakeScorer())["A"] == []
    mixed = {"A": texts("unreadable"), "B": texts("rule")}
    assert propose_from_examples(mixed, FakeScorer()) == {"A": [], "B": []}


def test_what_goes_together_with_one_of_our_own_names_is_not_proposed():
    (one, _) = propose_mapping({"negative": texts("rule"), "positive": texts("else")}, FakeScorer())
    assert one.proposed == ("sentiment:neg",)
    assert "gap:policy" in {c.label for c in one.found}


def test_the_sample_does_not_depend_on_order():
    assert sample_texts(texts("a", 400)) == sample_texts(texts("a", 400)[::-1])
    assert len(sample_texts(texts("a", 400))) == 150


def test_reasons_add_up_and_polarities_compete():
    found = combine(
        [Candidate("presence:empathy", 0.5, "a"), Candidate("dimension:empathy:neg", 0.5, "b")]
        + [Candidate("dimension:empathy:pos", 0.3, "c"), Candidate("churn", 0.2, "d"), Candidate("churn", 0.5, "e")]
    )
    assert [(c.label, round(c.confidence, 2)) for c in found] == [("dimension:empathy:neg", 0.75), ("churn", 0.6)]
    assert found[0].reason == "b; a"


def test_whole_groups_are_proposed_as_judged():
    gaps = [f"{g} gap" for g in ("customer", "knowledge", "policy", "delivery", "communication")]
    assert propose_judged(propose_mapping({name: ["x"] for name in gaps})) == ("gaps",)
    assert propose_judged(propose_mapping({name: ["x"] for name in gaps[1:]})) == ()


def test_the_file_is_never_confirmed_and_gives_reasons():
    written = write_mapping(propose_mapping({"Late": ["x"], "Can't Tell": ["y", "z"]}))
    assert "confirmed = false" in written
    assert "# dimension:reliability:neg 0.60: its name says 'late'" in written
    assert '"Can\'t Tell" = []' in written


def test_the_file_offers_to_judge_all_that_the_labels_mean():
    written = write_mapping(propose_mapping({"Late": ["x"], "Rude": ["y"]}))
    offered = next(line for line in written.splitlines() if line.startswith("# judged = "))
    accepted = written.replace("\njudged = []\n", f"\n{offered.removeprefix('# ')}\n")
    mapping = parse_mapping(tomllib.loads(accepted), where="m.toml")
    assert set(mapping.judged) == {label for means in mapping.means.values() for label in means}
    assert {"dimension:reliability:neg", "gap:delivery"} <= set(mapping.judged)


def test_too_many_labels_and_none_are_refused():
    with pytest.raises(InputError, match="--labels"):
        propose_mapping({})
    with pytest.raises(InputError, match="--separator"):
        propose_mapping({str(n): ["x"] for n in range(MOST_LABELS + 1)})
