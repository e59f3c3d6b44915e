"""A language's own tokenizer, and vectors for its pieces that start from an English encoder's."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import sentencepiece
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
_SPECIAL_PIECES: Mapping[str, Any] = {
    **{f"{name}_id": i for i, name in enumerate(("pad", "unk", "bos", "eos"))},
    **dict(zip(("pad_piece", "unk_piece", "bos_piece", "eos_piece", "control_symbols"), SPECIAL, strict=True)),
}
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

    size: most tokens; default: SIZES. The first of them are SPECIAL. Same texts: same vocabulary.
    """
    size = size or SIZES[language]
    shape = _empty(language)
    words = _count_words(shape, texts)
    model = _learn_unigram(words, size) if language == "zh" else _learn_word_piece(words, size)
    tokenizer = Tokenizer(model)
    tokenizer.normalizer, tokenizer.pre_tokenizer = shape.normalizer, shape.pre_tokenizer
    tokenizer.add_special_tokens(list(SPECIAL))
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


def _empty(language: str) -> Tokenizer:
    """How a language's texts are cut into words, before pieces are known."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = (
        pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.Punctuation()])
        if language == "zh"
        else pre_tokenizers.BertPreTokenizer()
    )
    return tokenizer


def _count_words(shape: Tokenizer, texts: Iterable[str]) -> Counter[str]:
    normal, cut = shape.normalizer.normalize_str, shape.pre_tokenizer.pre_tokenize_str
    return Counter(word for text in texts for word, _ in cut(normal(text)))


def _learn_unigram(words: Mapping[str, int], size: int) -> models.Unigram:
    """Learn pieces of words by sentencepiece: the trainer of `tokenizers` breaks ties by chance."""
    model = BytesIO()
    sentencepiece.SentencePieceTrainer.Train(
        sentence_iterator=(f"{word}\t{n}" for word, n in sorted(words.items())),
        input_format="tsv",
        model_writer=model,
        model_type="unigram",
        vocab_size=size,
        hard_vocab_limit=False,
        max_sentencepiece_length=_LONGEST_HAN,
        character_coverage=1.0,
        normalization_rule_name="identity",
        add_dummy_prefix=False,
        split_by_unicode_script=False,
        split_by_number=False,
        num_threads=1,
        minloglevel=2,
        **_SPECIAL_PIECES,
    )
    learnt = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    pieces = [(learnt.id_to_piece(i), learnt.get_score(i)) for i in range(learnt.get_piece_size())]
    return models.Unigram(pieces, unk_id=UNKNOWN)


def _learn_word_piece(words: Mapping[str, int], size: int) -> models.WordPiece:
    """Learn pieces of words.

    The trainer numbers continuing characters ("##a") in an order of chance, and breaks ties by number; named
    beforehand, they keep theirs.
    """
    within = sorted({f"##{character}" for word in words for character in word[1:]})
    known = [*SPECIAL, *within]
    trainer = trainers.WordPieceTrainer(vocab_size=size, special_tokens=known, min_frequency=3, show_progress=False)
    learner = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    learner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    learner.train_from_iterator((word for word, n in words.items() for _ in range(n)), trainer)
    return models.WordPiece(learner.get_vocab(with_added_tokens=False), unk_token="[UNK]")


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
