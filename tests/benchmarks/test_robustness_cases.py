"""The written sentences: enough of them, labels that exist, the same tests in every language, none trained on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.robustness.cases import parse_cases, read_cases
from benchmarks.robustness.rewriting import rewrite
from gapnlp.errors import InputError
from gapnlp.records.labels import LABELS, LANGUAGES
from training.auxiliary import text_key

ROOT = Path(__file__).resolve().parents[2]
FEWEST = 60


@pytest.fixture(scope="module", params=LANGUAGES)
def cases(request):
    return read_cases(request.param)


def test_there_are_enough_different_base_sentences(cases):
    texts = [s.text for s in cases.base]
    assert len(texts) == len(set(texts)) >= FEWEST


def test_base_sentences_are_of_every_kind(cases):
    labels = [s.labels for s in cases.base]
    assert {x.sentiment for x in labels} == {"neg", "neu", "pos", "mixed"}
    assert len({g for x in labels for g in x.gaps}) == 5
    assert len({d for x in labels for d in x.dimensions}) == 5
    assert {x.expectation for x in labels} == {"none", "unmet", "met", "exceeded"}
    assert any(x.churn for x in labels)


def test_every_label_but_praise_and_fault_at_once_has_plain_sentences(cases):
    wanted = {label for label in LABELS if not (label.startswith("dimension:") and label.endswith(":neu"))}
    assert set(cases.functionality) == wanted
    assert min(len(texts) for texts in cases.functionality.values()) >= 5
    assert len(cases.sarcasm) >= 15


def test_every_move_changes_the_sentence_and_asks_for_something(cases):
    for moves in cases.moves.values():
        assert len(moves) >= 10
        for move in moves:
            assert move.before != move.after
            assert move.up or move.down or move.kept


def test_the_same_tests_in_every_language():
    everything = [read_cases(language) for language in LANGUAGES]
    assert len({tuple(sorted(c.moves)) for c in everything}) == 1
    assert len({tuple(sorted(c.functionality)) for c in everything}) == 1


def test_members_of_a_group_are_in_one_group_only(cases):
    members = [m for group in cases.swaps for m in group]
    assert len(members) == len(set(members))


def test_names_and_numbers_occur_often_enough(cases):
    assert sum(bool(rewrite("names_swapped", s, cases)) for s in cases.base) >= 20
    assert sum(bool(rewrite("numbers_changed", s, cases)) for s in cases.base) >= 12


def test_no_sentence_is_in_the_written_training_items(cases):
    path = ROOT / "data" / "labelled" / f"{cases.language}.jsonl"
    items = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    trained = {text_key(i["text"][s["start"] : s["end"]]) for i in items for s in i["segments"]}
    trained |= {text_key(i["text"]) for i in items}
    own = [s.text for s in cases.base] + [t for texts in cases.functionality.values() for t in texts]
    own += [*cases.sarcasm, *(m.after for moves in cases.moves.values() for m in moves)]
    assert [text for text in own if text_key(text) in trained] == []


def test_unknown_labels_and_languages_are_refused():
    with pytest.raises(InputError, match="choose one of en, pl, zh"):
        read_cases("de")
    content = {
        "language": "en",
        "protected": [],
        "padding": {"inside_before": [], "inside_after": [], "before": "", "after": ""},
        "swaps": {},
        "base": {"sentences": []},
        "directional": {"negation": [{"pair": ["a", "b"], "up": ["gap:price"]}]},
        "openings": {},
        "functionality": {},
        "sarcasm": {"sentences": []},
    }
    with pytest.raises(InputError, match="'gap:price' is no label"):
        parse_cases(content)
