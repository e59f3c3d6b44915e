"""Make a small encoder of Polish or Chinese: `python -m training.pretraining --gold ../shared/gold --language zh`.

MiniLM's body gets a tokenizer of the language and word vectors that start from its own; then it is pretrained on public
texts. `training.transformer --encoder FOLDER` fine-tunes the result. See docs/encoders.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from gapnlp.errors import InputError, ModelError
from gapnlp.retraining.network import seed_everything
from gapnlp.text.normalise import normalise
from training.bases import MINILM, load_base
from training.material import banned_keys, read_development, read_material
from training.network import step_printer
from training.pretraining_fit import UNLABELLED, Draws, PretrainingNetwork, PretrainingSettings, Rows, fit_body
from training.public_texts import LANGUAGES, Pair, PublicText, read_pairs, read_texts
from training.vocabulary import SIZES, SPECIAL, English, learn_tokenizer, start_vectors

RANDOM = "random"
# Polish texts are a third as many as Chinese ones, so they are read twice.
EPOCHS: Mapping[str, float] = {"pl": 2.0, "zh": 1.0}
# Tokens read of each text.
LONGEST = 90
# What an encoder's folder tells about its making.
RECORD = "pretraining.json"

_WORDS = "embeddings.word_embeddings.weight"


@dataclass(frozen=True, slots=True)
class PretrainingRecipe:
    """What is made. init: "minilm" or "random" weights; base: the encoder whose shape and weights are taken."""

    language: str
    settings: PretrainingSettings
    vocabulary: int
    init: str = MINILM
    base: str = MINILM


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the encoder asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gold", type=Path, required=True, help="folder with train.jsonl and dev.jsonl, left out")
    parser.add_argument("--public", type=Path, help="folder of the public sets; default: public beside the gold folder")
    parser.add_argument("--out", type=Path, help="folder to write; default: out/encoders/LANGUAGE")
    parser.add_argument("--language", choices=LANGUAGES, required=True)
    parser.add_argument("--epochs", type=float, help="default: 2 for pl, 1 for zh")
    parser.add_argument("--vocabulary", type=int, help="most tokens; default: 12000 for pl, 8000 for zh")
    parser.add_argument("--init", choices=(MINILM, RANDOM), default=MINILM, help="weights to start from")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    language = options.language
    epochs = EPOCHS[language] if options.epochs is None else options.epochs
    settings = PretrainingSettings(epochs=epochs, seed=options.seed)
    recipe = PretrainingRecipe(language, settings, options.vocabulary or SIZES[language], options.init)
    folders = (options.gold, options.public or options.gold.parent / "public")
    make_encoder(recipe, folders=folders, out=options.out or Path("out", "encoders", language))


def make_encoder(recipe: PretrainingRecipe, *, folders: tuple[Path, Path], out: Path) -> None:
    """Read, pretrain, write. folders: gold, public sets. A killed run starts again; nothing is written before the end.

    Raises InputError when a file is absent, or a text of gold's would be read; ModelError when the base is not a BERT.
    """
    started = time.perf_counter()
    if out.is_file():
        raise InputError(f"{out}: is a file; name a folder with --out")
    language, settings = recipe.language, recipe.settings
    texts, pairs = _read(language, *folders)
    seed_everything(settings.seed)
    draws = Draws(np.random.RandomState(settings.seed), Random(settings.seed))
    tokenizer = learn_tokenizer([t.text for t in texts], language, size=recipe.vocabulary)
    body, words = start_body(recipe, tokenizer, pairs, random=draws.rows)
    rows = tokenize(tokenizer, texts)
    print(f"{language}: {len(texts)} texts, {sum(map(len, rows.ids))} tokens; words {words}", flush=True)
    printer = step_printer(f"{language}, pretraining", sys.stderr)
    losses = asdict(fit_body(PretrainingNetwork(body), rows, settings, draws=draws, on_step=printer))
    record = {
        "recipe": asdict(recipe),
        "texts": _describe_texts(texts),
        "pairs": len(pairs),
        "words": words,
        "losses": losses,
        "versions": {name: version(name) for name in ("numpy", "tokenizers", "torch", "transformers")},
    }
    write_encoder(out, body, tokenizer, record=record)
    print(f"{language}: wrote {out}; losses {losses}; {time.perf_counter() - started:.0f} s")


def start_body(
    recipe: PretrainingRecipe, tokenizer: Tokenizer, pairs: Sequence[Pair], *, random: np.random.RandomState
) -> tuple[Any, dict[str, int]]:
    """Make the body that pretraining starts from, and count where its word vectors come from."""
    base, english = load_base(recipe.base)
    size = tokenizer.get_vocab_size()
    body = take_body(base, size=size, weights=recipe.init != RANDOM)
    if recipe.init == RANDOM:
        return body, {"drawn": size}
    words = start_vectors(tokenizer, English(english, _word_vectors(base)), pairs, random=random)
    body.get_input_embeddings().weight.data = torch.tensor(words.values, dtype=torch.float32)
    copied, translated = int(words.copied.sum()), int(words.translated.sum())
    return body, {"copied": copied, "translated": translated, "drawn": size - copied - translated}


def take_body(base: Any, *, size: int, weights: bool) -> Any:
    """Make a body of the base's shape for a vocabulary of `size`; weights: take all of the base's but its words'.

    Raises ModelError when the base is not a BERT.
    """
    if base.config.model_type != "bert":
        raise ModelError(f"encoder of type {base.config.model_type!r}: pretraining starts from a BERT")
    body = BertModel(BertConfig(**base.config.to_dict() | {"vocab_size": size}), add_pooling_layer=False)
    if weights:
        kept = {k: v for k, v in base.state_dict().items() if k in body.state_dict() and k != _WORDS}
        missing = body.load_state_dict(kept, strict=False).missing_keys
        if missing != [_WORDS]:
            raise ModelError(f"the encoder to start from lacks {', '.join(missing)}; choose another")
    return body


def tokenize(tokenizer: Tokenizer, texts: Sequence[PublicText]) -> Rows:
    """Turn texts into the rows that a fit reads: the first LONGEST tokens of each."""
    encodings = tokenizer.encode_batch([t.text for t in texts], add_special_tokens=False)
    sentiments = [UNLABELLED if t.sentiment is None else t.sentiment for t in texts]
    return Rows([e.ids[:LONGEST] for e in encodings], np.asarray(sentiments, dtype=np.int64))


def write_encoder(out: Path, body: Any, tokenizer: Tokenizer, *, record: Mapping[str, Any]) -> None:
    """Write a folder that `load_base` reads, and the record of its making."""
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), SPECIAL, strict=True))
    body.save_pretrained(out)
    wrapped: Any = PreTrainedTokenizerFast
    wrapped(tokenizer_object=tokenizer, **names).save_pretrained(out)
    (out / RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _read(language: str, gold: Path, public: Path) -> tuple[list[PublicText], list[Pair]]:
    """Texts and pairs without gold's; the language's own side of each pair is normalised."""
    labelled = read_material(gold, public, language, gold_only=True), read_development(gold, language)
    banned = banned_keys(*labelled)
    pairs = [(normalise(own, language), other) for own, other in read_pairs(public, language, banned=banned)]
    return read_texts(public, language, banned=banned), pairs


def _word_vectors(base: nn.Module) -> Any:
    found: Any = base.get_parameter(_WORDS)
    return found.detach().numpy()


def _describe_texts(texts: Sequence[PublicText]) -> dict[str, Any]:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.text.encode() + b"\n")
    labelled = sum(t.sentiment is not None for t in texts)
    return {"read": len(texts), "labelled": labelled, "sha256": digest.hexdigest()}


if __name__ == "__main__":
    main()
