"""`gapnlp models`: list, show, compare, promote, rollback, export."""

from __future__ import annotations

import csv
import json
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from gapnlp.classifier.bundle import choose_bundle, read_manifest
from gapnlp.cli import screen
from gapnlp.cli.main import main
from gapnlp.records.labels import LABELS, Labels
from gapnlp.records.review import ReviewSegment, ReviewTask
from gapnlp.retraining import registry
from gapnlp.retraining.registry import open_registry
from gapnlp.retraining.review_files import write_review
from tests.retraining.registry_samples import BAD, candidate_of


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command; gives what it printed. Fails when it ends with another code than is expected."""
    monkeypatch.setattr(screen, "OUTPUT", Console(width=200))

    def call(*arguments: object, code: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["gapnlp", "models", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
        shown = capsys.readouterr()
        assert stopped.value.code == code, shown.err
        return " ".join((shown.out if code == 0 else shown.err).split())

    return call


@pytest.fixture
def models(tmp_path: Path, tiny_models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(registry, "default_models_folder", lambda: tiny_models)
    folder = tmp_path / "own"
    open_registry(folder)
    return folder


def english(models: Path) -> str:
    return choose_bundle(read_manifest(models), "en").version


def test_candidates_are_listed_with_what_the_gate_said(run, models):
    good, bad = candidate_of(models, "2.0.0"), candidate_of(models, "3.0.0", verdict=BAD)
    told = run("list", "--models", models)
    assert f"{good.version} candidate, gate for it" in told
    assert f"{bad.version} candidate, gate against it" in told
    rows = json.loads(run("--json", "--models", models))
    assert [r["status"] for r in rows] == ["serves"] * 3 + ["candidate, gate against it", "candidate, gate for it"]
    run("promote", good.version, "--models", models)
    rows = json.loads(run("list", "--json", "--models", models))
    assert [r["version"] for r in rows if r["status"] == "serves"][0] == good.version
    assert len(rows) == 4


def test_promote_and_roll_back(run, models):
    before, added = english(models), candidate_of(models, "2.0.0")
    told = run("promote", "linear-en", "--models", models)
    assert f"{added.version} serves now; gapnlp models rollback --models {models} goes back" in told
    assert english(models) == added.version
    assert before in run("rollback", "--models", models)
    assert english(models) == before
    assert "no state before" in run("rollback", "--models", models, code=2)
    told = run("list", "--history", "--models", models)
    assert f"promote {added.version}" in told and "rollback 1" in told
    assert len(json.loads(run("list", "--history", "--json", "--models", models))) == 3


def test_the_folder_of_train_is_the_default(run, models, monkeypatch):
    candidate_of(models, "2.0.0")
    models.rename(models.parent / "gapnlp-models")
    monkeypatch.chdir(models.parent)
    run("promote", "linear-en")
    assert choose_bundle(read_manifest(Path("gapnlp-models")), "en").release == "2.0.0"


def test_the_gate_is_obeyed_unless_forced(run, models):
    candidate_of(models, "2.0.0", verdict=BAD)
    assert "--force" in run("promote", "linear-en", "--models", models, code=2)
    run("promote", "linear-en", "--force", "--models", models)
    assert "Promoted by force" in run("show", "linear-en", "--models", models)


def test_a_folder_without_models_is_not_made_one(run, tmp_path):
    assert "there is no manifest" in run("promote", "x", "--models", tmp_path / "none", code=3)
    assert not (tmp_path / "none").exists()


def test_show_prints_the_card_and_the_verdict(run, models):
    added = candidate_of(models, "2.0.0", verdict=BAD)
    told = run("show", added.version, "--models", models)
    assert (added.folder / "CARD.md").read_text(encoding="utf-8").split()[1] in told
    assert "Gate: no better on the held-out tickets" in told
    content = json.loads(run("show", added.version, "--json", "--models", models))
    assert (content["version"], content["card"]["release"], content["verdict"]) == (added.version, "2.0.0", BAD)
    assert "no such bundle" in run("show", "nothing", "--models", models, code=2)


def test_compare_puts_figures_side_by_side(run, models):
    card = json.loads((models / "linear-en" / "card.json").read_bytes())
    better = {**card["metrics"], "headline": card["metrics"]["headline"] + 0.125}
    verdict = {"promote": True, "reasons": [], "macro": {"current": 0.5, "new": 0.75}}
    added = candidate_of(models, "2.0.0", metrics=better, verdict=verdict)
    told = json.loads(run("compare", "linear-en", added.version, "--json", "--models", models))
    assert told["versions"] == [english(models), added.version]
    old, new = told["figures"]["headline"]
    assert new - old == pytest.approx(0.125)
    assert told["figures"]["gate.macro.new"] == [None, 0.75]
    assert "+0.125" in run("compare", "linear-en", added.version, "--models", models)


def test_names_that_look_like_markup_are_shown_as_they_are(run, models):
    added = candidate_of(models, "2.0.0", metrics={"[/red]": 0.5})
    assert "[/red]" in run("compare", "linear-en", added.version, "--models", models)
    run("promote", added.version, "--models", models)
    state = (models / "manifest.toml").read_text(encoding="utf-8")
    marked = state.replace('action = "promote"', 'action = "[/red]"')
    (models / "manifest.toml").write_text(marked, encoding="utf-8")
    (models / "releases" / "0002.toml").write_text(marked, encoding="utf-8")
    assert "[/red]" in run("list", "--history", "--models", models)


@pytest.fixture
def tickets(tmp_path: Path) -> Path:
    """Tickets as `gapnlp review` gives them out, filled in: 40 of two kinds."""
    kinds = (
        ("The parcel came {} days late.", {"sentiment": "neg", "dimensions": "reliability:neg", "gaps": "delivery"}),
        ("They replied within {} minutes.", {"sentiment": "pos", "dimensions": "responsiveness:pos"}),
    )
    texts = [kinds[n % 2][0].format(n) for n in range(40)]
    shown = Labels("neu", {}, ())
    tasks = [
        ReviewTask(
            ReviewSegment(f"r{n}", "t.csv", n + 2, 0, 0, len(t), t, "", "", "en", shown, (0.1,) * len(LABELS), "m"),
            "uncertain",
        )
        for n, t in enumerate(texts)
    ]
    (path,) = write_review(tmp_path / "tickets.csv", tasks, "csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(row | kinds[n % 2][1] | {"done": "x"} for n, row in enumerate(rows))
    return path


def test_compare_measures_anew_on_tickets(run, models, tickets, monkeypatch):
    worse = json.loads((models / "linear-en" / "card.json").read_bytes())["thresholds"]
    worse = {**worse, "gaps": dict.fromkeys(worse["gaps"], 1.0), "presence": dict.fromkeys(worse["presence"], 1.0)}
    added = candidate_of(models, "2.0.0", thresholds=worse)
    asked = ["compare", "linear-en", added.version, "--tickets", tickets, "--quality", "fast", "--models", models]
    told = json.loads(run(*asked, "--json"))
    assert told["versions"] == [english(models), added.version]
    assert (told["promote"], told["tickets"], told["left_out_tickets"]) == (False, 40, 0)
    lost = told["labels"]["gap:delivery"]
    assert lost["current"] > 0.9 and lost["new"] == 0
    page = run(*asked)
    assert f"current: {english(models)} new: {added.version}" in page and "| gap:delivery |" in page
    assert "no comparing them" in run(*asked[:2], "linear-pl", *asked[3:], code=2)


def test_compare_reads_tickets_as_train_does(run, models, tmp_path):
    added = candidate_of(models, "2.0.0")
    table, mapping = tmp_path / "own.csv", tmp_path / "mapping.toml"
    kinds = (("The parcel came {} days late.", "bad"), ("They replied within {} minutes.", "good"))
    rows = [f"{text.format(n)},other,{mood}" for n in range(20) for text, mood in kinds]
    table.write_text("\n".join(["words,reason,mood", *rows]) + "\n", encoding="utf-8")
    means = '"bad" = ["sentiment:neg"]\n"good" = ["sentiment:pos"]\n'
    mapping.write_text(f'confirmed = true\njudged = ["sentiment"]\n[labels]\n{means}', encoding="utf-8")
    asked = ["compare", "linear-en", added.version, "--tickets", table, "--mapping", mapping, "--models", models]
    told = json.loads(run(*asked, "--quality", "fast", "--labels", "mood", "--text", "words", "--json"))
    assert told["tickets"] == 40
    refused = run(*asked, "--labels", "reason", "--text", "words", code=2)
    assert "has a label that can be used" in refused and "learnt from" not in refused


def test_a_version_that_once_served_can_still_be_shown(run, models):
    old, added = english(models), candidate_of(models, "2.0.0")
    run("promote", added.version, "--models", models)
    assert json.loads(run("show", old, "--json", "--models", models))["version"] == old


def test_export_hands_the_bundle_over(run, models, tmp_path, monkeypatch):
    given = []
    stand_in = types.ModuleType("gapnlp.retraining.huggingface")
    stand_in.export_huggingface = lambda info, folder: given.append((info.version, folder))
    monkeypatch.setitem(sys.modules, "gapnlp.retraining.huggingface", stand_in)
    run("export", "linear-en", tmp_path / "hf", "--models", models)
    assert given == [(english(models), tmp_path / "hf")]
