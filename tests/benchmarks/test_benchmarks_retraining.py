"""Simulated companies: rows kept apart, labels through the mapping, results that are kept and put together."""

from __future__ import annotations

import csv
import json
from argparse import Namespace
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.retraining import cost, peers, rendering, running, summary, tasks
from benchmarks.retraining.answers import AnswerCache, Answered, f1_by_label, macro_f1, rows_digest
from benchmarks.retraining.remembering import RememberingClassifier
from benchmarks.retraining.running import Result, Runner
from benchmarks.throughput import Run
from gapnlp.errors import InputError
from gapnlp.ingest.gold import parse_gold
from gapnlp.records.feedback import Source
from gapnlp.records.labels import HEADS
from gapnlp.records.tickets import LabelledTicket
from gapnlp.retraining.labels.mapping import read_mapping
from gapnlp.scoring.loading import load
from tests.conftest import write_lines
from training.material import flatten

COLUMN = {label: i for i, label in enumerate(HEADS)}
WORDS = {"positive": "lovely crew", "negative": "lost bag", "neutral": "gate number"}


def tweet(number: int, sentiment: str, reason: str | None = None, text: str | None = None) -> dict:
    """One row of the airline set."""
    row = {"id": f"air-{number}", "text": text or f"{WORDS[sentiment]} {number}", "lang": "en", "domain": "airline"}
    return row | {"sentiment": sentiment, **({"negative_reason": reason} if reason else {})}


def gold_record(text: str, number: int):
    """A gold item of one segment."""
    segment = {"start": 0, "end": len(text), "sentiment": "neg", "dimensions": {}, "gaps": []}
    record = {"id": f"air-{number}", "lang": "en", "text": text, "domain": "airline"}
    return parse_gold(record | {"segments": [segment | {"expectation": "none", "churn": False}]}, where="a test")


@pytest.fixture
def airline(tmp_path, monkeypatch):
    """The airline with 60 usable tweets, some that must not be used, and a test set of 20."""
    rows = [tweet(i, ("positive", "neutral")[i % 2]) for i in range(30)]
    rows += [tweet(i, "negative", "Lost Luggage") for i in range(30, 60)]
    rows += [tweet(100, "negative", "Can't Tell"), tweet(101, "positive", text="LOVELY  crew, 0!")]
    rows += [tweet(102, "negative", "Late Flight", "known text"), tweet(103, "negative", "Late Flight", "also known")]
    write_lines(tmp_path / "airline_tweets.jsonl.gz", rows)
    known = flatten([gold_record("Known text!", 900)], "en"), flatten([gold_record("something else", 103)], "en")
    monkeypatch.setattr(tasks, "read_material", lambda *a: known[0])
    monkeypatch.setattr(tasks, "read_development", lambda *a: known[1])
    monkeypatch.setattr(tasks, "TEST_ROWS", 20)
    (task,) = tasks.read_tasks(["airline"])
    return tasks.found_company(task, tmp_path, tmp_path)


def test_every_set_measures_labels_that_its_mapping_gives():
    for task in tasks.read_tasks():
        mapping = read_mapping(task.mapping_file)
        assert mapping.confirmed
        assert set(task.labels) == {label for means in mapping.means.values() for label in means}


def test_an_unknown_set_is_named():
    with pytest.raises(InputError, match="'airlines' is unknown"):
        tasks.read_tasks(["airlines"])


def test_test_and_training_rows_hold_no_known_text_no_repeat_and_nothing_twice(airline):
    ids = [t.id for t in (*airline.test, *airline.pool)]
    assert len(airline.test) == 20
    assert sorted(ids) == sorted(f"air-{i}" for i in range(60))  # 100 to 103 are skipped, repeated or known


def test_a_tweets_labels_are_what_the_mapping_says(airline):
    lost = next(t for t in airline.pool if int(t.id[4:]) >= 30)
    assert {label for label, yes in lost.given.items() if yes} == {
        "dimension:reliability:neg", "presence:reliability", "gap:delivery", "sentiment:neg"
    }  # fmt: skip
    praise = next(t for t in airline.pool if int(t.id[4:]) < 30)
    assert praise.given["dimension:reliability:neg"] is False
    assert "dimension:reliability:pos" not in praise.given  # nobody was asked for praise


