"""Bundles on disk: what is refused, and that the message says what, where and what to do."""

from __future__ import annotations

import hashlib
import json
import pickle
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load, save

from gapnlp.classifier.bundle import (
    FORMAT,
    BundleInfo,
    choose_bundle,
    default_models_folder,
    read_manifest,
    read_verified,
)
from gapnlp.classifier.loaders import load_bundle
from gapnlp.classifier.states import MANIFEST
from gapnlp.errors import InputError, ModelError


def sign(models: Path) -> None:
    """Write the files' new sha256 into the manifest, as whoever rebuilt the bundle would."""
    manifest = models / MANIFEST
    text = manifest.read_text(encoding="utf-8")
    for info in read_manifest(models):
        for name, old in info.files.items():
            text = text.replace(old, hashlib.sha256((info.folder / name).read_bytes()).hexdigest())
    manifest.write_text(text, encoding="utf-8")


def load_first(models: Path) -> None:
    load_bundle(read_manifest(models)[0])


def replace_in_manifest(models: Path, old: str, new: str) -> None:
    text = (models / MANIFEST).read_text(encoding="utf-8")
    assert old in text
    (models / MANIFEST).write_text(text.replace(old, new, 1), encoding="utf-8")


def change_card(models: Path, **fields) -> None:
    path = models / "linear-en" / "card.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **fields}), encoding="utf-8")
    sign(models)


def test_the_shipped_bundles_are_as_built():
    for info in read_manifest():
        assert set(info.files) == {p.name for p in info.folder.iterdir()}
        assert read_verified(info)
        assert (info.headline is None) == (info.kind == "promises")  # whose figures are per case: docs/promises.md
        assert re.fullmatch(rf"{info.name}-{info.release}\+[0-9a-f]{{10}}", info.version)


def test_the_default_folder_holds_the_shipped_bundles():
    assert (default_models_folder() / MANIFEST).is_file()


def test_the_version_changes_with_any_file(changed_models):
    before = read_manifest(changed_models)[0].version
    change_card(changed_models, note="another")
    assert read_manifest(changed_models)[0].version != before


@pytest.mark.parametrize("name", ["card.json", "vocabulary.json", "weights.safetensors", "CARD.md"])
def test_one_changed_byte_is_refused(changed_models, name):
    path = changed_models / "linear-en" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(ModelError, match=rf"{re.escape(name)}: was changed after .* reinstall or rebuild"):
        load_first(changed_models)


def test_a_missing_file_is_named(changed_models):
    (changed_models / "linear-en" / "weights.safetensors").unlink()
    with pytest.raises(ModelError, match=r"weights\.safetensors: cannot be read .* reinstall"):
        load_first(changed_models)


def test_the_other_bundles_still_load(changed_models):
    (changed_models / "linear-en" / "card.json").unlink()
    assert load_bundle(choose_bundle(read_manifest(changed_models), "pl")).language == "pl"


@pytest.mark.parametrize(
    "name", ["../card.json", "/etc/card.json", "..", "a/b.json", "", ".hidden.json", "a\\\\b.json"]
)
def test_path_like_file_names_are_refused(changed_models, name):
    replace_in_manifest(changed_models, '"card.json" =', f'"{name}" =')
    with pytest.raises(ModelError, match="is not a plain name; the manifest is refused"):
        read_manifest(changed_models)


@pytest.mark.parametrize("name", ["../models", "/tmp", "..", "a/b"])
def test_path_like_bundle_names_are_refused(changed_models, name):
    replace_in_manifest(changed_models, 'name = "linear-en"', f'name = "{name}"')
    with pytest.raises(ModelError, match="is not a plain name"):
        read_manifest(changed_models)


@pytest.mark.parametrize("name", ["weights.pkl", "weights.pickle", "model.joblib", "model.pt", "run.py", "weights.npy"])
def test_files_that_could_run_code_are_refused(changed_models, name):
    content = pickle.dumps({"first": 1})
    (changed_models / "linear-en" / name).write_bytes(content)
    sha = hashlib.sha256(content).hexdigest()
    replace_in_manifest(changed_models, '"card.json" =', f'"{name}" = "{sha}"\n"card.json" =')
    with pytest.raises(ModelError, match=re.escape(name)):
        read_manifest(changed_models)


