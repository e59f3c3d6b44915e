"""A bundle's `encoder.onnx` -> the network in torch, so that it can be trained further or handed to `transformers`.

Weights come back as float32: exact but for what 8-bit rounding took away when the bundle was made. ONNX drops most
matrices' names, so each is found by the way its product takes through the graph: to the bias that it is added to.
Needs the extra `train`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from tokenizers import Tokenizer
from torch import nn
from transformers import AutoConfig, AutoModel

from gapnlp.classifier.encoder import check_self_contained
from gapnlp.errors import ModelError
from gapnlp.retraining.network import Network

Array = NDArray[Any]

# What the exporter calls the network, and what opens the names of its body's parameters.
_ROOT, _BODY = "network.", "body."
# Results that a matrix product passes through on its way to the bias; the head's goes through a sum over tokens too.
_PASSED = frozenset({"Cast", "Mul", "DequantizeLinear", "ReduceSum", "Identity"})
_PADDINGS = ("[PAD]", "<pad>")
# A sublayer that every layer has, by architecture: its name, with the layer's number left out.
_LAYERS = {"bert": "body.encoder.layer.", "roberta": "body.encoder.layer.", "distilbert": "body.transformer.layer."}
_QUERIES = {"bert": ".attention.self.query", "roberta": ".attention.self.query", "distilbert": ".attention.q_lin"}
_UPWARDS = {"bert": ".intermediate.dense", "roberta": ".intermediate.dense", "distilbert": ".ffn.lin1"}


class _Graph:
    """An ONNX graph with its constants by name, and who makes and who reads each value."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.nodes = list(graph.node)
        self.constants: dict[str, Array] = {x.name: numpy_helper.to_array(x) for x in graph.initializer}
        self.maker = {output: node for node in self.nodes for output in node.output}
        self.readers: dict[str, list[onnx.NodeProto]] = {}
        for node in self.nodes:
            if node.op_type == "Constant":
                self.constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
            elif node.op_type == "Identity" and node.input[0] in self.constants:
                self.constants[node.output[0]] = self.constants[node.input[0]]  # equal parameters are kept once
            for name in node.input:
                self.readers.setdefault(name, []).append(node)

    def further(self, value: str) -> Iterator[onnx.NodeProto]:
        """Every node that a value comes to through scaling, casting and sums over tokens, the nearest first."""
        waiting, seen = [value], {value}
        while waiting:
            for node in self.readers.get(waiting.pop(0), ()):
                yield node
                if node.op_type in _PASSED and node.output[0] not in seen:
                    seen.add(node.output[0])
                    waiting.append(node.output[0])


@dataclass(frozen=True, slots=True)
class _Product:
    """A product with a constant matrix: the parameter's name without `.weight`, the matrix (n_in, n_out)."""

    layer: str
    weight: Array
    biased: onnx.NodeProto


def restore_network(encoder: bytes, tokenizer: Tokenizer) -> Network:
    """Rebuild the network behind an encoder's bytes, ready to run in float32.

    Raises ModelError when the graph is not one that `export_network` writes for BERT, RoBERTa or DistilBERT.
    """
    try:
        graph = _Graph(_parsed(encoder).graph)
        state = _state(graph)
        config = _config(graph, state, _padding(tokenizer))
        further = {} if config.model_type == "distilbert" else {"add_pooling_layer": False}
        body: nn.Module = AutoModel.from_config(  # type: ignore[no-untyped-call]
            config, attn_implementation="eager", **further
        )
        network = Network(body, heads=len(state["head.bias"]))
        _load(network, state)
    except (LookupError, ValueError, RuntimeError, StopIteration) as error:
        raise ModelError(
            f"the bundle's encoder.onnx is not one that can be rebuilt in torch ({error}); use a bundle made by gapnlp"
        ) from None
    return network.eval()


def _parsed(encoder: bytes) -> onnx.ModelProto:
    check_self_contained(encoder)
    try:
        return onnx.load_from_string(encoder)
    except Exception as error:  # of protobuf, which comes with onnx and is no dependency of ours
        raise ValueError(f"no ONNX file: {type(error).__name__}") from None


def _load(network: Network, state: Mapping[str, Array]) -> None:
    tensors = {name: torch.from_numpy(np.array(value, dtype=np.float32)) for name, value in state.items()}
    found = network.load_state_dict(tensors, strict=False)
    # Buffers such as position numbers are no weights, and are not in the graph.
    wanted = {name for name, _ in network.named_parameters()}
    missing = sorted(wanted & set(found.missing_keys))
    if missing or found.unexpected_keys:
        raise ValueError(f"weights missing: {missing[:3]}, not known: {sorted(found.unexpected_keys)[:3]}")


def _state(graph: _Graph) -> dict[str, Array]:
    """All parameters by their names in the network, as float32."""
    state = {
        name.removeprefix(_ROOT): value
        for name, value in graph.constants.items()
        if name.startswith(_ROOT) and value.dtype == np.float32 and not name.endswith("_scale")
    }
    for name, table in _tables(graph):
        state[name.removeprefix(_ROOT)] = table
    for product in _products(graph):
        state[f"{product.layer}.weight"] = product.weight.T
    return state


