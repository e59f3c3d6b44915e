"""Small random encoders as bundles hold them, and tickets to fine-tune them on."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
from safetensors.numpy import load, save

from gapnlp.classifier.bundle import BundleInfo, choose_bundle, read_manifest, read_verified
from gapnlp.records.labels import HEADS
from gapnlp.retraining.finetune_data import FineTuneData

ARCHITECTURES = ("bert", "roberta", "distilbert")
GOOD = ("the crew was kind", "lovely seat and food", "quick and friendly help", "great flight, thank you")
LATE = ("my bag is lost", "the plane was late again", "they cancelled my flight", "nobody kept the promise")
DIRTY = ("the seat was dirty", "old broken screen", "the cabin smells bad", "cold food in a torn box")
TEXTS = (*GOOD, *LATE, *DIRTY)
SENTIMENT, PRESENCE = HEADS.index("sentiment:neg"), HEADS.index("presence:reliability")


def small_tokenizer(architecture: str):
    from tokenizers import Tokenizer, models, pre_tokenizers

    start, separator, padding = ("<s>", "</s>", "<pad>") if architecture == "roberta" else ("[CLS]", "[SEP]", "[PAD]")
    cut = pre_tokenizers.BertPreTokenizer()
    words = sorted({word for text in TEXTS for word, _ in cut.pre_tokenize_str(text)})
    letters = sorted({letter for word in words for letter in word})
    special = ["[UNK]", padding, start, separator, "[MASK]"]
    # Not trained: the library's trainer orders equal pieces by chance, and no two runs of a test would be alike.
    pieces = dict.fromkeys([*special, *letters, *(f"##{x}" for x in letters), *words])
    tokenizer = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = cut
    tokenizer.add_special_tokens(special)
    return tokenizer


def small_network(architecture: str, *, vocabulary: int, shaken: bool = True):
    """shaken: with no weight left at 0 or 1, as after training; a fresh network has many equal parameters."""
    import torch
    import transformers

    from gapnlp.retraining.network import Network

    torch.manual_seed(0)
    size = {"vocab_size": vocabulary, "pad_token_id": 1, "max_position_embeddings": 160}
    if architecture == "distilbert":
        config = transformers.DistilBertConfig(**size, dim=32, n_layers=3, n_heads=4, hidden_dim=48)
    else:
        kind = transformers.BertConfig if architecture == "bert" else transformers.RobertaConfig
        types = 1 if architecture == "roberta" else 2
        layers = {"num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 48}
        config = kind(**size, hidden_size=32, **layers, type_vocab_size=types, layer_norm_eps=1e-6)
    network = Network(transformers.AutoModel.from_config(config, attn_implementation="eager")).eval()
    if shaken:
        with torch.no_grad():
            for parameter in network.parameters():
                parameter += 0.1 * torch.randn_like(parameter)
    return network


def write_encoder_bundle(models: Path, architecture: str = "bert", *, quantised: bool = True) -> BundleInfo:
    from gapnlp.retraining.onnx_export import export_network

    tokenizer = small_tokenizer(architecture)
    network = small_network(architecture, vocabulary=tokenizer.get_vocab_size())
    contents = {
        "encoder.onnx": export_network(network, quantised=quantised),
        "tokenizer.json": tokenizer.to_str().encode(),
    }
    return write_files(models / f"encoder-{architecture}", contents)


def write_files(folder: Path, contents: dict[str, bytes], *, kind: str = "transformer") -> BundleInfo:
    folder.mkdir(parents=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    return BundleInfo(folder.name, kind, "en", "1.0.0", "Apache-2.0", None, digests, folder, quality="accurate")


def small_tickets(count: int = 60, *, replay: bool = True) -> FineTuneData:
    """Tickets of one or two segments: a good, a late or a dirty one, told by sentiment and by two presences."""
    documents, targets = [], np.full((count, len(HEADS)), -1, dtype=np.int8)
    for i in range(count):
        kind = i % 3
        texts = (GOOD, LATE, DIRTY)[kind]
        documents.append([texts[i // 3 % 4], texts[(i // 3 + 1) % 4]][: 1 + i % 2])
        targets[i, SENTIMENT : SENTIMENT + 4] = np.eye(4)[2 if kind == 0 else 0]
        targets[i, PRESENCE], targets[i, PRESENCE + 4] = kind == 1, kind == 2
    lengths = np.asarray([len(d) for d in documents], dtype=np.intp)
    order = np.arange(count, dtype=np.intp)
    folds = (order // 3 + order // 12) % 2  # every text occurs in both
    return FineTuneData(documents, lengths, targets, folds, [list(TEXTS[:6]), list(TEXTS[6:])] if replay else [])


def add_encoder(models: Path, architecture: str = "bert") -> BundleInfo:
    """Put an accurate English bundle beside a models folder's fast one: its encoder is random and changes no answer."""
    base = choose_bundle(read_manifest(models), "en")
    contents = read_verified(base)
    card, linear = json.loads(contents["card.json"]), load(contents["weights.safetensors"])
    heads = len(HEADS)
    tensors = {
        "centre": np.zeros(heads),
        "scale": np.ones(heads),
        "second": np.hstack([linear["second"], np.zeros((heads, heads))]),
        "second_bias": linear["second_bias"],
    }
    card |= {"name": "encoder-en", "kind": "transformer", "base_version": base.version, "doubt": 0.5}
    source = write_encoder_bundle(models / "made", architecture)
    files = {**read_verified(source), "card.json": json.dumps(card).encode(), "weights.safetensors": save(tensors)}
    shutil.rmtree(models / "made")
    info = write_files(models / "encoder-en", files)
    lines = ["[[bundle]]", 'name = "encoder-en"', 'kind = "transformer"', 'language = "en"', 'quality = "accurate"']
    lines += [f'base = "{base.name}"', 'release = "1.0.0"', 'licence = "none"', "headline = 0.5", "[bundle.files]"]
    lines += [f'"{name}" = "{digest}"' for name, digest in info.files.items()]
    with (models / "manifest.toml").open("a", encoding="utf-8") as manifest:
        manifest.write("\n" + "\n".join(lines) + "\n")
    return next(b for b in read_manifest(models) if b.name == "encoder-en")
