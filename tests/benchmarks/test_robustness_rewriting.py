"""Rewritings change what they say they change, and nothing else."""

from __future__ import annotations

import unicodedata
from os.path import commonprefix

import pytest
from opencc import OpenCC

from benchmarks.robustness.cases import Sentence, read_cases
from benchmarks.robustness.rewriting import REWRITES, rewrite
from benchmarks.robustness.typos import SLIPS, misspell
from gapnlp.records.labels import LANGUAGES, Labels
from gapnlp.text.normalise import normalise

NEGATIVE = Labels("neg", {})


@pytest.fixture(scope="module", params=LANGUAGES)
def cases(request):
    return read_cases(request.param)


def only(test: str, text: str, language: str, labels: Labels = NEGATIVE) -> list[str]:
    found = rewrite(test, Sentence(text, labels), read_cases(language))
    return [r.document[r.place] for r in found]


@pytest.mark.parametrize("test", REWRITES)
def test_rewritings_are_repeatable_new_and_hold_the_sentence_at_its_place(cases, test):
    for sentence in cases.base:
        found = rewrite(test, sentence, cases)
        assert found == rewrite(test, sentence, cases)
        assert len(set(found)) == len(found)
        for r in found:
            assert r.document != (sentence.text,)
            assert r.document[r.place].strip()


@pytest.mark.parametrize("kind", SLIPS)
def test_a_slip_leaves_protected_words_and_all_but_one_word_alone(kind, cases):
    for sentence in cases.base:
        wrong = misspell(sentence.text, kind, cases)
        if wrong is None:
            continue
        assert abs(len(wrong) - len(sentence.text)) <= 1
        start = len(commonprefix([sentence.text, wrong]))
        end = len(commonprefix([sentence.text[::-1], wrong[::-1]]))
        assert start + end >= len(sentence.text) - 2, wrong
        if cases.language == "zh":
            assert [c for c in wrong if c in cases.protected] == [c for c in sentence.text if c in cases.protected]
        else:
            kept = [w for w in sentence.text.lower().split() if w.strip(",.") in cases.protected]
            assert [w for w in wrong.lower().split() if w.strip(",.") in cases.protected] == kept


def test_slips_by_example():
    cases = read_cases("en")
    assert misspell("a b no", "drop", cases) is None
    assert misspell("never", "double", cases) is None
    assert misspell("room", "swap", cases) is None  # the two letters are alike
    assert misspell("gate", "drop", cases) in ("gte", "gae")
    assert misspell("mail", "adjacent_key", cases) in ("msil", "maol")
    assert misspell("在", "homophone", read_cases("zh")) == "再"


def test_full_width_reads_the_same_after_normalising(cases):
    for sentence in cases.base:
        for r in rewrite("full_width", sentence, cases):
            assert normalise(r.document[0], cases.language) == normalise(sentence.text, cases.language)


def test_traditional_script_is_traditional_and_for_chinese_alone():
    assert only("traditional", "没有人接电话。", "zh") == ["沒有人接電話。"]
    assert only("traditional", "Nobody answered.", "en") == []
    back = OpenCC("t2s").convert(only("traditional_taiwan", "鼠标坏了。", "zh")[0])
    assert back.endswith("坏了。")


def test_polish_without_diacritics_is_ascii():
    assert only("no_diacritics", "Zażółć gęślą jaźń, ŁÓDŹ.", "pl") == ["Zazolc gesla jazn, LODZ."]
    assert only("no_diacritics", "Bez zmian.", "pl") == []
    assert only("no_diacritics", "A café.", "en") == []


def test_final_marks_case_and_additions():
    assert only("no_final_mark", "It was late!?", "en") == ["It was late"]
    assert only("no_final_mark", "太慢了。", "zh") == ["太慢了"]
    assert only("upper_case", "łódź", "pl") == ["ŁÓDŹ"]
    assert only("lower_case", "late", "en") == []
    assert only("half_width_marks", "慢，脏。", "zh") == ["慢, 脏."]
    assert only("url_added", "Late.", "en")[0].endswith("https://example.com/r/48213")
    assert only("handle_added", "Late.", "en")[0].startswith("@example_shop ")


def test_emoji_fit_the_sentiment():
    assert only("emoji_fitting", "Late.", "en") == ["Late. 😡"]
    assert only("emoji_fitting", "Lovely.", "en", Labels("pos", {})) == ["Lovely. 😊"]
    assert only("emoji_fitting", "On Monday.", "en", Labels("neu", {})) == []


def test_names_are_replaced_within_their_group():
    groups = {m: set(g) for g in read_cases("en").swaps for m in g}
    found = only("names_swapped", "Sarah flew Delta, not sarahs.", "en")
    assert len(found) == 3
    for text in found:
        name, airline = text.split(" flew ")[0], text.split(" flew ")[1].split(",")[0]
        assert name in groups["Sarah"] - {"Sarah"}
        assert airline in groups["Delta"] - {"Delta"}
        assert text.endswith(", not sarahs.")
    assert len(only("names_swapped", "给中国移动打电话。", "zh")) == 2  # a group of three has two others


def test_numbers_keep_their_length_and_plural_form():
    assert only("numbers_changed", "4 dni", "pl") == ["2 dni", "3 dni"]
    assert only("numbers_changed", "6 dni i 45 minut", "pl") == [
        "7 dni i 55 minut",
        "8 dni i 65 minut",
        "9 dni i 75 minut",
    ]
    assert only("numbers_changed", "1 day, code 007", "en") == []


def test_padding_around_keeps_the_sentence_as_a_segment_of_its_own():
    cases = read_cases("pl")
    found = rewrite("polite_around", Sentence("Za późno.", NEGATIVE), cases)
    assert [(len(r.document), r.place, r.document[r.place]) for r in found] == [(3, 1, "Za późno.")]


def test_padding_inside_keeps_every_word(cases):
    for sentence in cases.base:
        for r in rewrite("polite_inside", sentence, cases):
            assert sentence.text.rstrip(".。") in r.document[0]


def test_upper_case_is_only_case(cases):
    for sentence in cases.base:
        for r in rewrite("upper_case", sentence, cases):
            assert r.document[0].casefold() == unicodedata.normalize("NFC", sentence.text).casefold()
