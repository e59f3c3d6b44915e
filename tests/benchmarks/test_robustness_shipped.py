"""What must hold of the shipped bundles, with loose floors; the rates themselves are in each bundle's card."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.robustness.cases import read_cases
from benchmarks.robustness.measuring import check_invariance, check_labels, check_moves
from gapnlp.records.labels import LANGUAGES
from gapnlp.scoring.loading import load

# How the same words are written must not matter.
SPELLING = ("upper_case", "lower_case", "full_width", "traditional")
MOST_CHANGED = 0.10
# Moves that a classifier of words gets right; denied faults, which it does not, are in the cards alone.
EASY_MOVES = ("negated_praise", "contrast", "expectation_word", "promise_word")
MOST_WRONG_WAY = 0.20
MOST_WITHOUT_SENTIMENT = 0.34


@pytest.fixture(scope="module", params=[(language, q) for language in LANGUAGES for q in ("fast", "balanced")])
def subject(request):
    language, quality = request.param
    return load(quality=quality).classifier(language), read_cases(language)


def test_case_width_and_script_do_not_change_labels(subject):
    classifier, cases = subject
    found = {r.test: r for r in check_invariance(classifier, cases, SPELLING)}
    applied = {test: r for test, r in found.items() if r.n}
    assert len(applied) >= 2
    assert {test: r.rate for test, r in applied.items() if r.rate > MOST_CHANGED} == {}


def test_words_of_promise_expectation_and_contrast_are_heard(subject):
    classifier, cases = subject
    easy = replace(cases, moves={test: cases.moves[test] for test in EASY_MOVES})
    found = {r.test: r.rate for r in check_moves(classifier, easy)}
    assert {test: found[test] for test in EASY_MOVES if found[test] > MOST_WRONG_WAY} == {}


def test_plain_praise_and_plain_blame_are_told_apart(subject):
    classifier, cases = subject
    plain = {label: cases.functionality[label] for label in ("sentiment:pos", "sentiment:neg")}
    found = {r.test: r.rate for r in check_labels(classifier, replace(cases, functionality=plain))}
    assert {label: found[label] for label in plain if found[label] > MOST_WITHOUT_SENTIMENT} == {}
