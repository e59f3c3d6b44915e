"""A small transformer encoder in ONNX: the text of a segment, in its context, to log-odds of every label.

The network ends in a sum over the segment's tokens, so each token's part of every log-odds is known exactly: that is
the evidence shown to people. Runs on onnxruntime alone; torch is needed for training only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from gapnlp.classifier.base import Document
from gapnlp.errors import ModelError

# Tokens kept of the segment, of the one before it (its end) and of the one after it (its beginning).
SEGMENT_TOKENS, BEFORE_TOKENS, AFTER_TOKENS = 96, 24, 16
# What opens an input and what ends each part of it, in BERT's and in RoBERTa's vocabularies.
_STARTS, _SEPARATORS = ("[CLS]", "<s>"), ("[SEP]", "</s>")


@dataclass(frozen=True, slots=True)
class EncoderInput:
    """One segment as the network reads it: `[CLS] segment [SEP] previous [SEP] next [SEP]`.

    ids: token ids. segment: how many of them, after [CLS], are the segment's own; the rest is context (type 1).
    offsets: of those, in characters of the segment's normalised text.
    """

    ids: tuple[int, ...]
    segment: int
    offsets: tuple[tuple[int, int], ...]

    @property
    def types(self) -> list[int]:
        """0 for [CLS], the segment and its [SEP], 1 for the context."""
        own = self.segment + 2
        return [0] * own + [1] * (len(self.ids) - own)


def check_self_contained(network: bytes) -> None:
    """Raise ModelError when a network in ONNX has weights in other files: these would be read without any check.

    Such a weight says where it lies under the key "location", a word that no network of ours holds anywhere else.
    """
    if b"location" in network:
        raise ModelError("encoder.onnx: takes weights from other files, which no sha256 covers; the bundle is refused")


def encoder_inputs(tokenizer: Tokenizer, documents: Sequence[Document]) -> list[EncoderInput]:
    """Turn documents into one input a segment, in order. Training and prediction share this."""
    texts = list(dict.fromkeys(chain.from_iterable(documents)))
    encodings = tokenizer.encode_batch(texts, add_special_tokens=False)
    tokens = {text: (tuple(e.ids), tuple(e.offsets)) for text, e in zip(texts, encodings, strict=True)}
    start, separator = _special(tokenizer, _STARTS), _special(tokenizer, _SEPARATORS)
    return [_join(part, start, separator) for document in documents for part in _with_neighbours(document, tokens)]


_Tokens = tuple[tuple[int, ...], tuple[tuple[int, int], ...]]


def _with_neighbours(document: Document, tokens: dict[str, _Tokens]) -> Iterator[tuple[_Tokens, _Tokens, _Tokens]]:
    nothing: _Tokens = ((), ())
    for i, text in enumerate(document):
        before = tokens[document[i - 1]] if i else nothing
        after = tokens[document[i + 1]] if i + 1 < len(document) else nothing
        yield tokens[text], before, after


def _special(tokenizer: Tokenizer, names: Sequence[str]) -> int:
    for name in names:
        found: int | None = tokenizer.token_to_id(name)
        if found is not None:
            return found
    raise ValueError(f"the tokenizer knows none of {', '.join(names)}")


def _join(part: tuple[_Tokens, _Tokens, _Tokens], start: int, separator: int) -> EncoderInput:
    (own, offsets), (before, _), (after, _) = part
    own = own[:SEGMENT_TOKENS]
    ids = (start, *own, separator, *before[-BEFORE_TOKENS:], separator, *after[:AFTER_TOKENS], separator)
    return EncoderInput(ids, len(own), offsets[: len(own)])


class Encoder:
    """An encoder bundle's network and tokenizer in memory.

    Segments are run one at a time: the quantised network scales its activations by what runs together, so a batch would
    change answers by its company, and padding costs what batching gains (see docs/classifier.md).
    """

    def __init__(self, network: bytes, tokenizer: bytes) -> None:
        """Load both. `threads`, 1 at first, says how many segments run at the same time.

        Raises ModelError for a network that is not complete in itself, ValueError for what is no encoder.
        """
        check_self_contained(network)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
            self._tokenizer = Tokenizer.from_str(tokenizer.decode())
        except Exception as error:  # both libraries raise errors of their own, straight below Exception
            raise ValueError(f"its network or tokenizer cannot be read: {type(error).__name__}") from None
        names = [x.name for x in (*self._session.get_inputs(), *self._session.get_outputs())]
        if not {"ids", "types", "own", "logits", "contributions"} <= set(names):
            raise ValueError("its network is no encoder of segments")
        self.threads = 1

    def logits(self, documents: Sequence[Document], rows: NDArray[np.intp] | None = None) -> NDArray[np.float64]:
        """Log-odds, shape (n_rows, n_heads), of the segments numbered by `rows` (None: all); equal inputs run once."""
        inputs = encoder_inputs(self._tokenizer, documents)
        chosen = inputs if rows is None else [inputs[i] for i in rows]
        unique = list(dict.fromkeys(chosen))
        if not unique:
            return np.zeros((0, self._session.get_outputs()[0].shape[1]))
        place = {x: i for i, x in enumerate(unique)}
        with ThreadPoolExecutor(self.threads) as pool:
            results = np.vstack(list(pool.map(lambda x: self._run(x, "logits"), unique))).astype(np.float64)
        return results[[place[x] for x in chosen]]

    def contributions(self, document: Document) -> list[tuple[EncoderInput, NDArray[np.float64]]]:
        """Each segment's input and what each of its tokens adds to every log-odds, shape (n_tokens, n_heads)."""
        inputs = encoder_inputs(self._tokenizer, [document])
        return [(x, self._run(x, "contributions")[0, 1 : x.segment + 1].astype(np.float64)) for x in inputs]

    def _run(self, x: EncoderInput, output: str) -> NDArray[np.float32]:
        own = np.zeros((1, len(x.ids)), dtype=np.float32)
        own[0, 1 : x.segment + 1] = 1
        if not x.segment:  # a text of which the tokenizer keeps nothing: [CLS] speaks for it
            own[0, 0] = 1
        feed = {"ids": np.asarray([x.ids]), "types": np.asarray([x.types]), "own": own}
        result: NDArray[np.float32] = self._session.run([output], feed)[0]
        return result
