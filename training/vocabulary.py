"""A language's own tokenizer, and vectors for its pieces that start from an English encoder's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from training.alignment import align, translate_vectors

Matrix = NDArray[np.float64]

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
# Their ids: a vocabulary begins with them.
PAD, UNKNOWN, START, SEPARATOR, MASK = range(len(SPECIAL))
SIZES: Mapping[str, int] = {"pl": 12_000, "zh": 8_000}
# Chinese has no spaces: pieces are words of up to this many characters.
_LONGEST_HAN = 3
# How much of an aligned token's vector is the mean of its translations; the rest is the draw that the others keep.
_TRANSLATED = 0.8
# Vectors drawn at random scatter half as much as the English encoder's: closer to its mean than to a wrong word.
_SCATTER = 0.5
_NOT_TEXT = re.compile(r"\[.+\]")


@dataclass(frozen=True, slots=True)
class English:
    """The English encoder's tokenizer and word vectors, shape (n_tokens, n_dimensions)."""

    tokenizer: Tokenizer
    vectors: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class StartVectors:
    """Vectors for a vocabulary, shape (n_tokens, n_dimensions), and where they come from.

    copied: tokens that the English vocabulary holds too. translated: those that have the mean of their translations.
    """

    values: Matrix
    copied: NDArray[np.bool_]
    translated: NDArray[np.bool_]


def learn_tokenizer(texts: Iterable[str], language: str, *, size: int | None = None) -> Tokenizer:
    """Learn a vocabulary that ignores case: Unigram (Kudo 2018) for Chinese, WordPiece for other languages.

    size: most tokens; default: SIZES. The first of them are SPECIAL.
    """
    chinese = language == "zh"
    tokenizer = Tokenizer(models.Unigram() if chinese else models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = (
        pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.Punctuation()])
        if chinese
        else pre_tokenizers.BertPreTokenizer()
    )
    size = size or SIZES[language]
    tokenizer.train_from_iterator(texts, _unigram(size) if chinese else _word_piece(size))
    return tokenizer


def start_vectors(
    tokenizer: Tokenizer,
    english: English,
    pairs: Sequence[tuple[str, str]],
    *,
    random: np.random.RandomState,
) -> StartVectors:
    """Give each token of `tokenizer` a vector in the space of the English encoder's.

    A token that the English vocabulary holds too keeps its vector. Others get the mean of the tokens they are aligned
    with over pairs (normalised sentence, English translation); the rest are drawn around the English mean.
    """
    names = _names(tokenizer)
    known = english.tokenizer.get_vocab()
    values = _draw(english, len(names), random)
    own, other = _encode(tokenizer, [p[0] for p in pairs]), _encode(english.tokenizer, [p[1] for p in pairs])
    links = align(zip(own, other, strict=True))
    means, aligned = translate_vectors(links, english.vectors, size=len(names))
    copied = np.asarray([name in known for name in names])
    translated = aligned & ~copied
    values[translated] = _TRANSLATED * means[translated] + (1 - _TRANSLATED) * values[translated]
    values[copied] = english.vectors[[known[name] for name in names if name in known]]
    return StartVectors(values, copied, translated)


def _unigram(size: int) -> trainers.UnigramTrainer:
    return trainers.UnigramTrainer(
        vocab_size=size, special_tokens=list(SPECIAL), unk_token="[UNK]", max_piece_length=_LONGEST_HAN
    )


def _word_piece(size: int) -> trainers.WordPieceTrainer:
    return trainers.WordPieceTrainer(vocab_size=size, special_tokens=list(SPECIAL), min_frequency=3)


def _names(tokenizer: Tokenizer) -> list[str]:
    """Tokens in the order of their ids."""
    vocabulary = tokenizer.get_vocab()
    return sorted(vocabulary, key=vocabulary.__getitem__)


def _encode(tokenizer: Tokenizer, texts: list[str]) -> list[list[int]]:
    return [e.ids for e in tokenizer.encode_batch(texts, add_special_tokens=False)]


def _draw(english: English, size: int, random: np.random.RandomState) -> Matrix:
    """Vectors around the mean of English words; special and unused tokens' vectors say nothing about words."""
    words = [i for name, i in sorted(english.tokenizer.get_vocab().items()) if not _NOT_TEXT.fullmatch(name)]
    vectors = english.vectors[words]
    spread = vectors.std(axis=0) * _SCATTER
    drawn: Matrix = random.standard_normal((size, vectors.shape[1])) * spread + vectors.mean(axis=0)
    return drawn
