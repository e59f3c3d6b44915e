"""What is dressed up as an encoder: refused when it is loaded, without a look at any other file."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from gapnlp.classifier.encoder import Encoder
from gapnlp.errors import ModelError

onnx = pytest.importorskip("onnx")
TOKENIZER = Tokenizer(WordLevel({"[CLS]": 0, "[SEP]": 1}, unk_token="[SEP]")).to_str().encode()  # noqa: S106
INPUTS = (("ids", 7), ("types", 7), ("own", 1))


def network(*, elsewhere: str | None = None, outputs: tuple[str, ...] = ("logits", "contributions")) -> bytes:
    """A network that gives its only weight; elsewhere: a file that it is to be read from."""
    weight = onnx.numpy_helper.from_array(np.ones((64, 33), dtype=np.float32), "weight")
    if elsewhere is not None:
        onnx.external_data_helper.set_external_data(weight, elsewhere, offset=0, length=len(weight.raw_data))
        weight.ClearField("raw_data")
    given = [onnx.helper.make_tensor_value_info(name, kind, [1, "n"]) for name, kind in INPUTS]
    found = [onnx.helper.make_tensor_value_info(name, 1, [64, 33]) for name in outputs]
    nodes = [onnx.helper.make_node("Identity", ["weight"], [name]) for name in outputs]
    graph = onnx.helper.make_graph(nodes, "g", given, found, [weight])
    opset = onnx.helper.make_opsetid("", 17)
    return bytes(onnx.helper.make_model(graph, ir_version=8, opset_imports=[opset]).SerializeToString())


def test_a_whole_network_is_loaded():
    assert Encoder(network(), TOKENIZER).threads == 1


@pytest.mark.parametrize("path", ["weights.bin", "../weights.bin"])
def test_weights_in_another_file_are_refused_though_the_file_is_there(tmp_path: Path, monkeypatch, path):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    Path(path).write_bytes(b"\0" * 64 * 33 * 4)
    with pytest.raises(ModelError, match="takes weights from other files"):
        Encoder(network(elsewhere=path), TOKENIZER)


@pytest.mark.parametrize(
    ("content", "tokenizer"),
    [
        (pickle.dumps([1]), TOKENIZER),
        (network()[:200], TOKENIZER),
        (b"", TOKENIZER),
        (network(outputs=("other",)), TOKENIZER),
        (network(), b'{"a": 1}'),
        (network(), pickle.dumps([1])),
    ],
)
def test_what_is_no_encoder_is_refused(content, tokenizer):
    with pytest.raises(ValueError, match="its network"):
        Encoder(content, tokenizer)
