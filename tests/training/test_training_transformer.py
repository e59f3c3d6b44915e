"""The recipe of the accurate bundles on small random encoders of three architectures, and what it makes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from gapnlp.classifier.bundle import choose_bundle, read_manifest
from gapnlp.classifier.encoder import Encoder, encoder_inputs
from gapnlp.classifier.loaders import load_bundle
from gapnlp.classifier.transformer import TransformerClassifier
from gapnlp.errors import InputError, ModelError
from gapnlp.records.labels import LABELS
from tests.conftest import write_lines
from training.material import read_development, read_material

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from gapnlp.retraining.network import Network, predict_logits  # noqa: E402
from gapnlp.retraining.onnx_export import export_network  # noqa: E402
from training import transformer as recipe  # noqa: E402
from training.bases import load_base, minilm_folder  # noqa: E402
from training.network import FitSettings, fit_network  # noqa: E402

ARCHITECTURES = ("bert", "roberta", "distilbert")


def write_encoder(folder: Path, architecture: str, texts: list[str]) -> Path:
    """A random encoder with a word vocabulary, as `save_pretrained` writes it."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    start, separator = ("<s>", "</s>") if architecture == "roberta" else ("[CLS]", "[SEP]")
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", start, separator, "[MASK]"]
    tokenizer.train_from_iterator(texts, trainers.WordPieceTrainer(vocab_size=400, special_tokens=special))
    wrapped = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]", cls_token=start, sep_token=separator
    )
    size = {"vocab_size": len(wrapped), "pad_token_id": 0}
    torch.manual_seed(0)
    if architecture == "bert":
        config = transformers.BertConfig(**size, hidden_size=32, num_hidden_layers=2, num_attention_heads=2)
    elif architecture == "roberta":
        config = transformers.RobertaConfig(**size, hidden_size=32, num_hidden_layers=1, num_attention_heads=2)
    else:
        config = transformers.DistilBertConfig(**size, dim=32, n_layers=1, n_heads=2, hidden_dim=64)
    transformers.AutoModel.from_config(config).save_pretrained(folder)
    wrapped.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def encoders(tiny_gold, tmp_path_factory) -> dict[str, Path]:
    material = read_material(tiny_gold, tiny_gold.parent / "public", "en", gold_only=True)
    root = tmp_path_factory.mktemp("encoders")
    return {a: write_encoder(root / a, a, material.texts) for a in ARCHITECTURES}


def train(tiny_gold: Path, models: Path, encoder: Path, work: Path, further: tuple[str, ...] = ()) -> None:
    recipe.main(
        ["--gold", str(tiny_gold), "--out", str(models), "--language", "en", "--encoder", str(encoder), "--gold-only"]
        + ["--epochs", "1", "--rate", "0.003", "--work", str(work), "--threads", "1", *further]
    )


@pytest.fixture(scope="module")
def accurate_models(tiny_gold, tiny_models, encoders, tmp_path_factory) -> Path:
    models = Path(shutil.copytree(tiny_models, tmp_path_factory.mktemp("accurate") / "models"))
    train(tiny_gold, models, encoders["bert"], models.parent / "work")
    return models


def load_en(models: Path, quality: str) -> TransformerClassifier:
    classifier = load_bundle(choose_bundle(read_manifest(models), "en", quality), quality=quality)
    assert isinstance(classifier, TransformerClassifier)
    return classifier


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_any_architecture_gives_a_network_that_onnx_runs_alike(encoders, architecture):
    body, tokenizer = load_base(str(encoders[architecture]))
    documents = [["They promised one thing.", "Nobody came."], ["Late again."]]
    inputs = encoder_inputs(tokenizer, documents)
    network = Network(body)
    targets = np.zeros((3, network.head.out_features), dtype=np.int8)
    fit_network(network, inputs, targets, FitSettings(epochs=2, batch=2))
    expected = predict_logits(network, inputs)
    encoder = Encoder(export_network(network, quantised=False), tokenizer.to_str().encode())
    np.testing.assert_allclose(encoder.logits(documents), expected, atol=1e-4)


def test_the_bundle_learns_and_says_what_it_is_built_on(tiny_gold, accurate_models):
    info = choose_bundle(read_manifest(accurate_models), "en", "accurate")
    card = json.loads((info.folder / "card.json").read_text(encoding="utf-8"))
    assert info.base == "linear-en"
    assert card["encoder"]["architecture"] == "bert"
    assert card["metrics"]["headline"] > 0.6
    assert card["fingerprint"]["gold_sha256"]


def test_tokens_parts_add_up_to_the_log_odds(tiny_gold, accurate_models):
    encoder = load_en(accurate_models, "accurate").encoder
    documents = read_development(tiny_gold, "en").documents()[:5]
    bias = None
    for document in documents:
        logits = encoder.logits([document])
        for row, (x, parts) in zip(logits, encoder.contributions(document), strict=True):
            assert parts.shape == (x.segment, logits.shape[1])
            rest = row - parts.sum(axis=0)
            bias = rest if bias is None else bias
            np.testing.assert_allclose(rest, bias, atol=1e-3)


