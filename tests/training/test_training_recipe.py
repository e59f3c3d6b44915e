"""The recipe end to end on a small labelled set: same input, same bytes; no gold text leaks into further heads."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gapnlp.classifier.bundle import choose_bundle, read_manifest
from gapnlp.classifier.loaders import load_bundle
from gapnlp.records.labels import HEADS, LABELS, LANGUAGES
from training.auxiliary import TASKS, read_auxiliary, text_key
from training.material import banned_keys, read_development, read_material
from training.stages import FOLDS, fit_first, fit_second, folds

ROOT = Path(__file__).resolve().parents[2]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_training_twice_gives_the_same_bytes(tiny_gold, tiny_models, tmp_path):
    # Another process with another hash seed and more threads: nothing may depend on them.
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}", "PYTHONHASHSEED": "12345", "OMP_NUM_THREADS": "2"}
    command = [sys.executable, "-m", "training.linear", "--gold", str(tiny_gold), "--gold-only"]
    command += ["--out", str(tmp_path / "again")]
    subprocess.run(command, check=True, env=environment, cwd=ROOT, capture_output=True, timeout=120)
    first, second = contents(tiny_models), contents(tmp_path / "again")
    assert sorted(first) == sorted(second)
    assert [name for name in first if first[name] != second[name]] == []


def test_a_bundle_for_every_language_and_nothing_half_written(tiny_models):
    assert [b.language for b in read_manifest(tiny_models)] == list(LANGUAGES)
    names = {"card.json", "vocabulary.json", "weights.safetensors", "CARD.md"}
    for bundle in read_manifest(tiny_models):
        assert {p.name for p in bundle.folder.iterdir()} == names == set(bundle.files)


def test_the_card_says_what_it_was_made_from(tiny_gold, tiny_models):
    card = json.loads((tiny_models / "linear-en" / "card.json").read_text(encoding="utf-8"))
    train = hashlib.sha256((tiny_gold / "train.jsonl").read_bytes()).hexdigest()
    assert card["fingerprint"]["gold_sha256"] == train
    assert card["labels"] == list(LABELS)
    assert card["metrics"]["segments"] == 36
    assert card["out_of_fold"]["segments"] == 450
    heads = [name for task in TASKS["en"] for name in task.heads]
    assert [h["name"] for h in card["auxiliary"]] == heads


def test_what_was_learnt_holds_on_items_it_has_not_seen(tiny_models):
    for bundle in read_manifest(tiny_models):
        assert bundle.headline is not None
        assert bundle.headline > 0.6


def test_the_manifest_headline_is_the_measured_one(tiny_gold, tiny_models):
    classifier = load_bundle(choose_bundle(read_manifest(tiny_models), "pl"))
    dev = read_development(tiny_gold, "pl")
    predicted = classifier.predict(dev.documents()).labels
    gold = [x for r in dev.records for x in r.labels]
    right = sum(g.sentiment == p.sentiment for g, p in zip(gold, predicted, strict=True))
    assert right / len(gold) > 0.7


def test_a_fold_never_splits_an_item():
    items = np.repeat(np.arange(23), [1 + i % 4 for i in range(23)])
    held = list(folds(items))
    assert len(held) == FOLDS
    assert np.sum(held, axis=0).tolist() == [1] * len(items)
    for fold in held:
        assert not set(items[fold]) & set(items[~fold])


def test_text_key_finds_copies():
    assert text_key("Nie polecam, NIGDY!  :)") == text_key("nie polecam nigdy")
    assert text_key("说好周一送！") == text_key("说好周一 送")
    assert text_key("polecam") != text_key("nie polecam")


@pytest.mark.parametrize("language", LANGUAGES)
def test_banned_texts_are_left_out_of_further_heads(tiny_gold, language):
    public = tiny_gold.parent / "public"
    everything = read_auxiliary(public, language, banned=set())
    banned_text = everything[0].texts[3]
    some = read_auxiliary(public, language, banned={text_key(banned_text)})
    assert [h.name for h in some] == [h.name for h in everything]
    for head in some:
        assert banned_text not in head.texts
        assert len(head.texts) == len(head.targets)
    assert len(some[0].texts) == len(everything[0].texts) - 1


def test_gold_texts_and_segments_are_banned_from_training(tiny_gold, tmp_path):
    item = json.loads((tiny_gold / "dev.jsonl").read_text(encoding="utf-8").splitlines()[1])
    assert item["lang"] == "pl"
    segment = item["text"][item["segments"][0]["start"] : item["segments"][0]["end"]]
    public = tmp_path / "public"
    public.mkdir()
    rows = [{"text": t, "sentiment": "positive"} for t in (item["text"].upper(), segment + "!!", "Coś innego.")]
    with gzip.open(public / "polemo_sentences.jsonl.gz", "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in rows)
    train = read_material(tiny_gold, public, "pl", gold_only=True)
    banned = banned_keys(train, read_development(tiny_gold, "pl"))
    heads = read_auxiliary(public, "pl", banned=banned)
    assert heads[0].texts == ["Coś innego."]


def test_a_head_without_examples_says_no_and_a_constant_one_does_not_stop_the_recipe():
    rng = np.random.default_rng(1)
    context = rng.normal(size=(40, 6))
    targets = np.zeros((40, len(HEADS)), dtype=np.int8)
    targets[:, LABELS.index("sentiment:neg")] = 1
    targets[:20, LABELS.index("dimension:empathy:neg")] = 1
    targets[:20, HEADS.index("presence:empathy")] = 1
    layer = fit_second(context, targets)
    assert np.isfinite(layer.weights).all()
    logits = layer.logits(context)
    assert (logits[:, LABELS.index("churn")] < -5).all()
    sentiments = [LABELS.index(f"sentiment:{s}") for s in ("neg", "neu", "pos", "mixed")]
    assert (logits[:, sentiments].argmax(axis=1) == 0).all()
    empathy = [LABELS.index(f"dimension:empathy:{p}") for p in ("neg", "neu", "pos")]
    assert (logits[:, empathy].argmax(axis=1) == 0).all()


def test_first_stage_separates_what_can_be_separated():
    import scipy.sparse as sp

    features = sp.csr_matrix(np.eye(20, dtype=np.float32))
    targets = np.zeros((20, len(HEADS)), dtype=np.int8)
    targets[:10, 0] = 1
    logits = fit_first(features, targets).logits(features)
    assert (logits[:10, 0] > 0).all()
    assert (logits[10:, 0] < 0).all()