def test_a_file_that_is_not_listed_is_not_read(changed_models):
    (changed_models / "linear-en" / "extra.pkl").write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
    assert "extra.pkl" not in read_verified(read_manifest(changed_models)[0])
    load_first(changed_models)


def test_an_unknown_kind_says_upgrade(changed_models):
    replace_in_manifest(changed_models, 'kind = "linear"', 'kind = "quantum"')
    with pytest.raises(ModelError, match="'quantum' is unknown .* upgrade gapnlp"):
        load_first(changed_models)


def test_another_format_is_refused(changed_models):
    change_card(changed_models, format=99)
    with pytest.raises(ModelError, match=rf"linear-en: not a bundle of format {FORMAT} \(format 99"):
        load_first(changed_models)


def test_other_labels_are_refused(changed_models):
    change_card(changed_models, labels=["gap:delivery"])
    with pytest.raises(ModelError, match=f"not a bundle of format {FORMAT} .*1 labels"):
        load_first(changed_models)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("card.json", b"{"),
        ("card.json", b"[]"),
        ("card.json", b"\xff\xfe{}"),
        ("vocabulary.json", b"[]"),
        ("vocabulary.json", b'{"a": 1}'),
        ("vocabulary.json", b'[["a"], ["b"]]'),
        ("weights.safetensors", b""),
        ("weights.safetensors", b"\x08\x00\x00\x00\x00\x00\x00\x00{broken}"),
        ("weights.safetensors", pickle.dumps([1, 2, 3])),
    ],
)
def test_broken_content_is_a_model_error(changed_models, name, content):
    (changed_models / "linear-en" / name).write_bytes(content)
    sign(changed_models)
    with pytest.raises(ModelError, match=rf"linear-en: not a bundle of format {FORMAT} .* rebuild it"):
        load_first(changed_models)


def test_weights_that_do_not_fit_the_vocabulary_are_refused(changed_models):
    path = changed_models / "linear-en" / "weights.safetensors"
    tensors = load(path.read_bytes())
    path.write_bytes(save({**tensors, "first": np.ascontiguousarray(tensors["first"][:, :-1])}))
    sign(changed_models)
    with pytest.raises(ModelError, match=f"not a bundle of format {FORMAT}"):
        load_first(changed_models)


@pytest.mark.parametrize(
    "content",
    ["[[bundle]\n", "", "bundle = 3", '[[bundle]]\nname = "x"', "[[bundle]]\nname = 3\nfiles = {}", "bundle = [7]"],
)
def test_a_broken_manifest_is_a_model_error(changed_models, content):
    (changed_models / MANIFEST).write_text(content, encoding="utf-8")
    with pytest.raises(ModelError, match=r"manifest\.toml: "):
        read_manifest(changed_models)


def test_a_manifest_that_is_not_utf8_is_a_model_error(changed_models):
    (changed_models / MANIFEST).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelError, match="not a manifest of bundles"):
        read_manifest(changed_models)


def test_a_folder_without_manifest_says_how_to_name_one(tmp_path):
    with pytest.raises(ModelError, match="there is no manifest; pass --models"):
        read_manifest(tmp_path)


def test_a_file_in_place_of_the_folder_is_a_model_error(tmp_path):
    (tmp_path / "models").write_text("x")
    with pytest.raises(ModelError, match="check --models|there is no manifest"):
        read_manifest(tmp_path / "models")


def test_a_language_without_a_bundle_names_those_there_are(changed_models):
    with pytest.raises(InputError, match="'de'; there are bundles for: en, pl, zh"):
        choose_bundle(read_manifest(changed_models), "de")


def test_the_first_bundle_of_a_language_is_its_default(changed_models):
    shutil.copytree(changed_models / "linear-en", changed_models / "another-en")
    first, *rest = (changed_models / MANIFEST).read_text(encoding="utf-8").split("[[bundle]]")
    copy = rest[0].replace('name = "linear-en"', 'name = "another-en"')
    (changed_models / MANIFEST).write_text("[[bundle]]".join([first, copy, *rest]), encoding="utf-8")
    found: BundleInfo = choose_bundle(read_manifest(changed_models), "en")
    assert found.name == "another-en"
