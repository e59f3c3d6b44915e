"""Cues: the pattern language, and every cause's own examples and near misses."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapnlp.errors import InputError
from gapnlp.taxonomy.catalogue import UI_LANGUAGES, CueSet, load_cues, load_structure
from gapnlp.text.cue_patterns import Gap, Guard, Slot, parse_pattern
from gapnlp.text.cues import CueMatcher, fold_text, split_pattern_units, split_units


@pytest.fixture(scope="session", params=UI_LANGUAGES)
def matcher(request):
    return CueMatcher(request.param)


def matches(language: str, pattern: str, text: str) -> bool:
    cues = {"price_paid": CueSet((pattern,), ("x",), ("y",))}
    return CueMatcher(language, cues=cues).match([text]) == [("price_paid",)]


def english(pattern: str):
    return parse_pattern(pattern, lambda text: split_pattern_units(text, "en"))


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("late", "It came LATE.", True),
        ("late", "I like chocolate", False),
        ("refund*", "refunding takes weeks", True),
        ("refund*", "a prerefund", False),
        ("slow|late*", "lately", True),
        ("slow service", "slow and bad service", False),
        ("slow ... service", "slow and very bad service", True),
        ("slow ... service", "slow a b c d service", True),
        ("slow ... service", "slow a b c d e service", False),
        ("slow ... service", "It was slow. The service too", False),
        ("slow ... service", "slow, bad, service", True),
        ("so (very) slow", "so slow", True),
        ("so (very) slow", "so very slow", True),
        ("so (very) slow", "so really slow", False),
        ("[not good|bad] food", "not good food", True),
        ("[not good|bad] food", "bad food", True),
        ("[not good|bad] food", "not food", False),
        ("# hours", "3 hours", True),
        ("# hours", "three hours", True),
        ("# minutes", "20minutes", True),
        ("# min", "20min", True),
        ("# hours", "1.5 hours", True),
        ("☆", "a 5* hotel", True),
        ("☆", "a great* hotel", False),
        ("!not|never dirty", "dirty room", True),
        ("!not|never dirty", "not dirty", False),
        ("!not|never dirty", "never really dirty", False),
        ("!not|never dirty", "not nice but dirty", True),
        ("did not work", "it didn't work", True),
        ("did not work", "it didn’t work", True),
        ("did not work", "it didnt work", True),
        ("can not", "I cannot and can't and cant", True),
        ("will not", "they won't", True),
        ("cafe", "the café", True),
    ],
)
def test_english_patterns(pattern, text, expected):
    assert matches("en", pattern, text) is expected


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("opóźnion*", "lot opoznionego samolotu był opóźniony", True),
        ("opozni*", "OPÓŹNIENIE", True),
        ("łóżk*", "lozka twarde", True),
        ("[nie ma|brak] wind*", "Nie ma windy", True),
        ("# gwiazdk*", "trzy gwiazdki", True),
        ("☆", "hotel 4 * nad morzem", True),
        ("!nie brudn*", "wcale nie było brudno", False),
    ],
)
def test_polish_patterns(pattern, text, expected):
    assert matches("pl", pattern, text) is expected


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("退款", "退 款很慢", True),
        ("客服...[没|没有]回", "客服一直没有回", True),
        ("客服...回", "客服一二三四五六回", True),
        ("客服...回", "客服甲乙丙丁戊己回", True),
        ("客服...回", "客服甲乙丙丁戊己庚回", False),
        ("客服...回", "客服好，回头再来", False),
        ("很(不)好", "很不好", True),
        ("很(不)好", "很好", True),
        ("![不|没]脏", "房间脏", True),
        ("![不|没]脏", "房间不脏", False),
        ("![不|没]脏", "不太脏", False),
        ("#小时", "等了两小时", True),
        ("#小时", "等了12小时", True),
        ("app...闪退", "APP老闪退", True),
        ("#星", "ａ５星", True),
    ],
)
def test_chinese_patterns(pattern, text, expected):
    assert matches("zh", pattern, text) is expected


def test_alternatives_of_one_word_become_one_slot():
    assert english("[bad|poor] food") == ((Slot(frozenset({"bad", "poor"})), Slot(frozenset({"food"}))),)


def test_optional_parts_are_written_out():
    assert len(english("so (very) (very) slow")) == 4
    assert english("!not a ... b")[0] == (
        Guard(frozenset({"not"})),
        Slot(frozenset({"a"})),
        Gap(),
        Slot(frozenset({"b"})),
    )


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("(late", "missing"),
        ("late]", "unexpected"),
        ("[a|b] | c", "ties single words"),
        ("... late", "both sides"),
        ("late ...", "both sides"),
        ("late !not", "only stand first"),
        ("(late)", "asks for no word"),
        ("!not", "asks for no word"),
        ("late , slow", "holds no word"),
        (" ".join(["[a b|c d|e f|g h|i j|k l]"] * 5), "readings"),
    ],
)
def test_a_pattern_that_cannot_be_read_is_named(pattern, says):
    with pytest.raises(ValueError, match=says):
        english(pattern)


def test_folding_leaves_no_diacritics():
    assert fold_text("ŻÓŁTY Łoś, café", "pl") == "zolty los, cafe"


def test_signs_of_the_pattern_language_mean_nothing_in_texts():
    assert split_units("late* #late (late)", "en") == ["late", "late", "late"]


def test_every_example_matches_its_own_cause(matcher):
    missed = [
        (cause, text)
        for cause, cue in load_cues(matcher.language).items()
        for text, found in zip(cue.examples, matcher.match(cue.examples), strict=True)
        if cause not in found
    ]
    assert missed == []


def test_no_counterexample_matches_its_own_cause(matcher):
    hit = [
        (cause, text)
        for cause, cue in load_cues(matcher.language).items()
        for text, found in zip(cue.counterexamples, matcher.match(cue.counterexamples), strict=True)
        if cause in found
    ]
    assert hit == []


def test_causes_come_in_the_order_of_the_structure(matcher):
    order = list(load_structure().causes)
    texts = [" ".join(cue.examples) for cue in load_cues(matcher.language).values()]
    for found in matcher.match(texts):
        assert list(found) == sorted(found, key=order.index)
        assert len(set(found)) == len(found)


def test_texts_do_not_influence_each_other(matcher):
    texts = [e for cue in load_cues(matcher.language).values() for e in cue.examples]
    together = matcher.match(texts)
    assert together == [matcher.match([t])[0] for t in texts]


@given(text=st.text(max_size=80))
@settings(max_examples=60, deadline=None)
def test_any_text_is_answered(matcher, text):
    (found,) = matcher.match([text])
    assert set(found) <= set(load_structure().causes)


def test_empty_texts_have_no_causes(matcher):
    assert matcher.match(["", " ", "...", "😀"]) == [(), (), (), ()]
    assert matcher.match([]) == []


def test_polish_typed_without_diacritics_is_found():
    plain = CueMatcher("pl").match(["Paczka przyszla z opoznieniem", "Pani w recepcji niemila i opryskliwa"])
    assert "late_or_cancelled" in plain[0] and "staff_attitude" in plain[1]


def test_the_store_of_strings_does_not_grow_with_texts():
    matcher = CueMatcher("en")
    matcher.match(["the parcel was late and the staff rude"])
    before = len(matcher._vocab.strings)
    matcher.match([f"the parcelx{i} was late and the staff{i} rude zz{i}yy" for i in range(200)])
    assert len(matcher._vocab.strings) <= before + 5


def test_an_unknown_language_is_an_input_error():
    with pytest.raises(InputError):
        CueMatcher("de")
