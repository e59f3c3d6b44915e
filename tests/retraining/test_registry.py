"""The models folder of the user's own: candidates, promotion, rollback, and what is refused."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from gapnlp.classifier.bundle import BundleInfo, choose_bundle, default_models_folder, read_manifest, read_verified
from gapnlp.classifier.loaders import load_bundle
from gapnlp.classifier.states import MANIFEST, kept_state
from gapnlp.errors import InputError, ModelError
from gapnlp.retraining import registry
from gapnlp.retraining.registry import add_candidate, candidates, history, open_registry, promote, rollback
from gapnlp.scoring.loading import load
from tests.retraining.registry_samples import BAD, GOOD, candidate_of

LANGUAGES = ["en", "pl", "zh"]


@pytest.fixture
def models(tmp_path: Path, tiny_models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh registry; its "shipped" bundles are the small ones."""
    monkeypatch.setattr(registry, "default_models_folder", lambda: tiny_models)
    folder = tmp_path / "own"
    open_registry(folder)
    return folder


def versions(models: Path) -> list[str]:
    return [b.version for b in read_manifest(models)]


def english(models: Path) -> BundleInfo:
    return choose_bundle(read_manifest(models), "en")


def rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def sign(manifest: Path, info: BundleInfo) -> None:
    """Write the files' new sha256 into a manifest, as somebody who is up to no good would."""
    for name, old in info.files.items():
        rewrite(manifest, old, hashlib.sha256((info.folder / name).read_bytes()).hexdigest())


def listing(models: Path) -> Path:
    """The manifest of the only candidate."""
    (path,) = (models / "candidates").glob("*.toml")
    return path


def test_a_new_folder_holds_the_shipped_bundles_and_scores(models, tiny_models):
    assert versions(models) == versions(tiny_models)
    assert [load_bundle(b).language for b in read_manifest(models)] == LANGUAGES
    assert [(s.number, s.action, s.previous) for s in history(models)] == [(1, "open", None)]
    same = (models / "linear-en" / "card.json").stat()
    assert same.st_ino == (tiny_models / "linear-en" / "card.json").stat().st_ino  # no disk space is taken again


def test_the_really_shipped_bundles_can_be_taken(tmp_path):
    open_registry(tmp_path / "own")
    assert versions(tmp_path / "own") == versions(default_models_folder())


def test_opening_again_changes_nothing(models):
    before = (models / MANIFEST).read_bytes()
    open_registry(models)
    assert (models / MANIFEST).read_bytes() == before
    assert len(history(models)) == 1


def test_a_folder_that_was_copied_keeps_its_bundles(changed_models):
    rewrite(changed_models / MANIFEST, 'name = "linear-zh"', 'name = "linear-zh"\nfolder = "linear-zh"')
    before = versions(changed_models)
    open_registry(changed_models)
    assert versions(changed_models) == before
    assert [s.action for s in history(changed_models)] == ["adopt"]
    assert kept_state(changed_models) == changed_models / "releases" / "0001.toml"


def test_another_bundle_of_a_shipped_name_is_not_taken_for_it(tmp_path, tiny_models, monkeypatch):
    monkeypatch.setattr(registry, "default_models_folder", lambda: tiny_models)
    shutil.copytree(tiny_models / "linear-en", tmp_path / "own" / "linear-en")
    (tmp_path / "own" / "linear-en" / "card.json").write_text("{}")
    with pytest.raises(ModelError, match=r"card\.json: was changed"):
        open_registry(tmp_path / "own")
    assert not (tmp_path / "own" / MANIFEST).exists()


def test_a_candidate_serves_nobody(models):
    before = versions(models)
    added = candidate_of(models, "2.0.0")
    assert versions(models) == before
    (found,) = candidates(models)
    assert (found.info, found.verdict, found.wins) == (added, GOOD, True)
    assert added.folder.name == f"linear-en-{added.digest}"
    assert json.loads((added.folder / "card.json").read_bytes())["release"] == "2.0.0"


def test_the_same_card_and_files_give_the_same_bundle(models):
    first = candidate_of(models, "2.0.0")
    stamps = {p.name: p.stat().st_mtime_ns for p in first.folder.iterdir()}
    again = candidate_of(models, "2.0.0", verdict=BAD)
    assert again == first
    assert {p.name: p.stat().st_mtime_ns for p in first.folder.iterdir()} == stamps
    assert [c.verdict for c in candidates(models)] == [BAD]


