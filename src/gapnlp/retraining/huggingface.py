"""A bundle's encoder as a folder that `transformers` loads, for work with other tools.

The encoder alone is handed on: a linear head over every token, whose mean over a segment's tokens is the log-odds of
each label. What a bundle puts on top (n-grams, stacking, thresholds) has no place in such a folder; its README says so.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForTokenClassification

from gapnlp.classifier.bundle import BundleInfo
from gapnlp.errors import InputError
from gapnlp.records.labels import HEAD_INDEX, HEADS
from gapnlp.retraining.finetuning import encoder_files
from gapnlp.retraining.network import Network
from gapnlp.retraining.onnx_weights import restore_network

# Special tokens by what `transformers` calls them, in BERT's and in RoBERTa's vocabularies.
_SPECIAL = {
    "cls_token": ("[CLS]", "<s>"),
    "sep_token": ("[SEP]", "</s>"),
    "pad_token": ("[PAD]", "<pad>"),
    "unk_token": ("[UNK]", "<unk>"),
    "mask_token": ("[MASK]", "<mask>"),
}


def export_huggingface(info: BundleInfo, folder: Path) -> None:
    """Write a bundle's encoder as `AutoModelForTokenClassification` and `AutoTokenizer` load it; all of it or nothing.

    folder: must not exist, or be empty. Raises InputError when it holds anything or the bundle has no encoder of its
    own, ModelError when the bundle was changed or its encoder cannot be rebuilt.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder}: is there already; name a new or empty folder to export to")
    contents = encoder_files(info)
    tokenizer = Tokenizer.from_str(contents["tokenizer.json"].decode())
    network = restore_network(contents["encoder.onnx"], tokenizer)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as place:
        made = Path(place) / "export"
        _token_classifier(network).save_pretrained(made)
        _write_tokenizer(contents["tokenizer.json"], tokenizer, network, made)
        (made / "README.md").write_text(_readme(info), encoding="utf-8")
        if folder.exists():
            folder.rmdir()
        shutil.move(made, folder)


def _token_classifier(network: Network) -> Any:
    """Put the same weights into the class that `transformers` has for a linear head over tokens."""
    config: Any = network.body.config
    config.id2label = dict(enumerate(HEADS))
    config.label2id = dict(HEAD_INDEX)
    model = AutoModelForTokenClassification.from_config(config)  # type: ignore[no-untyped-call]
    model.base_model.load_state_dict(network.body.state_dict())
    with torch.no_grad():
        model.classifier.weight.copy_(network.head.weight)
        model.classifier.bias.copy_(network.head.bias)
    return model.eval()


def _write_tokenizer(content: bytes, tokenizer: Tokenizer, network: Network, folder: Path) -> None:
    """Write the bundle's own tokenizer.json, byte by byte, and what AutoTokenizer needs beside it."""
    known = {
        name: next((t for t in tokens if tokenizer.token_to_id(t) is not None), None)
        for name, tokens in _SPECIAL.items()
    }
    config: Any = network.body.config
    rest = {name: token for name, token in known.items() if token is not None}
    rest |= {"model_max_length": config.max_position_embeddings, "tokenizer_class": "PreTrainedTokenizerFast"}
    (folder / "tokenizer.json").write_bytes(content)
    (folder / "tokenizer_config.json").write_text(json.dumps(rest, indent=1) + "\n", encoding="utf-8")


def _readme(info: BundleInfo) -> str:
    page = files("gapnlp.retraining").joinpath("huggingface_readme.md").read_text(encoding="utf-8")
    for key, value in (("VERSION", info.version), ("LANGUAGE", info.language), ("LICENCE", info.licence)):
        page = page.replace(f"{{{{{key}}}}}", value)
    return page
