"""Networks rebuilt from ONNX: exact in 32 bits, exact but for rounding in 8; the shipped bundles' answer alike."""

from __future__ import annotations

import json

import numpy as np
import pytest

from gapnlp.classifier.bundle import default_models_folder
from gapnlp.classifier.encoder import Encoder, encoder_inputs
from gapnlp.errors import ModelError

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from tokenizers import Tokenizer  # noqa: E402

from gapnlp.retraining.network import predict_logits  # noqa: E402
from gapnlp.retraining.onnx_export import export_network  # noqa: E402
from gapnlp.retraining.onnx_weights import restore_network  # noqa: E402
from tests.retraining.encoder_samples import ARCHITECTURES, TEXTS, small_network, small_tokenizer  # noqa: E402

DOCUMENTS = [list(TEXTS[:3]), list(TEXTS[3:4]), list(TEXTS[4:9])]


@pytest.fixture(scope="module", params=ARCHITECTURES)
def sample(request):
    tokenizer = small_tokenizer(request.param)
    return small_network(request.param, vocabulary=tokenizer.get_vocab_size()), tokenizer


def test_a_network_in_32_bits_comes_back_to_the_last_weight(sample):
    network, tokenizer = sample
    again = restore_network(export_network(network, quantised=False), tokenizer)
    wanted = dict(network.named_parameters())
    for name, parameter in again.named_parameters():
        assert torch.equal(parameter, wanted[name]), name
    assert {name for name in wanted if "pooler" not in name} == {name for name, _ in again.named_parameters()}


def test_the_shape_comes_back(sample):
    network, tokenizer = sample
    again = restore_network(export_network(network), tokenizer)
    for field in ("model_type", "hidden_size", "num_attention_heads", "num_hidden_layers", "vocab_size"):
        assert getattr(again.body.config, field) == getattr(network.body.config, field), field
    for field in ("layer_norm_eps", "max_position_embeddings", "pad_token_id", "type_vocab_size", "intermediate_size"):
        assert getattr(again.body.config, field, None) == getattr(network.body.config, field, None), field


def test_eight_bits_come_back_within_their_rounding(sample):
    network, tokenizer = sample
    again = dict(restore_network(export_network(network), tokenizer).named_parameters())
    for name, parameter in network.named_parameters():
        if "pooler" in name:
            continue
        step = (parameter.max() - parameter.min()).item() / 127
        assert (again[name] - parameter).abs().max().item() <= 0.51 * step + 1e-7, name


def test_both_answer_alike(sample):
    network, tokenizer = sample
    encoder = export_network(network, quantised=False)
    restored = restore_network(encoder, tokenizer)
    found = predict_logits(restored, encoder_inputs(tokenizer, DOCUMENTS))
    np.testing.assert_allclose(Encoder(encoder, tokenizer.to_str().encode()).logits(DOCUMENTS), found, atol=1e-4)


def test_equal_parameters_that_onnx_keeps_once_come_back(tmp_path):
    tokenizer = small_tokenizer("bert")
    network = small_network("bert", vocabulary=tokenizer.get_vocab_size(), shaken=False)
    for quantised in (False, True):
        again = restore_network(export_network(network, quantised=quantised), tokenizer)
        assert torch.equal(again.head.bias, network.head.bias)
        assert torch.equal(again.body.encoder.layer[1].output.dense.bias, torch.zeros(32))


def test_what_is_no_encoder_is_refused():
    tokenizer = small_tokenizer("bert")
    with pytest.raises(ModelError, match="use a bundle made by gapnlp"):
        restore_network(b"not onnx at all", tokenizer)
    with pytest.raises(ModelError, match="use a bundle made by gapnlp"):
        restore_network(_another_graph(), tokenizer)


def _another_graph() -> bytes:
    from onnx import TensorProto, helper

    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "other", ends[:1], ends[1:])
    return helper.make_model(graph).SerializeToString()


@pytest.mark.heavy
@pytest.mark.parametrize("language", ["en", "pl", "zh"])
def test_shipped_encoders_answer_alike_once_activations_are_rounded_alike(language):
    """onnxruntime rounds activations to 8 bits as they come; doing so in torch leaves next to no difference."""
    folder = default_models_folder() / f"encoder-{language}"
    encoder, kept = ((folder / name).read_bytes() for name in ("encoder.onnx", "tokenizer.json"))
    tokenizer, documents = Tokenizer.from_str(kept.decode()), _written(language, 60)
    expected = Encoder(encoder, kept).logits(documents)
    assert len(expected) >= 100
    network = restore_network(encoder, tokenizer)
    plain = predict_logits(network, encoder_inputs(tokenizer, documents))
    assert np.corrcoef(plain.ravel(), expected.ravel())[0, 1] > 0.998
    for module in network.body.modules():
        if isinstance(module, torch.nn.Linear):
            module.register_forward_pre_hook(lambda _, arguments: (_rounded(arguments[0]),))
    network.dropout.register_forward_hook(lambda _, __, output: _rounded(output))
    rounded = predict_logits(network, encoder_inputs(tokenizer, documents), batch=1)
    assert np.corrcoef(rounded.ravel(), expected.ravel())[0, 1] > 0.9995
    assert np.abs(rounded - expected).mean() < 0.05


def _rounded(values):
    low, high = min(0.0, values.min().item()), max(0.0, values.max().item())
    scale = (high - low) / 255 or 1.0
    zero = round(-low / scale)
    return ((values / scale).round().add(zero).clamp(0, 255) - zero) * scale


def _written(language: str, count: int) -> list[list[str]]:
    lines = (default_models_folder().parent / "data" / "labelled" / f"{language}.jsonl").read_text(encoding="utf-8")
    items = [json.loads(line) for line in lines.splitlines()[:count]]
    return [[item["text"][s["start"] : s["end"]] for s in item["segments"]] for item in items]