def test_promotion_replaces_the_bundle_of_the_same_name_and_no_other(models):
    before = {b.name: b.version for b in read_manifest(models)}
    added = candidate_of(models, "2.0.0")
    live = promote(models, added.version)
    assert (live.version, live.folder) == (added.version, added.folder)
    assert {b.name: b.version for b in read_manifest(models)} == before | {"linear-en": added.version}
    scored = load(models, quality="fast").analyze(["The parcel came 3 days late."])
    assert scored[0].model_version == added.version


def test_a_bundle_of_another_name_is_added(models):
    added = candidate_of(models, "2.0.0", name="other-en")
    promote(models, "other-en")
    assert versions(models)[-1] == added.version and len(versions(models)) == 4


def test_the_latest_candidate_of_a_name_is_taken(models):
    candidate_of(models, "2.0.0")
    latest = candidate_of(models, "3.0.0")
    assert [c.info.release for c in candidates(models)] == ["3.0.0", "2.0.0"]
    assert promote(models, "linear-en").version == latest.version


def test_what_serves_already_is_not_promoted_again(models):
    candidate_of(models, "2.0.0")
    first = promote(models, "linear-en")
    assert promote(models, "linear-en") == first
    assert len(history(models)) == 2


def test_rollback_goes_back_state_by_state(models):
    states = [versions(models)]
    for release in ("2.0.0", "3.0.0"):
        candidate_of(models, release)
        promote(models, "linear-en")
        states.append(versions(models))
    assert [b.version for b in rollback(models)] == states[1]
    assert [b.version for b in rollback(models)] == states[0] == versions(models)
    with pytest.raises(InputError, match="no state before"):
        rollback(models)
    told = [(s.number, s.action, s.previous, s.bundles[0]) for s in history(models)]
    assert [(n, a, p) for n, a, p, _ in told] == [
        (1, "open", None), (2, "promote", 1), (3, "promote", 2), (4, "rollback", 1), (5, "rollback", None),
    ]  # fmt: skip
    assert [v for *_, v in told] == [s[0] for s in (*states, states[1], states[0])]


def test_a_promotion_after_a_rollback_goes_back_to_where_it_came_from(models):
    shipped = versions(models)
    for release in ("2.0.0", "3.0.0"):
        candidate_of(models, release)
    promote(models, candidates(models)[1].info.version)
    rollback(models)
    promote(models, candidates(models)[0].info.version)
    assert [b.version for b in rollback(models)] == shipped


def test_every_state_is_kept_and_can_be_read(models):
    first = versions(models)
    candidate_of(models, "2.0.0")
    promote(models, "linear-en")
    assert versions(models / "releases" / "0001.toml") == first
    assert versions(models / "releases" / "0002.toml") == versions(models)
    old = load(models / "releases" / "0001.toml", quality="fast").analyze(["The parcel came 3 days late."])
    assert old[0].model_version == first[0]


def test_the_kept_state_does_not_change_with_the_folder(models, tiny_models):
    before = kept_state(models)
    candidate_of(models, "2.0.0")
    promote(models, "linear-en")
    assert before == models / "releases" / "0001.toml" != kept_state(models)
    assert kept_state(before) == before
    assert kept_state(tiny_models) == tiny_models  # which keeps no states
    assert kept_state(None) is None


def test_a_manifest_that_was_put_back_by_hand_keeps_the_states(models):
    candidate_of(models, "2.0.0")
    promote(models, "linear-en")
    shutil.copyfile(models / "releases" / "0001.toml", models / MANIFEST)
    assert [s.number for s in history(models)] == [1]
    promote(models, "linear-en")
    assert [(s.number, s.after) for s in history(models)] == [(1, None), (3, 1)]
    assert (models / "releases" / "0002.toml").is_file()


def test_an_edited_manifest_is_kept_as_a_state_of_its_own(models):
    rewrite(models / MANIFEST, 'licence = "', 'licence = "Edited by hand. ')
    candidate_of(models, "2.0.0")
    promote(models, "linear-en")
    assert [s.action for s in history(models)] == ["open", "adopt", "promote"]
    assert rollback(models)[0].licence.startswith("Edited by hand")


# What is refused


def test_the_gate_is_obeyed(models):
    before = (models / MANIFEST).read_bytes()
    added = candidate_of(models, "2.0.0", verdict=BAD)
    with pytest.raises(InputError, match=r"no better on the held-out tickets\. slower\. --force"):
        promote(models, added.version)
    assert (models / MANIFEST).read_bytes() == before


