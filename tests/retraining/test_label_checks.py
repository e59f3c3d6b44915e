"""Checks of labelled rows: what repeats, leaks, contradicts, is rare, looks wrong, and how far annotators agree."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapnlp.errors import MissingExtra
from gapnlp.records.feedback import Source
from gapnlp.records.tickets import LabelledTicket
from gapnlp.retraining.checks import mislabelled
from gapnlp.retraining.checks.agreement import krippendorff_alpha, measure_agreement
from gapnlp.retraining.checks.mislabelled import find_mislabelled, has_single_labels
from gapnlp.retraining.checks.rarity import count_labels
from gapnlp.retraining.checks.repeats import find_contradictions, find_duplicates, find_leaks
from gapnlp.retraining.checks.texts import group_tickets, text_key
from gapnlp.retraining.labels.dataset import LabelledRow
from gapnlp.retraining.labels.mapping import LabelMapping, Mapper
from gapnlp.retraining.labels.named import SAID, WHOLE, Answer, NamedTicket
from gapnlp.retraining.labels.own import OWN_MAPPING

MEANS = {
    "Late": ("gap:delivery", "dimension:reliability:neg"),
    "Rude": ("dimension:assurance:neg",),
    "Rule": ("gap:policy",),
}
MEANS["Delay"] = MEANS["Late"]
MAPPER = Mapper(LabelMapping(MEANS, judged=("gaps",)))
OWN = Mapper(OWN_MAPPING)


def row(
    number: int, text: str, *labels: str, who: str | None = None, ticket: str = "", file: str = "x.csv"
) -> LabelledRow:
    answer = Answer(dict.fromkeys(labels, True), WHOLE, who)
    return answered(number, text, answer, ticket=ticket, file=file)


def answered(
    number: int, text: str, answer: Answer, *, ticket: str = "", file: str = "x.csv", mapper: Mapper = MAPPER
) -> LabelledRow:
    identity = f"{file}:{number}"
    named = NamedTicket(identity, ticket or identity, text, answer, Source(file, number), "en")
    return LabelledRow(named, mapper.apply(named))


def rows_of(repeat) -> list[int]:
    return [place.source.row for place in repeat.places]


@pytest.mark.parametrize("other", ["it was LATE", "It was  late!!", "“It was late.”", "It wаs late".replace("а", "a")])
def test_case_spaces_and_outer_marks_do_not_make_another_text(other):
    assert text_key("It was late.") == text_key(other)


def test_scripts_addresses_and_handles_do_not_make_another_text():
    assert text_key("@shop 快递晚了 https://a.example/1") == text_key("@store 快遞晚了 https://b.example/2")
    assert text_key("It was late") != text_key("It was not late")
    assert text_key("!!!") != text_key("...")


def test_duplicates_are_found_by_normalised_text():
    rows = [row(2, "It was late.", "Late"), row(3, "All fine", "Rude"), row(4, "IT WAS LATE", "Late")]
    assert [rows_of(r) for r in find_duplicates(rows)] == [[2, 4]]


def test_other_annotators_and_other_questions_are_no_duplicates():
    two = [row(2, "It was late.", "Late", who="a"), row(3, "It was late.", "Late", who="b")]
    assert find_duplicates(two) == ()
    asked = [answered(n, "It was late.", Answer({name: True}, SAID)) for n, name in ((2, "Late"), (3, "Rule"))]
    assert find_duplicates(asked) == ()
    again = [*asked, answered(4, "It was late.", Answer({"Late": True}, SAID))]
    assert len(find_duplicates(again)) == 1


def test_leaks_by_text_and_by_ticket():
    train = [row(2, "It was late.", "Late", ticket="t1"), row(3, "Quite rude people", "Rude")]
    test = [
        row(2, "it was late", "Late", ticket="t9", file="y.csv"),
        row(3, "Another sentence of it", "Late", ticket="t1", file="y.csv"),
        row(4, "Something new", "Late", ticket="t7", file="y.csv"),
    ]
    assert [(k.train.source.row, k.test.source.row, k.why) for k in find_leaks(train, test)] == [
        (2, 2, "text"), (2, 3, "ticket"),
    ]  # fmt: skip
    assert find_leaks(train, [row(9, "Something new", "Late", file="y.csv")]) == ()


def test_two_files_that_count_their_rows_do_not_leak_into_each_other():
    def counted(number: int, text: str, file: str) -> LabelledRow:
        made = row(number, text, "Late", ticket=str(number), file=file)
        return replace(made, named=replace(made.named, counted=True))

    train = [counted(n, f"It came {n} days late.", "january.csv") for n in range(5)]
    test = [counted(n, f"The desk was shut at {n}.", "february.csv") for n in range(5)]
    assert find_leaks(train, test) == ()
    assert [leak.why for leak in find_leaks(train, [counted(9, "it came 3 days LATE", "february.csv")])] == ["text"]


def test_contradictions_of_one_hand():
    rows = [row(2, "It was late.", "Late"), row(3, "it was late", "Rude"), row(4, "It was late", "Delay")]
    (found,) = find_contradictions(rows)  # Late and Delay mean the same
    assert (found.first.source.row, found.second.source.row, found.labels) == (2, 3, ("Late", "Rude"))
    assert find_contradictions([row(2, "Late!", "Late", who="a"), row(3, "late", "Rude", who="b")]) == ()


def test_yes_and_no_to_one_label_contradict():
    mapper_rows = [answered(2, "It was late.", Answer({"Rule": True}, SAID))]
    mapper_rows.append(answered(3, "It was late.", Answer({"Rule": False}, SAID)))
    (found,) = find_contradictions(mapper_rows)
    assert found.labels == ("Rule",)


def test_counts_and_states_of_labels():
    rows = [row(n, f"late text {n}", "Late") for n in range(60)] + [row(99, "late text 1!", "Late")]
    rows += [row(100 + n, f"rule text {n}", "Rule") for n in range(12)] + [
        row(200 + n, f"rude {n}", "Rude") for n in range(9)
    ]
    counts = {c.label: c for c in count_labels(r.ticket for r in rows)}
    late = counts["gap:delivery"]
    assert (late.yes, late.no, late.tickets, late.masked, late.state) == (60, 21, 61, 0, "learnable")
    assert counts["gap:policy"].state == "rough"
    assert counts["dimension:assurance:neg"].state == "too rare"
    assert counts["dimension:reliability:neg"].state == "one-sided"
    assert counts["dimension:reliability:neg"].masked == 21
    assert counts["gap:knowledge"].state == "only denied"


def test_texts_of_too_few_tickets_are_too_rare():
    rows = [row(n, f"late text {n}", "Late", ticket=f"t{n % 4}") for n in range(40)]
    assert {c.label: c.state for c in count_labels(r.ticket for r in rows)}["gap:delivery"] == "too rare"


# Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability": two observers of ten units; and the data of three
# coders with missing values that are printed in most introductions, where alpha for nominal values is 0.691.
FIRST, SECOND = "0100000010", "1110010000"
CODERS = ("*****34121133*3", "1*213343*******", "**21344*21133*4")


def test_alpha_of_published_examples():
    assert krippendorff_alpha(list(zip(FIRST, SECOND, strict=True))) == pytest.approx(0.095, abs=5e-4)
    units = [[value for value in unit if value != "*"] for unit in zip(*CODERS, strict=True)]
    assert krippendorff_alpha(units) == pytest.approx(0.691, abs=5e-4)


@given(units=st.lists(st.lists(st.booleans(), max_size=5), max_size=8), seed=st.integers(0, 9))
def test_alpha_does_not_depend_on_order_and_is_at_most_one(units, seed):
    alpha = krippendorff_alpha(units)
    mixed = [random.Random(seed).sample(unit, len(unit)) for unit in units][::-1]
    assert krippendorff_alpha(mixed) == alpha or krippendorff_alpha(mixed) == pytest.approx(alpha)
    assert alpha is None or alpha <= 1
    assert krippendorff_alpha([*units, [True]]) == alpha


def test_nothing_to_compare_has_no_alpha():
    assert krippendorff_alpha([]) is None
    assert krippendorff_alpha([[True, True], [True, True, True]]) is None


def test_agreement_is_measured_per_label_on_shared_texts():
    rows = [row(1, "only one", "Rude", who="a")]
    for n in range(10):
        rows.append(row(10 + n, f"text {n}", "Late" if n < 5 else "Rule", who="a"))
        rows.append(row(30 + n, f"Text {n}!", "Late" if n < 5 else "Rude", who="b"))
    found = {a.label: a for a in measure_agreement(rows)}
    assert found["Late"].alpha == pytest.approx(1.0)
    assert found["Rule"].alpha is not None and found["Rule"].alpha < 0
    assert (found["Late"].texts, found["Late"].annotators) == (10, 2)


def test_labels_that_were_not_asked_about_are_no_disagreement():
    rows = [
        answered(n, f"text {n // 2}", Answer({name: True}, SAID, who))
        for n, (name, who) in enumerate([("Late", "a"), ("Rule", "b")])
    ]
    assert all(a.texts == 0 for a in measure_agreement(rows))


def test_without_annotators_there_is_no_agreement():
    assert measure_agreement([row(1, "x y", "Late"), row(2, "x y", "Late")]) == ()


WORDS = {
    "Late": "parcel delay days late date waited shipping week overdue slow arrived truck".split(),
    "Rude": "clerk shouted rude insult manner arrogant sneered yelled impolite snapped grim agent".split(),
}


def sentence(topic: str, number: int) -> str:
    return " ".join(random.Random(number).choices(WORDS[topic], k=7))


def noisy_rows(*, single: bool) -> tuple[list[LabelledRow], set[int]]:
    """400 rows of two clear topics, 20 of which carry the other's label (and, if not single, some a second one)."""
    rows, wrong = [], set(random.Random(1).sample(range(400), 20))
    for n in range(400):
        topic = "Late" if n % 2 else "Rude"
        other = "Rude" if n % 2 else "Late"
        label = other if n in wrong else topic
        rows.append(row(n, sentence(topic, n), label, *(() if single else ("Rule",) if n % 3 else ())))
    return rows, wrong


