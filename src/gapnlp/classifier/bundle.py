"""Bundles on disk: found through the manifest, refused when changed, loaded without pickle.

A models folder holds `manifest.toml` and one folder a bundle. The manifest lists each bundle's files with their sha256;
what does not match is refused, and no other file is read.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors

from gapnlp.classifier.base import Classifier
from gapnlp.classifier.decision import Thresholds
from gapnlp.classifier.features import FeatureSpec, restored_vectorizer
from gapnlp.classifier.linear import LinearClassifier, LinearWeights
from gapnlp.errors import InputError, ModelError
from gapnlp.records.error_counts import ErrorCounts, ShareError
from gapnlp.records.labels import LABELS

MANIFEST = "manifest.toml"
FORMAT = 1
# Names become paths, so they are held to letters that cannot leave the models folder.
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# Formats that hold data alone; a pickle can run code when it is loaded.
_SAFE_ENDINGS = (".json", ".md", ".safetensors")


@dataclass(frozen=True, slots=True)
class BundleInfo:
    """What the manifest says of one bundle.

    files: file name -> sha256. headline: on the development set, in [0, 1], None when never measured.
    """

    name: str
    kind: str
    language: str
    release: str
    licence: str
    headline: float | None
    files: Mapping[str, str]
    folder: Path

    @property
    def version(self) -> str:
        """Name, release and the first digits over all files' sha256: what predictions carry."""
        together = "".join(f"{name}{self.files[name]}" for name in sorted(self.files))
        return f"{self.name}-{self.release}+{hashlib.sha256(together.encode()).hexdigest()[:10]}"


def default_models_folder() -> Path:
    """Find the bundles: inside the installed package, or beside src/ in a working copy.

    Raises ModelError when neither is there.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "models", package.parents[1] / "models"):
        if (folder / MANIFEST).is_file():
            return folder
    raise ModelError("no models folder with a manifest.toml was found; reinstall gapnlp or pass --models FOLDER")


def read_manifest(folder: Path | None = None) -> tuple[BundleInfo, ...]:
    """List the bundles of a models folder (default: the shipped one), without reading their weights.

    Raises ModelError when the manifest cannot be read or names a file outside its folder.
    """
    folder = folder or default_models_folder()
    path = folder / MANIFEST
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        return tuple(_info(entry, folder) for entry in content["bundle"])
    except FileNotFoundError:
        raise ModelError(f"{path}: there is no manifest; pass --models a folder that holds one") from None
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); check --models") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: not a manifest of bundles ({error}); rebuild the bundles or reinstall") from None


def _info(entry: Mapping[str, Any], folder: Path) -> BundleInfo:
    for name in (entry["name"], *entry["files"]):
        if not _SAFE_NAME.fullmatch(name):
            raise ModelError(f"{folder / MANIFEST}: {name!r} is not a plain name; the manifest is refused")
    for name in entry["files"]:
        if not name.endswith(_SAFE_ENDINGS):
            allowed = ", ".join(_SAFE_ENDINGS)
            raise ModelError(f"{folder / MANIFEST}: {name!r} is not of a format that bundles hold ({allowed}); refused")
    return BundleInfo(
        name=entry["name"],
        kind=entry["kind"],
        language=entry["language"],
        release=entry["release"],
        licence=entry["licence"],
        headline=entry.get("headline"),
        files=dict(entry["files"]),
        folder=folder / entry["name"],
    )


def choose_bundle(bundles: Sequence[BundleInfo], language: str) -> BundleInfo:
    """Take the first bundle of a language, as the manifest orders them.

    Raises InputError when there is none.
    """
    for bundle in bundles:
        if bundle.language == language:
            return bundle
    known = ", ".join(sorted({b.language for b in bundles}))
    raise InputError(f"no bundle reads the language {language!r}; there are bundles for: {known}")


def read_verified(info: BundleInfo) -> dict[str, bytes]:
    """Read a bundle's files, each checked against the manifest.

    Raises ModelError that names the file which is missing or was changed.
    """
    contents: dict[str, bytes] = {}
    for name, expected in info.files.items():
        path = info.folder / name
        try:
            contents[name] = path.read_bytes()
        except OSError as error:
            raise ModelError(f"{path}: cannot be read ({error.strerror}); reinstall or rebuild the bundle") from None
        if hashlib.sha256(contents[name]).hexdigest() != expected:
            raise ModelError(
                f"{path}: was changed after the bundle was built (sha256 differs from the manifest); "
                "reinstall or rebuild the bundle"
            )
    return contents


def load_bundle(info: BundleInfo) -> Classifier:
    """Load a bundle, checked file by file.

    Raises ModelError when a file is missing, changed, or of a format that this version does not know.
    """
    loader = LOADERS.get(info.kind)
    if loader is None:
        raise ModelError(f"{info.name}: kind {info.kind!r} is unknown to this version of gapnlp; upgrade gapnlp")
    contents = read_verified(info)
    try:
        return loader(info, contents)
    except (LookupError, ValueError, TypeError, AttributeError, SafetensorError) as error:
        raise ModelError(f"{info.folder}: not a bundle of format {FORMAT} ({error}); rebuild it") from None


def _load_linear(info: BundleInfo, contents: Mapping[str, bytes]) -> Classifier:
    card = json.loads(contents["card.json"])
    if card["format"] != FORMAT or tuple(card["labels"]) != LABELS:
        raise ValueError(f"format {card['format']}, {len(card['labels'])} labels")
    tensors = load_tensors(contents["weights.safetensors"])
    vocabulary = json.loads(contents["vocabulary.json"])
    vectorizers = tuple(
        restored_vectorizer(FeatureSpec(**spec), vocabulary[i], tensors[f"idf{i}"])
        for i, spec in enumerate(card["features"])
    )
    weights = LinearWeights(
        first=tensors["first"].astype(np.float32),
        first_bias=tensors["first_bias"],
        centre=tensors["centre"],
        scale=tensors["scale"],
        second=tensors["second"],
        second_bias=tensors["second_bias"],
    )
    if weights.first.shape[1] != sum(len(v.vocabulary) for v in vectorizers):
        raise ValueError(f"{weights.first.shape[1]} weights a head, but another number of n-grams")
    return LinearClassifier(
        language=info.language,
        version=info.version,
        vectorizers=vectorizers,
        weights=weights,
        thresholds=Thresholds(**{**card["thresholds"], "sentiment": tuple(card["thresholds"]["sentiment"])}),
        error_counts={label: ErrorCounts(**counts) for label, counts in card["error_counts"].items()},
        share_errors={label: ShareError(**error) for label, error in card["share_errors"].items()},
    )


LOADERS: dict[str, Callable[[BundleInfo, Mapping[str, bytes]], Classifier]] = {"linear": _load_linear}