def test_a_larger_draw_holds_every_smaller_one_and_seeds_differ(airline):
    small, large = ({t.id for t in airline.draw(n, 3)} for n in (5, 15))
    assert len(small) == 5
    assert small < large
    assert {t.id for t in airline.draw(15, 4)} != large
    with pytest.raises(InputError, match="the pool holds 40"):
        airline.draw(41, 0)


def ticket(number: int, given: dict[str, bool]) -> LabelledTicket:
    """A ticket with given labels."""
    return LabelledTicket(f"t{number}", f"t{number}", f"text {number}", given, Source("made", number), "en")


def decided(*rows: set[str]) -> np.ndarray:
    """Decisions by label."""
    return np.array([[label in row for label in HEADS] for row in rows])


def test_f1_leaves_out_rows_that_nobody_judged():
    rows = [ticket(0, {"churn": True}), ticket(1, {"churn": True}), ticket(2, {"churn": False}), ticket(3, {})]
    answers = decided({"churn"}, set(), {"churn"}, {"churn"})
    found = f1_by_label(rows, answers, ["churn", "gap:policy"])
    assert found == {"churn": pytest.approx(0.5), "gap:policy": 0.0}  # one hit, one miss, one false alarm
    assert macro_f1(found) == pytest.approx(0.25)


def test_what_is_kept_comes_back_and_is_refused_for_other_rows(tmp_path):
    rows = [ticket(0, {"churn": True}), ticket(1, {"churn": False})]
    cache = AnswerCache(tmp_path)
    cache.write("x", rows, Answered(decided({"churn", "gap:policy"}, set()), 1.5))
    assert "text 0" not in (tmp_path / "x.json").read_text(encoding="utf-8")
    kept = cache.read("x", rows)
    assert kept is not None
    assert kept.seconds == 1.5
    np.testing.assert_array_equal(kept.decided, decided({"churn", "gap:policy"}, set()))
    with pytest.raises(InputError, match="delete it"):
        cache.read("x", [*rows, ticket(2, {})])


def test_other_labels_of_the_same_rows_have_another_digest():
    rows, other = [ticket(0, {"churn": True})], [ticket(0, {"churn": False})]
    assert rows_digest(rows) == rows_digest(list(rows))
    assert len({rows_digest(rows), rows_digest(other), rows_digest(rows, ()), rows_digest((), rows)}) == 4


def test_peers_learn_what_the_tickets_say():
    given = {"sentiment:neg": True, "dimension:reliability:neg": True, "gap:delivery": True, "gap:policy": False}
    rows = peers.as_rows([ticket(0, given)], "en")
    assert rows.labels[0].dimensions == {"reliability": "neg"}
    assert rows.labels[0].gaps == ("delivery",)
    assert rows.texts == ["text 0"]


def test_a_peer_is_trained_once_and_then_taken_from_the_cache(airline, tmp_path, monkeypatch):
    runner = Runner(airline, AnswerCache(tmp_path / "kept"))
    (first,) = runner.peer("tfidf", [(40, 0)])
    assert first.macro == pytest.approx(np.mean([first.f1[x] for x in airline.task.labels]))
    assert first.f1["dimension:reliability:neg"] == 1.0  # its words tell it without fail
    monkeypatch.setattr(running, "answer_peer", lambda *a, **k: pytest.fail("trained again"))
    assert list(runner.peer("tfidf", [(40, 0)])) == [first]
    only = Runner(airline, AnswerCache(tmp_path / "kept"), kept_only=True)
    assert [r.size for r in only.peer("tfidf", [(20, 0), (40, 0)])] == [40]


def result(classifier: str, macro: float, seed: int = 0, size: int = 200) -> Result:
    """A result on one label."""
    return Result("airline", classifier, size, seed, macro, {"sentiment:neg": macro}, 1.0, "rows")