def check_found(found: set[int], wrong: set[int]) -> None:
    """Most of the planted errors are found, and hardly anything else."""
    assert len(found & wrong) >= len(wrong) / 2
    assert len(found - wrong) <= 2


def test_wrong_labels_are_found_among_competing_ones():
    rows, wrong = noisy_rows(single=True)
    assert has_single_labels(rows)
    found = find_mislabelled(rows)
    check_found({s.place.source.row for s in found}, wrong)
    assert all(s.given != s.likely and s.confidence < 0.5 for s in found)
    assert [s.confidence for s in found] == sorted(s.confidence for s in found)
    assert find_mislabelled(rows) == found


def test_wrong_labels_are_found_label_by_label():
    rows, wrong = noisy_rows(single=False)
    assert not has_single_labels(rows)
    found = find_mislabelled(rows)
    on_delivery = {s.place.source.row for s in found if "gap:delivery" in (s.given, s.likely)}
    check_found(on_delivery, wrong)


def test_one_wrong_answer_is_listed_once():
    """A wrong polarity makes its presence look wrong, too: that is one thing to look at."""
    rows = []
    for n in range(200):
        topic = "Late" if n % 2 else "Rude"
        label = "dimension:reliability:neg" if (topic == "Late") != (n in (20, 51, 90)) else "sentiment:pos"
        both = {label: True, **({"presence:reliability": True} if label.startswith("dimension") else {})}
        rows.append(answered(n, sentence(topic, n), Answer(both, WHOLE), mapper=OWN))
    found = find_mislabelled(rows)
    listed = [(s.place.source.row, "reliability" in s.given) for s in found]
    assert len(set(listed)) == len(listed)
    assert {20, 51, 90} & {row for row, _ in listed}