def _tables(graph: _Graph) -> Iterator[tuple[str, Array]]:
    """Embedding tables kept as 8-bit numbers, by the name of the parameter."""
    for node in graph.nodes:
        if node.op_type != "Gather" or not node.input[0].startswith(_ROOT):
            continue
        table = graph.constants[node.input[0]]
        if table.dtype == np.float32:
            continue
        rest = next(n for n in graph.readers[node.output[0]] if n.op_type == "DequantizeLinear")
        scale, zero = (graph.constants[name] for name in rest.input[1:3])
        yield node.input[0].removesuffix("_quantized"), _dequantised(table, scale, zero)


def _products(graph: _Graph) -> Iterator[_Product]:
    """Every product of the text's values with a matrix of weights."""
    for node in graph.nodes:
        if node.op_type == "MatMul" and node.input[1] in graph.constants:
            weight = graph.constants[node.input[1]]
        elif node.op_type == "MatMulInteger":
            zero = graph.constants[node.input[3]]
            weight = _dequantised(graph.constants[node.input[1]], _weight_scale(graph, node), zero)
        else:
            continue
        biased = next(n for n in graph.further(node.output[0]) if n.op_type == "Add" and _bias(graph, n))
        yield _Product(_bias(graph, biased).removeprefix(_ROOT).removesuffix(".bias"), weight, biased)


def _dequantised(values: Array, scale: Array, zero: Array) -> Array:
    return (values.astype(np.float32) - zero.astype(np.float32)) * scale.astype(np.float32)


def _weight_scale(graph: _Graph, product: onnx.NodeProto) -> Array:
    """Find the weights' part of the scale that a whole-number product is turned back with."""
    for node in graph.further(product.output[0]):
        if node.op_type == "Mul":
            together = next(graph.maker[name] for name in node.input if graph.maker[name].op_type == "Mul")
            return graph.constants[next(name for name in together.input if name in graph.constants)]
    raise ValueError("a product of whole numbers has no scale")


def _bias(graph: _Graph, node: onnx.NodeProto) -> str:
    return next((x for x in node.input if x in graph.constants and x.startswith(_ROOT) and x.endswith(".bias")), "")


def _config(graph: _Graph, state: Mapping[str, Array], padding: int) -> Any:
    """Read the shape off the weights, and what weights do not tell off the graph."""
    architecture = _architecture(graph, state)
    query = next(p for p in _products(graph) if p.layer.endswith(_QUERIES[architecture]))
    hidden = query.weight.shape[0]
    words, positions = (state[f"body.embeddings.{kind}_embeddings.weight"] for kind in ("word", "position"))
    prefix = _LAYERS[architecture]
    layers = 1 + max(int(name[len(prefix) :].partition(".")[0]) for name in state if name.startswith(prefix))
    size = {"vocab_size": len(words), "max_position_embeddings": len(positions), "pad_token_id": padding}
    heads = hidden // _head_size(graph, query.biased)
    inner = len(state[f"{prefix}0{_UPWARDS[architecture]}.bias"])
    if architecture == "distilbert":
        own = {"dim": hidden, "n_layers": layers, "n_heads": heads, "hidden_dim": inner}
        return AutoConfig.for_model(architecture, **size, **own, activation=_activation(graph))
    types = len(state["body.embeddings.token_type_embeddings.weight"])
    own = {"hidden_size": hidden, "num_hidden_layers": layers, "num_attention_heads": heads, "intermediate_size": inner}
    epsilon = _epsilon(graph)
    return AutoConfig.for_model(
        architecture, **size, **own, type_vocab_size=types, layer_norm_eps=epsilon, hidden_act=_activation(graph)
    )


def _architecture(graph: _Graph, state: Mapping[str, Array]) -> str:
    if any(name.startswith(_LAYERS["distilbert"]) for name in state):
        return "distilbert"
    if not any(name.startswith(_LAYERS["bert"]) for name in state):
        raise ValueError("the body is neither BERT, RoBERTa nor DistilBERT")
    # RoBERTa counts positions from its padding on, by a running sum.
    return "roberta" if any(n.op_type == "CumSum" for n in graph.nodes) else "bert"


def _head_size(graph: _Graph, query: onnx.NodeProto) -> int:
    """How many values an attention head has: the last number of the shape that queries are brought into."""
    shape = next(n for n in graph.readers[query.output[0]] if n.op_type == "Reshape").input[1]
    if shape in graph.constants:
        return int(graph.constants[shape][-1])
    return int(graph.constants[graph.maker[shape].input[-1]].item())


def _activation(graph: _Graph) -> str:
    kinds = {n.op_type for n in graph.nodes}
    for kind, name in (("Erf", "gelu"), ("Gelu", "gelu"), ("Relu", "relu")):
        if kind in kinds:
            return name
    raise ValueError("the activation is neither GELU nor ReLU")


def _epsilon(graph: _Graph) -> float:
    node = next(n for n in graph.nodes if n.op_type == "LayerNormalization")
    # Rounded: kept in 32 bits, 1e-12 reads 9.99999996e-13.
    return next((float(f"{a.f:.6g}") for a in node.attribute if a.name == "epsilon"), 1e-5)


def _padding(tokenizer: Tokenizer) -> int:
    found = (tokenizer.token_to_id(name) for name in _PADDINGS)
    return next((x for x in found if x is not None), 0)