@pytest.mark.parametrize("verdict", [{}, {"promote": "yes"}, {"promote": 1}, {"promote": None}])
def test_only_a_plain_yes_promotes(models, verdict):
    candidate_of(models, "2.0.0", verdict=verdict)
    with pytest.raises(InputError, match="the gate"):
        promote(models, "linear-en")


def test_force_is_written_into_the_card_and_makes_another_version(models):
    added = candidate_of(models, "2.0.0", verdict=BAD)
    forced = promote(models, added.version, force=True)
    assert forced.version != added.version and english(models).version == forced.version
    card = json.loads(read_verified(forced)["card.json"])
    assert card["forced"] == {"against_version": added.version, "reasons": BAD["reasons"]}
    assert "Promoted by force" in read_verified(forced)["CARD.md"].decode()
    rollback(models)
    assert promote(models, forced.version, force=True).version == forced.version  # no third version


def test_force_on_a_good_candidate_changes_nothing(models):
    added = candidate_of(models, "2.0.0")
    assert promote(models, "linear-en", force=True).version == added.version


def test_an_unknown_candidate_is_named_with_those_there_are(models):
    added = candidate_of(models, "2.0.0")
    with pytest.raises(InputError, match=r"nothing: no such candidate in .* there are: ") as refused:
        promote(models, "nothing")
    assert added.version in str(refused.value)


def test_a_folder_that_was_never_opened_is_refused(tmp_path):
    with pytest.raises(ModelError, match="there is no manifest"):
        promote(tmp_path / "none", "linear-en")
    with pytest.raises(ModelError, match="there is no manifest"):
        rollback(tmp_path / "none")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("name", ["card.json", "vocabulary.json", "weights.safetensors", "CARD.md"])
