"""What a models folder may say and still not be used: refused in plain words, and never by a stack trace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gapnlp.classifier.bundle import choose_bundle, read_manifest
from gapnlp.classifier.states import MANIFEST, kept_state
from gapnlp.errors import Conflict, InputError, ModelError
from gapnlp.retraining import registry
from gapnlp.retraining.model_figures import read_figures
from gapnlp.retraining.registry import add_candidate, candidates, history, open_registry, promote, rollback
from gapnlp.scoring.loading import load
from tests.retraining.registry_samples import BAD, candidate_of

FIRST = "[[bundle]]"


@pytest.fixture
def models(tmp_path: Path, tiny_models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh registry; its "shipped" bundles are the small ones."""
    monkeypatch.setattr(registry, "default_models_folder", lambda: tiny_models)
    folder = tmp_path / "own"
    open_registry(folder)
    return folder


def edit(models: Path, old: str, new: str) -> None:
    text = (models / MANIFEST).read_text(encoding="utf-8")
    assert old in text
    (models / MANIFEST).write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[bundle.files]", 'files = ["card.json"]\n[bundle.other]'),
        ('"card.json" = "', '"card.json" = 5 # "'),
        ('"card.json" = "', '"card.json" = "12 34'),
        ('language = "en"', "language = 7"),
        ("headline = ", 'headline = "<b>" # '),
        ('release = "', 'release = "[/red]<b>'),
        ('licence = "', "licence = 5 # "),
        (FIRST, "deep = " + "[" * 50_000 + "]" * 50_000 + "\n" + FIRST),
        (FIRST, "long = " + "9" * 5_000 + "\n" + FIRST),
    ],
)
def test_a_manifest_of_the_wrong_kind_is_refused_wherever_it_is_read(models, old, new):
    added = candidate_of(models, "2.0.0")
    edit(models, old, new)
    kept_state(models)
    for use in (read_manifest, load, rollback, lambda m: promote(m, added.version)):
        with pytest.raises(ModelError):
            use(models)


def test_a_bundle_that_is_listed_twice_is_refused(models):
    text = (models / MANIFEST).read_text(encoding="utf-8")
    (models / MANIFEST).write_text(f"{text}\n{FIRST}{text.split(FIRST)[1]}", encoding="utf-8")
    with pytest.raises(ModelError, match="more than once"):
        load(models)


@pytest.mark.parametrize("key", ["previous", "after", "state"])
def test_a_state_that_is_no_number_is_refused(models, key):
    candidate_of(models, "2.0.0")
    promote(models, "linear-en")
    text = (models / MANIFEST).read_text(encoding="utf-8")
    number = next(line for line in text.splitlines() if line.startswith(f"{key} = "))
    edit(models, number, f'{key} = "../../elsewhere"')
    for use in (rollback, history):
        with pytest.raises(ModelError, match=f"under '{key}'"):
            use(models)


@pytest.mark.parametrize("verdict", ['{"promote": true, "reasons": 5}', '{"reasons": [1]}', "[1]", "[" * 100_000])
def test_a_verdict_that_says_nothing_readable_is_refused(models, verdict):
    candidate_of(models, "2.0.0", verdict=BAD)
    (path,) = (models / "candidates").glob("*.json")
    path.write_text(verdict, encoding="utf-8")
    for use in (candidates, lambda m: promote(m, "linear-en", force=True)):
        with pytest.raises(ModelError, match="not a candidate with its verdict"):
            use(models)


def test_a_card_that_is_no_card_is_refused(models):
    info = candidate_of(models, "2.0.0")
    contents = {name: (info.folder / name).read_bytes() for name in info.files if name != "card.json"}
    card = {**json.loads((info.folder / "card.json").read_bytes()), "release": "3.0.0"}
    colours = add_candidate(models, card, contents | {"CARD.md": "\x1b]0;x\x07a\tb\n\x9b31m".encode()}, BAD)
    assert read_figures(models, colours.version).page == "]0;xa\tb\n31m"


def test_a_link_under_a_drafts_name_is_removed_and_not_followed(models, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "kept.txt").write_text("kept", encoding="utf-8")
    (models / ".draft-link").symlink_to(tmp_path / "outside")
    open_registry(models)
    assert not (models / ".draft-link").is_symlink()
    assert (tmp_path / "outside" / "kept.txt").exists()


def test_the_shipped_folder_is_not_made_one_of_the_users_own(tiny_models, models):
    before = sorted(p.name for p in tiny_models.iterdir())
    for use in (open_registry, rollback, lambda m: promote(m, "linear-en")):
        with pytest.raises(InputError, match="holds the shipped models"):
            use(tiny_models)
    assert sorted(p.name for p in tiny_models.iterdir()) == before


def test_what_was_compared_with_others_than_those_that_serve_is_not_promoted(models):
    compared = [choose_bundle(read_manifest(models), "en").version]
    late = candidate_of(models, "2.0.0")
    sooner = promote(models, candidate_of(models, "3.0.0").version, compared=compared)
    with pytest.raises(Conflict, match="was not compared with what serves now"):
        promote(models, late.version, compared=compared)
    assert choose_bundle(read_manifest(models), "en").version == sooner.version
    assert promote(models, sooner.version, compared=compared).version == sooner.version  # it serves already
    rollback(models)
    assert promote(models, late.version, compared=compared).version == late.version
