"""A fitted network -> ONNX bytes, with 8-bit weights unless told otherwise."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from gapnlp.retraining.network import Network

# Old enough for every onnxruntime in use, new enough for the operators of BERT-like bodies.
_OPSET = 17


class _OneSegment(nn.Module):
    """The network as it is run: one segment at a time, so without padding."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, ids: Tensor, types: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
        logits, parts = self.network(ids, types, own)
        # Types are an input even of bodies that know none, so that every bundle is fed alike.
        return logits + 0.0 * types.sum(), parts


def export_network(network: Network, *, quantised: bool = True) -> bytes:
    """Write the network with inputs ids, types (int64) and own (float32), each (1, n_tokens).

    Outputs: logits (1, n_heads) and contributions (1, n_tokens, n_heads).

    quantised: weights as 8-bit integers per channel, activations quantised as they come (onnxruntime's dynamic
    quantisation); a quarter of the size, about twice as fast.
    """
    network.eval()
    example = torch.tensor([[5, 6, 7, 8]]), torch.tensor([[0, 0, 0, 1]]), torch.tensor([[0.0, 1.0, 1.0, 0.0]])
    with tempfile.TemporaryDirectory() as folder:
        plain, small = Path(folder) / "plain.onnx", Path(folder) / "small.onnx"
        torch.onnx.export(
            _OneSegment(network),
            example,
            str(plain),
            input_names=["ids", "types", "own"],
            output_names=["logits", "contributions"],
            dynamic_axes={name: {1: "tokens"} for name in ("ids", "types", "own", "contributions")},
            opset_version=_OPSET,
            dynamo=False,
        )
        if not quantised:
            return plain.read_bytes()
        from onnxruntime.quantization import QuantType, quantize_dynamic

        with _without_advice():
            quantize_dynamic(plain, small, per_channel=True, weight_type=QuantType.QInt8)
        return small.read_bytes()


@contextmanager
def _without_advice() -> Iterator[None]:
    """Keep the quantiser's advice to developers, which it gives to the root logger, off people's terminals."""

    def other(record: logging.LogRecord) -> bool:
        return "pre-processing before quantization" not in record.getMessage()

    root = logging.getLogger()
    root.addFilter(other)
    try:
        yield
    finally:
        root.removeFilter(other)
