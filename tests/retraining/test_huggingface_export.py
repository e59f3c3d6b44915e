"""Exported folders: `transformers` loads them offline, and they answer as the bundle's encoder does."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from gapnlp.classifier.bundle import choose_bundle, read_manifest
from gapnlp.classifier.encoder import Encoder
from gapnlp.classifier.linear import FIRST_HEADS
from gapnlp.errors import InputError, ModelError

transformers = pytest.importorskip("transformers")
pytest.importorskip("onnx")

from gapnlp.retraining.huggingface import export_huggingface  # noqa: E402
from tests.retraining.encoder_samples import ARCHITECTURES, TEXTS, write_encoder_bundle, write_files  # noqa: E402

DOCUMENT = [*TEXTS[:4], "the crew was late " * 40, "unheard words", TEXTS[0]]


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def by_the_readme(folder, document) -> np.ndarray:
    """Log-odds as the ten lines of the folder's README give them."""
    code = re.search(r"```python\n(.*?)```", (folder / "README.md").read_text(encoding="utf-8"), re.DOTALL)[1]
    names = {"FOLDER": str(folder)}
    exec(compile(code, "README.md", "exec"), names)
    around = ["", *document, ""]
    rows = [names["log_odds"](around[i], around[i - 1], around[i + 1]) for i in range(1, len(around) - 1)]
    return np.vstack([row.numpy() for row in rows])


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_readmes_lines_answer_as_the_bundle_does(architecture, tmp_path):
    info = write_encoder_bundle(tmp_path / "models", architecture, quantised=False)
    export_huggingface(info, tmp_path / "export")
    found = by_the_readme(tmp_path / "export", DOCUMENT)
    encoder = Encoder((info.folder / "encoder.onnx").read_bytes(), (info.folder / "tokenizer.json").read_bytes())
    np.testing.assert_allclose(found, encoder.logits([DOCUMENT]), atol=1e-4)


def test_the_folder_holds_no_pickle_and_names_its_heads(tmp_path):
    info = write_encoder_bundle(tmp_path / "models")
    folder = tmp_path / "new" / "export"
    export_huggingface(info, folder)
    names = {p.name for p in folder.iterdir()}
    wanted = {"README.md", "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    assert names == wanted
    config = transformers.AutoConfig.from_pretrained(folder)
    assert tuple(config.id2label[i] for i in range(len(FIRST_HEADS))) == FIRST_HEADS
    assert config.label2id["churn"] == FIRST_HEADS.index("churn")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    assert (tokenizer.cls_token, tokenizer.sep_token, tokenizer.pad_token) == ("[CLS]", "[SEP]", "[PAD]")
    page = (folder / "README.md").read_text(encoding="utf-8")
    assert info.version in page
    assert "{{" not in page
    assert "What is missing" in page
    assert [p.name for p in folder.parent.iterdir()] == ["export"]


def test_a_linear_bundle_and_a_full_folder_are_refused(tmp_path):
    linear = write_files(tmp_path / "linear-en", {"card.json": b"{}"}, kind="linear")
    with pytest.raises(InputError, match="without an encoder of its own; choose an accurate bundle"):
        export_huggingface(linear, tmp_path / "export")
    info = write_encoder_bundle(tmp_path / "models")
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("kept", encoding="utf-8")
    with pytest.raises(InputError, match="new or empty folder"):
        export_huggingface(info, full)
    assert [p.name for p in full.iterdir()] == ["mine.txt"]


def test_an_adapter_with_an_encoder_of_its_own_is_exported(tmp_path):
    info = replace(write_encoder_bundle(tmp_path / "models"), kind="adapter")
    (tmp_path / "export").mkdir()
    export_huggingface(info, tmp_path / "export")
    assert (tmp_path / "export" / "model.safetensors").is_file()


def test_a_changed_bundle_leaves_nothing_behind(tmp_path):
    info = write_encoder_bundle(tmp_path / "models")
    (info.folder / "encoder.onnx").write_bytes(b"poison")
    with pytest.raises(ModelError, match="was changed"):
        export_huggingface(info, tmp_path / "export")
    assert not (tmp_path / "export").exists()


@pytest.mark.heavy
@pytest.mark.parametrize("language", ["en", "pl", "zh"])
def test_shipped_encoders_are_exported(language, tmp_path):
    info = choose_bundle(read_manifest(), language, "accurate")
    export_huggingface(info, tmp_path / "export")
    documents = {
        "en": ["Nobody called me back.", "The room was clean.", "I will not come again."],
        "pl": ["Nikt do mnie nie oddzwonił.", "Pokój był czysty.", "Więcej tu nie wrócę."],
        "zh": ["没有人给我回电话。", "房间很干净。", "以后不会再来了。"],
    }
    found = by_the_readme(tmp_path / "export", documents[language])
    encoder = Encoder((info.folder / "encoder.onnx").read_bytes(), (info.folder / "tokenizer.json").read_bytes())
    expected = encoder.logits([documents[language]])
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.998