RESULTS = [
    result("tfidf", 0.5, 0), result("tfidf", 0.7, 1), result("setfit, balanced", 0.62, 0),
    result("blind", 0.4, 0, 0), result("blind + adapter", 0.6, 0), result("blind + adapter", 0.75, 1),
]  # fmt: skip


def test_an_adapter_is_compared_on_the_seeds_that_both_have():
    found = {c.peer: c for c in summary.compare(RESULTS, "blind")}
    assert found["tfidf"].seeds == (0, 1)
    assert found["tfidf"].difference == pytest.approx(0.075)
    assert found["tfidf"].spread == pytest.approx(np.std([0.1, 0.05], ddof=1))
    assert found["setfit, balanced"].seeds == (0,)
    assert found["setfit, balanced"].spread is None
    assert [c.peer for c in summary.behind(list(found.values()))] == ["setfit, balanced"]


def test_the_tables_say_how_many_seeds_there_are_and_where_it_is_behind(tmp_path):
    airline_tweets = tasks.read_tasks(["airline"])
    rendering.write(airline_tweets, RESULTS, {"bases": ["blind"]}, tmp_path)
    text = (tmp_path / "curves.md").read_text(encoding="utf-8")
    assert "| tfidf |  | 0.600 ± 0.141 (2) |" in text
    assert "| blind | 0.400 |  |" in text
    assert "at 200 rows behind: airline -0.020 to setfit, balanced." in text
    assert len(json.loads((tmp_path / "curves.json").read_text(encoding="utf-8"))["results"]) == len(RESULTS)
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_nothing_is_claimed_of_what_was_not_measured():
    assert summary.compare([result("tfidf", 0.5), result("blind + adapter", 0.6, seed=1)], "blind") == []
    assert "not measured" in rendering.verdict([], "blind + adapter")


def test_costs_are_told_with_the_bundles_and_what_moved():
    runs = tuple(Run(f"run {n}", 1000, 90.0 + n, 11.0, 800.0) for n in (1, 2))
    found = cost.Cost(
        runs, (80.0, 81.0), ("adapter-en-1+aa", "adapter-en-1+aa"), {"en": 0.7, "pl": 0.6}, {"en": 0.69, "pl": 0.6}
    )
    text = cost.to_markdown(found, 1000)
    assert "| run 1 | 91 | 80 | 0.80 | adapter-en-1+aa |" in text
    assert "Both runs made the same bundle." in text
    assert "| English | 0.7000 | 0.6900 | -1.00 |" in text
    assert "| Polish | 0.6000 | 0.6000 | +0.00 |" in text
    other = replace(found, versions=("adapter-en-1+aa", "adapter-en-1+bb"))
    assert "The runs made different bundles." in cost.to_markdown(other, 1000)


def test_the_companys_table_holds_the_first_draw_under_its_own_labels(airline, tmp_path, monkeypatch):
    monkeypatch.setattr(cost, "found_company", lambda *a: airline)
    options = Namespace(public=tmp_path, gold=tmp_path, rows=15)
    rows = list(csv.DictReader(cost.write_table(airline.task, options, tmp_path / "t.csv").open(encoding="utf-8")))
    assert sorted(r["id"] for r in rows) == sorted(t.id for t in airline.draw(15, 0))
    assert {r["negative_reason"] for r in rows if r["sentiment"] == "negative"} == {"Lost Luggage"}


def test_a_remembered_answer_is_the_classifiers_own_and_is_asked_for_once(tiny_models):
    asked = load(tiny_models, quality="fast").classifier("en")
    remembering = RememberingClassifier(asked)
    documents = [["They promised one thing.", "Nobody came."], [], ["Late again."], ["Late again."]]
    expected = asked.predict(documents)
    for _ in range(2):
        found = remembering.predict(documents)
        assert np.array_equal(found.values, expected.values)
        assert found.labels == expected.labels
        assert np.array_equal(found.abstained, expected.abstained)
    assert len(remembering._known) == 3
    for name in ("version", "language", "error_counts", "share_errors", "sentiment_factors"):
        assert getattr(remembering, name) == getattr(asked, name)
    assert remembering.predict([]).values.shape == asked.predict([]).values.shape
