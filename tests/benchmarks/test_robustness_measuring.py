"""Counting failures, on a classifier whose answers are known."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.robustness.__main__ import main
from benchmarks.robustness.cases import parse_cases
from benchmarks.robustness.measuring import (
    card_figures,
    check_invariance,
    check_labels,
    check_moves,
    measure_robustness,
)
from benchmarks.robustness.results import Failure, Result, chosen_failures, rates, result_row
from benchmarks.robustness.rewriting import REWRITES
from gapnlp.classifier.base import Predictions
from gapnlp.records.labels import LABEL_INDEX, LABELS, Labels

CONTENT = {
    "language": "en",
    "protected": [],
    "padding": {"inside_before": ["Hello: "], "inside_after": [], "before": "Hello.", "after": "Bye."},
    "swaps": {"people": ["Ann", "Bob"]},
    "base": {
        "sentences": [
            ["the clerk was rude.", "neg ass- delivery . 0"],
            ["Ann came at 5.", "neu . . . 0"],
            ["Bob was late", "neg rel- delivery . 0"],
        ]
    },
    "directional": {
        "softened": [
            {"pair": ["rude.", "polite."], "up": ["sentiment:pos"], "down": ["sentiment:neg"]},
            {"pair": ["polite.", "rude."], "up": ["sentiment:pos"], "kept": ["sentiment:pos", "churn"]},
        ]
    },
    "openings": {"opened": {"openings": ["Sadly, "], "complaints": ["it was rude."], "up": ["sentiment:neg"]}},
    "functionality": {"sentiment:neg": ["rude", "awful"], "gap:delivery": ["rude"], "churn": ["never again"]},
    "sarcasm": {"sentences": ["rude, how lovely", "how lovely"]},
}


class RudeWord:
    """Says negative, assurance and delivery wherever the word "rude" stands in small letters, if nobody said hello."""

    version, language = "rude-1", "en"

    def __init__(self) -> None:
        self.documents: list[list[str]] = []

    def predict(self, documents):
        self.documents += documents
        rows = [("rude" in text and "Hello" not in " ".join(d)) for d in documents for text in d]
        values = np.full((len(rows), len(LABELS)), 0.5)
        for i, rude in enumerate(rows):
            values[i, LABEL_INDEX["sentiment:neg"]] = 0.9 if rude else 0.2
            values[i, LABEL_INDEX["sentiment:pos"]] = 0.1 if rude else 0.6
        labels = [Labels("neg", {"assurance": "neg"}, ("delivery",)) if r else Labels("neu", {}) for r in rows]
        return Predictions(values, tuple(labels), np.zeros(len(rows), dtype=bool))


@pytest.fixture(scope="module")
def cases():
    return parse_cases(CONTENT)


@pytest.fixture(scope="module")
def results(cases):
    return {r.test: r for r in measure_robustness(RudeWord(), cases)}


def test_only_a_changed_answer_is_a_failure(results):
    upper = results["upper_case"]
    assert (upper.n, upper.sentences, upper.rate) == (3, 3, 1 / 3)
    assert upper.failures == (Failure("THE CLERK WAS RUDE.", "as before: neg, assurance neg, delivery gap", "neu"),)
    assert upper.parts == {"sentiment": 1, "dimensions": 1, "gaps": 1}
    assert results["emoji_neutral"].rate == 0
    assert results["lower_case"].n == 2  # one sentence is in small letters already


def test_the_answer_is_read_at_the_sentences_place(results, cases):
    assert results["polite_around"].rate == 1 / 3
    assert results["names_swapped"].n == 2
    assert results["names_swapped"].rate == 0


def test_a_test_that_never_applies_has_no_rate(results):
    traditional = results["traditional"]
    assert (traditional.n, traditional.rate, traditional.interval) == (0, None, None)
    row = result_row(traditional)
    assert row["rate"] is None
    assert "invariance/traditional" not in rates(list(results.values()))


def test_moves_are_checked_label_by_label(results):
    softened = results["softened"]
    assert softened.n == 5
    assert [(f.expected, f.given) for f in softened.failures] == [
        ("sentiment:pos more probable", "0.60 → 0.10"),
        ("sentiment:pos not less probable", "0.60 → 0.10"),
    ]
    assert results["opened"].rate == 1  # as probable as before is not more probable


def test_an_added_complaint_is_put_behind_each_complaint(cases):
    classifier = RudeWord()
    found = {r.test: r for r in check_moves(classifier, cases)}["complaint_added"]
    assert (found.n, found.rate) == (2, 0)
    assert ["the clerk was rude.", "Bob was late"] in classifier.documents


def test_plain_sentences_must_get_their_label_and_irony_is_negative(cases):
    found = {r.test: r for r in check_labels(RudeWord(), cases)}
    assert found["sentiment:neg"].rate == 0.5
    assert found["gap:delivery"].rate == 0
    assert found["churn"].failures == (Failure("never again", "churn", "neu"),)
    assert [f.text for f in found["sarcasm"].failures] == ["how lovely"]


def test_chosen_invariances_alone(cases):
    assert [r.test for r in check_invariance(RudeWord(), cases, ("full_width",))] == ["full_width"]
    assert len(list(check_invariance(RudeWord(), cases))) == len(REWRITES)


def test_the_interval_counts_sentences_not_cases():
    few = Result("directional", "x", 40, 10, (Failure("a", "b", "c"),) * 10)
    many = Result("directional", "x", 40, 40, (Failure("a", "b", "c"),) * 10)
    assert few.rate == many.rate == 0.25
    assert few.interval[0] < many.interval[0] < 0.25 < many.interval[1] < few.interval[1]


def test_shown_failures_are_few_and_no_sentence_comes_twice():
    def result(kind: str, test: str, *texts: str) -> Result:
        return Result(kind, test, 9, 9, tuple(Failure(t, "wanted", "found") for t in texts))

    results = [
        result("functionality", "sarcasm", "a", "a", "b", "c"),
        result("functionality", "churn", "a", "z"),
        result("functionality", "gap:policy", "d", "e"),
        result("invariance", "typo_drop", "f"),
    ]
    found = chosen_failures(results, {"sarcasm": 2, "functionality": 2})
    assert [(f["test"], f["text"]) for f in found] == [
        ("sarcasm", "a"),
        ("sarcasm", "b"),
        ("functionality", "d"),
    ]


def test_what_a_card_takes(results):
    figures = card_figures(list(results.values()))
    assert figures["robustness"]["invariance/upper_case"] == 0.3333
    assert figures["robustness"]["functionality/sarcasm"] == 0.5
    assert {"test", "text", "expected", "given"} == set(figures["failures"][0])


def test_the_command_prints_a_table_and_writes_json(tiny_models, tmp_path, capsys):
    out = tmp_path / "robustness.json"
    command = ["--models", str(tiny_models), "--quality", "fast", "--language", "pl", "--out", str(out)]
    main(command)
    table = capsys.readouterr().out
    assert "pl fast" in table.splitlines()[0]
    assert any(line.split()[:2] == ["invariance", "no_diacritics"] for line in table.splitlines())
    (run,) = json.loads(out.read_text(encoding="utf-8"))
    assert (run["language"], run["quality"]) == ("pl", "fast")
    assert run["bundle"].startswith("linear-pl-")
    rows = {r["test"]: r for r in run["results"]}
    assert rows["upper_case"]["rate"] == 0
    assert run["robustness"]["invariance/upper_case"] == 0
    assert 0 <= rows["negated_fault"]["low"] <= rows["negated_fault"]["rate"] <= rows["negated_fault"]["high"] <= 1
    main([*command[:-2], "--json"])
    assert json.loads(capsys.readouterr().out) == [run]
    main([*command[:-2], "--failures"])
    assert "wanted: sentiment:neg" in capsys.readouterr().out
    main([*command[:-2], "--markdown"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "| failing cases, % |  | pl fast |"
    assert lines[1] == "| --- | --- | ---: |"
    assert "| invariance | upper_case | 0.0 (70) |" in lines
