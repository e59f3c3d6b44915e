"""Mapping files: what labels mean, what follows from them, and that absence is masked unless judged."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapnlp.errors import InputError
from gapnlp.records.feedback import Failure, Source
from gapnlp.records.labels import HEADS, SENTIMENTS, sentiment_label
from gapnlp.records.tickets import LabelledTicket
from gapnlp.retraining.labels.groups import GROUPS, complete, expand_groups
from gapnlp.retraining.labels.mapping import LabelMapping, Mapper, check_confirmed, parse_mapping, read_mapping
from gapnlp.retraining.labels.mapping_file import write_mapping
from gapnlp.retraining.labels.named import SAID, UNSURE, WHOLE, Answer, NamedTicket
from gapnlp.retraining.labels.proposals import Candidate, LabelProposal

MEANS = {"Late": ("dimension:reliability:neg", "gap:delivery"), "Rude": ("dimension:assurance:neg",), "Other": ()}


def named(said: dict[str, bool], covers: str = WHOLE) -> NamedTicket:
    return NamedTicket("1", "1", "It came late.", Answer(said, covers, "ann"), Source("x.csv", 2))


def apply(said: dict[str, bool], covers: str = WHOLE, **settings) -> LabelledTicket | Failure:
    return Mapper(LabelMapping(MEANS, **settings)).apply(named(said, covers))


def test_absence_is_masked_where_nothing_is_judged():
    ticket = apply({"Late": True})
    assert {label for label, yes in ticket.given.items() if yes} == {
        "dimension:reliability:neg", "gap:delivery", "presence:reliability",
    }  # fmt: skip
    assert "gap:policy" not in ticket.given
    assert "presence:assurance" not in ticket.given
    assert ticket.given["dimension:reliability:pos"] is False
    assert (ticket.annotator, ticket.source) == ("ann", Source("x.csv", 2))


def test_absence_is_false_in_judged_groups_alone():
    given = apply({"Late": True}, judged=("gaps",)).given
    assert given["gap:policy"] is False and given["gap:delivery"] is True
    assert "presence:assurance" not in given and "churn" not in given
    given = apply({"Late": True}, judged=("dimensions", "churn")).given
    assert given["presence:empathy"] is False and given["dimension:empathy:neg"] is False
    assert given["presence:reliability"] is True and given["churn"] is False


def test_a_denied_label_denies_only_what_is_judged_and_said_by_nothing_else():
    assert isinstance(apply({"Late": False}, SAID), Failure)
    assert apply({"Late": False}, SAID, judged=("gaps",)).given == {"gap:delivery": False}
    two = Mapper(LabelMapping({**MEANS, "Lost": ("gap:delivery",)}, judged=("gaps",)))
    assert isinstance(two.apply(named({"Late": False}, SAID)), Failure)
    assert two.apply(named({"Late": False, "Lost": True}, SAID)).given == {"gap:delivery": True}
    assert two.apply(named({"Late": False, "Lost": False}, SAID)).given == {"gap:delivery": False}


def test_rows_without_labels_say_nothing_unless_the_mapping_says_so():
    failure = apply({}, UNSURE, judged=("gaps",))
    assert isinstance(failure, Failure) and failure.source.row == 2
    assert set(apply({}, UNSURE, judged=("gaps",), empty="none").given.values()) == {False}
    assert set(apply({}, WHOLE, judged=("gaps",)).given) == set(GROUPS["gaps"])


def test_ignored_and_unknown_labels_give_nothing_and_are_counted():
    mapper = Mapper(LabelMapping(MEANS))
    assert isinstance(mapper.apply(named({"Other": True})), Failure)
    assert isinstance(mapper.apply(named({"New": True})), Failure)
    assert mapper.unmapped == {"New": 1}
    assert mapper.unused == {"Other": 1, "New": 1}


def test_rows_that_say_nothing_tell_an_ignored_label_from_an_unknown_one():
    assert apply({"Other": True}).reason == "the mapping ignores its labels"
    assert apply({"New": True}).reason == "none of its labels is mapped"


def test_an_ignored_label_alone_denies_nothing():
    assert isinstance(apply({"Other": True}, judged=("gaps", "dimensions")), Failure)
    assert apply({"Other": True, "Rude": True}, judged=("gaps",)).given["gap:policy"] is False


def test_a_label_may_say_that_nothing_judged_holds():
    mapping = parse_mapping(
        {"judged": ["gaps"], "labels": {"Late": ["gap:delivery"], "Fine": ["none"]}}, where="m.toml"
    )
    fine = Mapper(mapping).apply(named({"Fine": True}))
    assert fine.given == {label: False for label in HEADS if label.startswith("gap:")}
    both = Mapper(mapping).apply(named({"Fine": True, "Late": True}))
    assert both.given["gap:delivery"] is True
    assert isinstance(apply({"Fine": True}, judged=("gaps",)), Failure)
    with pytest.raises(InputError, match="'none' does not exist"):
        parse_mapping({"labels": {"Fine": ["none", "gap:delivery"]}}, where="m.toml")


def test_praise_and_fault_at_once():
    given = complete(["dimension:empathy:neg", "dimension:empathy:pos", "sentiment:neg", "sentiment:pos"], [])
    assert [label for label, yes in given.items() if yes] == [
        "dimension:empathy:neu", "sentiment:mixed", "presence:empathy",
    ]  # fmt: skip
    assert not any(label.startswith("sentiment") for label in complete(["sentiment:neu", "sentiment:neg"], []))


def test_presence_leaves_the_polarity_open():
    given = complete(["presence:empathy"], GROUPS["dimensions"])
    assert given["presence:empathy"] is True
    assert "dimension:empathy:neg" not in given
    assert given["presence:tangibles"] is False


_LABELS = st.sets(st.sampled_from(HEADS), max_size=8)


@given(asserted=_LABELS, denied=_LABELS)
def test_what_follows_is_consistent(asserted, denied):
    given = complete(asserted, denied)
    sentiments = [given[sentiment_label(s)] for s in SENTIMENTS if sentiment_label(s) in given]
    assert not sentiments or (len(sentiments) == 4 and sum(sentiments) == 1)
    for label, yes in given.items():
        kind, _, rest = label.partition(":")
        if kind == "dimension" and yes:
            dimension = rest.split(":")[0]
            assert given[f"presence:{dimension}"] is True
            assert sum(given[f"dimension:{dimension}:{p}"] for p in ("neg", "neu", "pos")) == 1
        if kind == "gap":
            assert yes == (label in asserted)
    assert set(given) <= set(HEADS)


@given(asserted=_LABELS, denied=_LABELS)
def test_nothing_follows_twice(asserted, denied):
    given = complete(asserted, denied)
    again = complete([x for x, yes in given.items() if yes], [x for x, yes in given.items() if not yes])
    assert again == given


@given(
    names=st.lists(
        st.text(min_size=1, max_size=20), unique_by=lambda n: n.encode("utf-16", "surrogatepass"), max_size=6
    )
)
def test_any_label_name_survives_the_file(names):
    names = [n.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for n in names]
    found = (Candidate("gap:policy", 0.9, "why\nnot\x00 = ]"), Candidate("churn", 0.1, "perhaps"))
    proposals = [LabelProposal(name, 3, found) for name in dict.fromkeys(names)]
    raw = tomllib.loads(write_mapping(proposals, ["gaps"]))
    mapping = parse_mapping(raw, where="m.toml")
    assert mapping == LabelMapping(dict.fromkeys(names, ("gap:policy",)), ("gaps",))


def test_a_mapping_must_be_confirmed():
    with pytest.raises(InputError, match="confirmed = true"):
        check_confirmed(LabelMapping(MEANS), "m.toml")
    check_confirmed(LabelMapping(MEANS, confirmed=True), "m.toml")


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("labels = 3", "labels"),
        ("confirmed = true", r"\[labels\]"),
        ("[labels]\nLate = ['gap:delivry']", "did you mean gap:delivery"),
        ("[labels]\nLate = [3]", "Late"),
        ("judged = ['gapz']\n[labels]", "gaps"),
        ("empty = 'perhaps'\n[labels]", "unlabelled, none"),
        ("confirmed = 'yes'\n[labels]", "true or false"),
        ("nonsense = 1\n[labels]", "nonsense"),
        ("[labels\n", "TOML"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path, content, part):
    path = tmp_path / "m.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=part):
        read_mapping(path)


def test_a_mapping_saved_by_windows_editors_is_read(tmp_path):
    path = tmp_path / "m.toml"
    path.write_text('confirmed = true\n[labels]\nLate = "gap:delivery"\n', encoding="utf-8-sig")
    assert read_mapping(path).confirmed


def test_a_single_word_stands_for_a_list(tmp_path):
    path = tmp_path / "m.toml"
    path.write_text('confirmed = true\n[labels]\nLate = "gap:delivery"\n', encoding="utf-8")
    assert read_mapping(path) == LabelMapping({"Late": ("gap:delivery",)}, confirmed=True)


def test_groups_cover_every_label():
    assert expand_groups(GROUPS) == set(HEADS)
    assert expand_groups(["dimension:empathy"]) == {
        "dimension:empathy:neg", "dimension:empathy:neu", "dimension:empathy:pos", "presence:empathy",
    }  # fmt: skip