def test_a_changed_byte_is_refused_at_promotion_and_at_loading(models, name):
    added = candidate_of(models, "2.0.0")
    content = bytearray((added.folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (added.folder / name).write_bytes(bytes(content))
    with pytest.raises(ModelError, match=f"{name}: was changed"):
        promote(models, added.version)
    with pytest.raises(ModelError, match=f"{name}: was changed"):
        load_bundle(added)
    assert english(models).release != "2.0.0"


def test_a_state_whose_bundles_were_changed_is_not_gone_back_to(models):
    candidate_of(models, "2.0.0")
    live = promote(models, "linear-en")
    card = models / "linear-en" / "card.json"
    content = card.read_bytes()
    card.unlink()  # a link to a shipped file: that one stays as it is
    card.write_bytes(content + b" ")
    with pytest.raises(ModelError, match="was changed"):
        rollback(models)
    assert english(models).version == live.version


@pytest.mark.parametrize("name", ["weights.pkl", "run.py", "../card.md", "a/b.json", "/etc/x.json", ".x.json", ""])
def test_files_of_other_names_are_never_added(models, name):
    with pytest.raises(ModelError, match="refused"):
        add_candidate(models, {"name": "x", "kind": "linear", "language": "en", "release": "1"}, {name: b""}, GOOD)
    assert not list(models.glob("x*")) and not candidates(models)


@pytest.mark.parametrize("name", ["..", "../x", "/tmp/x", "a/b", ""])
def test_bundles_of_path_like_names_are_never_added(models, name):
    with pytest.raises(ModelError, match="not a plain name"):
        add_candidate(models, {"name": name, "kind": "linear", "language": "en", "release": "1"}, {}, GOOD)


@pytest.mark.parametrize("name", ["weights.safetensors", "vocabulary.json", "CARD.md", "encoder.onnx"])
def test_a_pickle_in_disguise_is_never_added(models, name):
    source = english(models)
    contents = read_verified(source) | {name: pickle.dumps({"first": os.getcwd()})}
    card = {**json.loads(contents.pop("card.json")), "release": "2.0.0"}
    with pytest.raises(ModelError, match=f"{name} is not what its name says"):
        add_candidate(models, card, contents, GOOD)


def test_a_foreign_pickle_is_refused_at_promotion_and_at_loading(models):
    added = candidate_of(models, "2.0.0")
    (added.folder / "weights.safetensors").write_bytes(pickle.dumps([1, 2, 3]))
    sign(listing(models), added)
    with pytest.raises(ModelError, match=r"weights\.safetensors is not what its name says"):
        promote(models, "linear-en")
    with pytest.raises(ModelError, match="not a bundle of format"):
        load_bundle(read_manifest(listing(models))[0])


def test_a_listed_pickle_is_refused_at_promotion_and_at_loading(models):
    added = candidate_of(models, "2.0.0")
    content = pickle.dumps([1])
    (added.folder / "weights.pkl").write_bytes(content)
    sha = hashlib.sha256(content).hexdigest()
    rewrite(listing(models), '"card.json" =', f'"weights.pkl" = "{sha}"\n"card.json" =')
    with pytest.raises(ModelError, match=r"weights\.pkl"):
        promote(models, "linear-en")
    with pytest.raises(ModelError, match=r"weights\.pkl"):
        read_manifest(listing(models))


@pytest.mark.parametrize("path", ["../elsewhere", "/tmp", "..", ".", "a/b", ""])
@pytest.mark.parametrize("key", ["name", "folder"])
def test_a_path_in_the_manifest_is_refused_at_promotion_and_at_loading(models, key, path):
    added = candidate_of(models, "2.0.0")
    value = {"name": added.name, "folder": added.folder.name}[key]
    rewrite(listing(models), f'{key} = "{value}"', f'{key} = "{path}"')
    with pytest.raises(ModelError, match="is not a plain name"):
        promote(models, "linear-en")
    with pytest.raises(ModelError, match="is not a plain name"):
        read_manifest(listing(models))
    shutil.copyfile(listing(models), models / MANIFEST)
    with pytest.raises(ModelError, match="is not a plain name"):
        load(models)


@pytest.mark.parametrize("name", ["../card.json", "/etc/card.json", "a/b.json"])
def test_a_path_among_the_files_is_refused(models, name):
    candidate_of(models, "2.0.0")
    rewrite(listing(models), '"card.json" =', f'"{name}" =')
    with pytest.raises(ModelError, match="is not a plain name"):
        promote(models, "linear-en")


def test_links_are_refused_at_promotion_and_at_loading(models, tmp_path):
    added = candidate_of(models, "2.0.0")
    outside = shutil.move(added.folder / "CARD.md", tmp_path / "CARD.md")
    (added.folder / "CARD.md").symlink_to(outside)
    with pytest.raises(ModelError, match=r"CARD\.md: is a link"):
        promote(models, "linear-en")
    (added.folder / "CARD.md").unlink()
    shutil.move(outside, added.folder / "CARD.md")
    moved = shutil.move(added.folder, tmp_path / "bundle")
    added.folder.symlink_to(moved)
    with pytest.raises(ModelError, match="is a link"):
        promote(models, "linear-en")
    with pytest.raises(ModelError, match="is a link"):
        load_bundle(added)


def test_a_bundle_that_cannot_score_never_serves(models):
    source = english(models)
    contents = read_verified(source)
    card = {**json.loads(contents.pop("card.json")), "release": "2.0.0"}
    tensors = load_tensors(contents["weights.safetensors"])
    broken = {**tensors, "second_bias": np.full_like(tensors["second_bias"], np.nan)}
    add_candidate(models, card, contents | {"weights.safetensors": save_tensors(broken)}, GOOD)
    before = (models / MANIFEST).read_bytes()
    with pytest.raises(ModelError, match="not promoted"):
        promote(models, "linear-en")
    assert (models / MANIFEST).read_bytes() == before
    assert not [p for p in models.rglob("*") if p.name.startswith(".draft")]


def test_a_card_of_another_bundle_is_refused(models):
    added = candidate_of(models, "2.0.0")
    rewrite(listing(models), 'release = "2.0.0"', 'release = "9.9.9"')
    with pytest.raises(ModelError, match="card is of another bundle"):
        promote(models, "linear-en")
    assert added.folder.is_dir()


def test_a_card_that_says_too_little_is_refused(models):
    with pytest.raises(ModelError, match="'kind'"):
        add_candidate(models, {"name": "x", "language": "en", "release": "1"}, {}, GOOD)


def test_promotions_at_the_same_time_wait_for_each_other(models):
    for language in LANGUAGES:
        candidate_of(models, "2.0.0", language=language)
    names = [c.info.version for c in candidates(models)]
    threads = [threading.Thread(target=promote, args=(models, name)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(versions(models)) == sorted(names)
    assert [s.number for s in history(models)] == [1, 2, 3, 4]