def test_company_does_not_change_an_answer(tiny_gold, accurate_models):
    documents = read_development(tiny_gold, "en").documents()
    for quality in ("accurate", "balanced"):
        classifier = load_en(accurate_models, quality)
        together = classifier.predict(documents).values
        alone = np.vstack([classifier.predict([d]).values for d in documents])
        np.testing.assert_allclose(together, alone, atol=1e-9)


def test_threads_do_not_change_an_answer(tiny_gold, accurate_models):
    documents = read_development(tiny_gold, "en").documents()
    info = choose_bundle(read_manifest(accurate_models), "en", "accurate")
    one, three = (load_bundle(info, quality="accurate", threads=n).predict(documents).values for n in (1, 3))
    assert (one == three).all()


def test_the_cascade_lies_between_fast_and_accurate(tiny_gold, accurate_models):
    from dataclasses import replace

    documents = read_development(tiny_gold, "en").documents()
    accurate = load_en(accurate_models, "accurate")
    fast = accurate.linear.predict(documents)
    nothing, everything = replace(accurate, doubt=1e9), replace(accurate, doubt=-1.0)
    assert nothing.predict(documents).labels == fast.labels
    assert (nothing.predict(documents).values == fast.values).all()
    assert everything.predict(documents).labels == accurate.predict(documents).labels


def test_the_version_tells_a_cascade_apart(accurate_models):
    accurate, balanced = load_en(accurate_models, "accurate"), load_en(accurate_models, "balanced")
    assert balanced.version == f"{accurate.version}~balanced"


def test_a_killed_run_goes_on_from_what_it_finished(tiny_gold, accurate_models, encoders, tmp_path, monkeypatch):
    work = accurate_models.parent / "work"
    models = Path(shutil.copytree(accurate_models, tmp_path / "models"))
    fitted = []
    monkeypatch.setattr(recipe, "fit_network", lambda *a, **k: fitted.append(1) or fit_network(*a, **k))
    train(tiny_gold, models, encoders["bert"], work)
    assert fitted == []
    for name in ("encoder.onnx", "card.json", "weights.safetensors"):
        first, again = (m / "encoder-en" / name for m in (accurate_models, models))
        assert first.read_bytes() == again.read_bytes(), name


def test_a_bundle_without_a_set_has_fewer_rows_and_says_so(tiny_gold, accurate_models, encoders, tmp_path):
    models = Path(shutil.copytree(accurate_models, tmp_path / "models"))
    public = Path(shutil.copytree(tiny_gold.parent / "public", tmp_path / "public"))
    item = read_material(tiny_gold, public, "en", gold_only=True).records[0]
    write_lines(public / "calls.jsonl.gz", [{"id": item.id, "text": "other words"}])
    options = ("--public", str(public), "--without", "calls", "--trial")
    train(tiny_gold, models, encoders["bert"], tmp_path / "work", options)
    whole, without = (
        json.loads((m / "encoder-en" / "card.json").read_text(encoding="utf-8")) for m in (accurate_models, models)
    )
    assert without["without"] == ["calls"] and "without" not in whole
    assert without["rows"]["segments"] == whole["rows"]["segments"] - len(item.segments)


def test_another_linear_bundle_is_refused(accurate_models, tmp_path):
    models = Path(shutil.copytree(accurate_models, tmp_path / "models"))
    manifest = models / "manifest.toml"
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(text.replace('base = "linear-en"', 'base = "linear-pl"'), encoding="utf-8")
    with pytest.raises(ModelError, match="built on linear-en"):
        load_en(models, "accurate")


def test_an_encoder_without_linear_bundle_is_an_input_error(tiny_gold, tiny_models, encoders, tmp_path):
    models = tmp_path / "models"
    models.mkdir()
    shutil.copytree(tiny_models / "linear-pl", models / "linear-pl")
    from training.bundle_files import write_manifest

    write_manifest(models)
    with pytest.raises(InputError, match=r"run training\.linear first"):
        train(tiny_gold, models, encoders["bert"], tmp_path / "work")


def test_an_unknown_encoder_says_what_to_do(tmp_path):
    with pytest.raises(ModelError, match="give a folder, a hub id"):
        load_base(str(tmp_path / "nothing"))


def test_the_package_carries_minilm():
    assert json.loads((minilm_folder() / "config.json").read_text(encoding="utf-8"))["hidden_size"] == 384


def test_explanations_name_every_label_and_point_into_the_text(tiny_gold, accurate_models):
    document = ["They promised 3 o'clock and nobody came.", "The clerk at desk 3 knew nothing."]
    classifier = load_en(accurate_models, "accurate")
    for explained in (classifier.explain(document), classifier.linear.explain(document)):
        assert len(explained) == 2
        for text, attribution in zip(document, explained, strict=True):
            assert tuple(attribution) == LABELS
            assert all(weights.shape == (len(text),) for weights in attribution.values())
