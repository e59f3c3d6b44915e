"""The quality table from the command on: peers, caching, refusals, forms of output."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.quality import running
from benchmarks.quality.__main__ import main
from benchmarks.quality.cache import Cache, split_digest
from benchmarks.quality.peers.peer import Peer, check_packages
from benchmarks.quality.peers.registry import PEERS
from benchmarks.quality.peers.rules import answer_all_positive, answer_keywords, answer_majority
from benchmarks.quality.peers.tfidf import score_tfidf
from benchmarks.quality.running import HALF, NEVER, answer_peer
from benchmarks.quality.splits import Split, flatten, hold_out, read_splits
from gapnlp.classifier.decision import decide
from gapnlp.errors import InputError, MissingExtra
from gapnlp.records.labels import LABELS, LANGUAGES, Labels


@pytest.fixture(scope="module")
def split(tiny_gold):
    return read_splits(tiny_gold, ["en"])[0]


def small(split: Split, items: int = 40) -> Split:
    return Split(flatten(split.train.items[:items], "en"), split.dev)


def run(tiny_gold, tiny_models, *more: str) -> None:
    main(["--gold", str(tiny_gold), "--models", str(tiny_models), "--replicates", "50", *more])


def test_one_command_makes_the_table_in_both_forms(tiny_gold, tiny_models, tmp_path, capsys):
    options = ["--peers", "majority,all_positive,keywords,tfidf", "--languages", "en,pl", "--out", str(tmp_path)]
    run(tiny_gold, tiny_models, *options, "--limit", "40", "--json")
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "quality.json").read_text(encoding="utf-8"))
    assert [t["language"] for t in printed["languages"]] == ["en", "pl"]
    for table in printed["languages"]:
        names = [r["name"] for r in table["rows"]]
        assert names == [
            "fast", "balanced", "accurate", "majority", "all_positive", "keywords", "tfidf", "tfidf_tuned"
        ]  # fmt: skip
        assert all(r["figures"]["headline"]["value"] is not None for r in table["rows"])
        assert {d["name"] for d in table["differences"]} == {"fast", "balanced", "accurate"}
    text = (tmp_path / "quality.md").read_text(encoding="utf-8")
    assert "## English: 12 items, 36 segments" in text
    assert "| **fast** | " in text and "| tfidf_tuned | " in text
    assert "gaps: delivery | " in text


def test_what_is_learnt_beats_the_rules(split):
    rows = {
        name: running._label(PEERS[name], small(split, 100), (HALF,))[0] for name in ("tfidf", "majority", "keywords")
    }
    right = {
        name: sum(p.sentiment == g.sentiment for item, found in zip(split.dev.items, predictions, strict=True)
                  for g, p in zip(item.labels, found, strict=True))
        for name, predictions in rows.items()
    }  # fmt: skip
    assert right["tfidf"] > max(right["majority"], right["keywords"])


def test_the_rules_say_what_their_names_say(split):
    majority, everything = answer_majority(split.train, split.dev)[0], answer_all_positive(split.train, split.dev)[0]
    assert majority.sentiment == everything.sentiment == "neg"
    assert (majority.dimensions, majority.gaps, majority.churn, majority.expectation) == ({}, (), False, "none")
    assert (len(everything.dimensions), len(everything.gaps)) == (5, 5)
    assert (everything.churn, everything.expectation) == (True, "unmet")
    found = answer_keywords(split.train, replace(split.dev, texts=["The room was dirty and I expected more!"]))[0]
    assert (found.sentiment, found.dimensions, found.expectation) == ("neg", {"tangibles": "neg"}, "unmet")
    assert "customer" in found.gaps


def test_keyword_lists_are_there_for_every_language(tiny_gold):
    for part in read_splits(tiny_gold, LANGUAGES):
        assert len(answer_keywords(part.train, part.dev)) == len(part.dev.texts)


def test_tfidf_gives_probabilities_whose_polarities_sum_to_presence(split):
    values = score_tfidf(small(split).train, split.dev.texts)
    assert values.shape == (len(split.dev.texts), len(LABELS))
    assert values.min() >= 0 and values.max() <= 1
    sentiments = [i for i, name in enumerate(LABELS) if name.startswith("sentiment:")]
    np.testing.assert_allclose(values[:, sentiments].sum(axis=1), 1)
    assert len(decide(values, HALF)) == len(split.dev.texts)


def test_a_class_that_train_does_not_hold_is_never_given(split):
    praise = [replace(i, labels=(Labels("pos", {}),) * len(i.labels)) for i in split.train.items[:20]]
    values = score_tfidf(flatten(praise, "en"), split.dev.texts)
    assert {x.sentiment for x in decide(values, HALF)} == {"pos"}
    assert not any(x.churn or x.dimensions or x.gaps for x in decide(values, HALF))


def counting_peer(monkeypatch) -> tuple[Peer, list[int]]:
    calls: list[int] = []

    def score(train, texts):
        calls.append(len(train.items))
        return score_tfidf(train, texts)

    peer = Peer("counted", "benchmarks.quality.peers.tfidf:score_tfidf")
    monkeypatch.setattr(Peer, "function", lambda self: score)
    return peer, calls


def test_a_second_run_takes_everything_from_the_cache(split, tmp_path, monkeypatch):
    peer, calls = counting_peer(monkeypatch)
    part, cache = small(split), Cache(tmp_path)
    first = list(answer_peer("counted", peer, part, cache=cache))
    assert calls == [32, 40]  # thresholds on a fifth of train, then all of train
    assert list(answer_peer("counted", peer, part, cache=cache)) == first
    assert calls == [32, 40]
    assert [a.name for a in first] == ["counted", "counted_tuned"]


def test_a_run_killed_after_the_thresholds_does_not_choose_them_again(split, tmp_path, monkeypatch):
    peer, calls = counting_peer(monkeypatch)
    part, cache = small(split), Cache(tmp_path)
    list(answer_peer("counted", peer, part, cache=cache))
    for path in tmp_path.glob("*.jsonl"):
        path.unlink()
    list(answer_peer("counted", peer, part, cache=cache))
    assert calls == [32, 40, 40]


def test_other_training_data_are_another_answer(split, tmp_path, monkeypatch):
    peer, calls = counting_peer(monkeypatch)
    cache = Cache(tmp_path)
    list(answer_peer("counted", peer, small(split), cache=cache, tuned=False))
    list(answer_peer("counted", peer, small(split, 39), cache=cache, tuned=False))
    assert calls == [40, 39]
    relabelled = [replace(i, labels=tuple(replace(x, churn=True) for x in i.labels)) for i in split.train.items]
    assert split_digest(Split(flatten(relabelled, "en"), split.dev)) != split_digest(split)


def test_the_cache_holds_no_text(split, tmp_path):
    list(answer_peer("tfidf", PEERS["tfidf"], small(split), cache=Cache(tmp_path)))
    content = "".join(p.read_text(encoding="utf-8") for p in tmp_path.iterdir())
    assert content
    assert not any(text in content for text in split.dev.texts + split.train.texts)


def test_a_damaged_cache_file_is_named(split, tmp_path):
    cache = Cache(tmp_path)
    (tmp_path / "en-x.jsonl").write_text('{"id": "en-1000", "segments": []}\n', encoding="utf-8")
    with pytest.raises(InputError, match="en-x.jsonl: cannot be used .* delete it"):
        cache.read("en-x", split.dev)
    (tmp_path / "en-x.thresholds.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="thresholds"):
        cache.read_thresholds("en-x")


def test_thresholds_survive_the_cache(tmp_path):
    cache = Cache(tmp_path)
    cache.write_thresholds("en-x", HALF)
    assert cache.read_thresholds("en-x") == HALF
    assert Cache(None).read_thresholds("en-x") is None


def test_a_label_too_rare_to_tune_is_cut_at_one_half(split):
    # Forty items hold fewer than ten churn segments in their fifth.
    thresholds = running._tuned_thresholds(PEERS["tfidf"], small(split), Cache(None), "en-tfidf")
    cuts = [thresholds.churn, *thresholds.presence.values(), *thresholds.gaps.values()]
    assert thresholds.churn == 0.5
    assert NEVER not in cuts


def test_no_item_is_on_both_sides_of_the_held_out_part(split):
    learnt, held = hold_out(split.train)
    assert len(held.items) == len(split.train.items) / 5
    assert not {i.id for i in learnt.items} & {i.id for i in held.items}
    assert len(learnt.texts) + len(held.texts) == len(split.train.texts)


@pytest.mark.parametrize("wrong", [["--peers", "tfidff"], ["--languages", "de"], ["--qualities", "best"]])
def test_unknown_names_are_refused(tiny_gold, tiny_models, wrong, capsys):
    with pytest.raises(SystemExit) as stopped:
        run(tiny_gold, tiny_models, *wrong)
    assert stopped.value.code == InputError.exit_code
    assert "is unknown; choose from" in capsys.readouterr().err


def test_a_missing_package_is_named_before_anything_is_trained():
    peer = Peer("x", "benchmarks.quality.peers.tfidf:score_tfidf", needs=(("no_such_module", "no-such-package"),))
    with pytest.raises(MissingExtra, match="pip install no-such-package, or leave it out"):
        check_packages("x", peer)


def test_every_peer_of_the_register_names_a_function_that_is_there():
    for name, peer in PEERS.items():
        try:
            check_packages(name, peer)
        except MissingExtra:
            continue
        assert callable(peer.function()), name
        assert len(peer.source_digest()) == 12
    assert PEERS["minilm"].languages == PEERS["setfit"].languages == ("en",)