def test_names_of_one_meaning_are_not_told_apart():
    rows, _ = noisy_rows(single=True)
    late = [r for r in rows if "Late" in r.named.chosen]
    delay = [row(500 + n, sentence("Late", 700 + n), "Delay") for n in range(12)]
    found = find_mislabelled([*late, *delay])
    assert all({s.given, s.likely} != {"Late", "Delay"} for s in found)


def test_labels_that_are_too_rare_to_learn_are_left_out():
    rows = [row(n, f"text {n}", "Late") for n in range(9)] + [row(20 + n, f"rude {n}", "Rude") for n in range(9)]
    assert find_mislabelled(rows) == ()
    assert find_mislabelled([]) == ()


def test_one_ticket_of_many_rows_does_not_stop_the_check():
    rows = [
        row(n, sentence("Late" if n % 2 else "Rude", n), "Late" if n % 2 else "Rude", ticket="t") for n in range(40)
    ]
    assert isinstance(find_mislabelled(rows), tuple)


def test_without_cleanlab_it_is_said(monkeypatch):
    monkeypatch.setattr(mislabelled, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"gapnlp\[train\]"):
        find_mislabelled([row(1, "x y", "Late")])


def test_rows_of_one_ticket_or_of_one_text_have_one_number():
    rows = [("a", "It was late"), ("a", "Nobody came"), ("b", "nobody came!"), ("c", "All fine"), ("b", "Thanks")]
    tickets = [LabelledTicket(f"{n}", ticket, text, {}, Source("t.csv", n)) for n, (ticket, text) in enumerate(rows)]
    assert group_tickets(tickets) == [0, 0, 0, 1, 0]
    assert group_tickets([]) == []
