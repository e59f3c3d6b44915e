"""`gapnlp train` as people run it: a table and a mapping in, a promoted or refused adapter out, plain messages."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from gapnlp.classifier.bundle import choose_adapter, read_manifest
from gapnlp.cli import screen
from gapnlp.cli.main import main
from gapnlp.retraining import method
from gapnlp.retraining.registry import candidates
from gapnlp.retraining.training import evidence, replay
from tests.retraining.training_samples import tickets

pytestmark = pytest.mark.usefixtures("shared_cues")

# A firm's own names; the third says that nothing was judged.
NAMES = {"sentiment:pos": "Happy", "sentiment:neg": "Unhappy", "sentiment:neu": "Neither"}
MAPPING = """confirmed = true
judged = ["sentiment"]

[labels]
"Happy" = ["sentiment:pos"]
"Unhappy" = ["sentiment:neg"]
"Neither" = ["sentiment:neu"]
"Cannot tell" = []
"""


@pytest.fixture(autouse=True)
def steady(monkeypatch):
    """Of a few short texts speed is chance; and little is replayed, to save time."""
    monkeypatch.setattr(evidence, "measure_speeds", lambda *_: (1000.0, 900.0))
    monkeypatch.setattr(replay, "_MOST_ITEMS", 12)


@pytest.fixture
def run(monkeypatch, capsys) -> Callable[..., tuple[int, str, str]]:
    monkeypatch.setattr(screen, "OUTPUT", Console(width=200))

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["gapnlp", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
        shown = capsys.readouterr()
        return int(stopped.value.code or 0), shown.out, " ".join(shown.err.split())

    return call


@pytest.fixture
def models(tiny_models, tmp_path) -> Path:
    return Path(shutil.copytree(tiny_models, tmp_path / "our-models"))


@pytest.fixture
def mapping(tmp_path) -> Path:
    path = tmp_path / "mapping.toml"
    path.write_text(MAPPING, encoding="utf-8")
    return path


def write(path: Path, first: int, last: int, *, wrong: bool = False) -> Path:
    """A table of tickets under the firm's names; wrong: the names by turns, whatever the text says."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["ticket_id", "text", "reason", "language"])
        for n, row in enumerate(tickets(last - first, start=first)):
            (label,) = [NAMES[x] for x, yes in row.given.items() if yes and x in NAMES]
            writer.writerow([row.id, row.text, list(NAMES.values())[n // 3 % 3] if wrong else label, "en"])
    return path


@pytest.fixture
def table(tmp_path) -> Path:
    return write(tmp_path / "tickets.csv", 0, 60)


def served(models: Path) -> str | None:
    info = choose_adapter(read_manifest(models), "en")
    return info.version if info else None


def test_a_winner_is_promoted_and_the_next_command_scores_with_it(run, table, mapping, models):
    asked = ("train", table, "--labels", "reason", "--mapping", mapping, "--models", models, "--quality", "fast")
    code, out, told = run(*asked)
    assert code == 0
    assert out.strip() == served(models)
    assert "en: 60 tickets; heads on the frozen classifier: reading every segment with an encoder makes" in told
    assert "; for the first time" in told
    assert "learnt: sentiment:neg, sentiment:neu, sentiment:pos" in told
    assert "promoted: it serves wherever --models" in told
    assert "gapnlp models rollback" in told
    found = json.loads(run("classify", "My clock is zonked.", "--models", models, "--quality", "fast", "--json")[1])
    assert found["model_version"] == f"{out.strip()}@{read_version(models)}"
    assert found["segments"][0]["sentiment"] == "pos"
    # Run again, it has nothing to do and says the same.
    again, out_again, _ = run(*asked)
    assert (again, out_again) == (0, out)
    code, _, told = run("models", "rollback", "--models", models)
    assert code == 0
    assert served(models) is None


def read_version(models: Path) -> str:
    return next(b.version for b in read_manifest(models) if b.name == "linear-en")


def test_no_promote_keeps_a_candidate_that_promote_lets_serve(run, table, mapping, models):
    code, out, told = run(
        "train", table, "--labels", "reason", "--mapping", mapping, "--models", models, "--no-promote", "--seed", 3
    )
    assert code == 0
    assert served(models) is None
    assert "not promoted: the model before goes on serving; the candidate is kept in" in told
    assert [c.info.version for c in candidates(models)] == [out.strip()]
    assert run("models", "promote", out.strip(), "--models", models)[0] == 0
    assert served(models) == out.strip()


def test_a_loser_is_refused_with_reasons_and_promoted_by_force(run, table, mapping, models, tmp_path):
    asked = ("train", table, "--labels", "reason", "--mapping", mapping, "--models", models, "--quality", "fast")
    test = write(tmp_path / "test.csv", 500, 540, wrong=True)
    code, _, told = run(*asked, "--test", test)
    assert code == 0
    assert served(models) is None
    assert "not promoted: the model before goes on serving" in told
    (refused,) = candidates(models)
    assert all(" ".join(reason.split()) in told for reason in refused.verdict["reasons"])
    assert not refused.verdict["checks"]["better"]
    assert refused.verdict["tickets"] == 40
    code, out, told = run(*asked, "--test", test, "--force")
    assert code == 0
    assert served(models) == out.strip()
    assert "promoted against the gate, by --force: it serves" in told
    shown = json.loads(run("models", "show", out.strip(), "--models", models, "--json")[1])
    assert shown["card"]["forced"]


def test_the_gate_judges_on_the_test_file(run, table, mapping, models, tmp_path):
    test = write(tmp_path / "test.csv", 500, 560)
    code, _, told = run(
        *("train", table, "--labels", "reason", "--mapping", mapping, "--models", models, "--quality", "fast"),
        *("--test", test, "--test", write(tmp_path / "more.csv", 600, 630)),
    )
    assert code == 0
    assert "promoted: it serves" in told
    assert candidates(models)[0].verdict["tickets"] == 90


def plain(ran: tuple[int, str, str], *parts: str, code: int = 2) -> None:
    found, out, told = ran
    assert found == code
    assert out == ""
    assert "Traceback" not in told
    message = told[told.index("rror:") :]
    for part in parts:
        assert part in message


def test_what_cannot_be_trained_on_is_said(run, table, mapping, models, tmp_path):
    asked = ("train", table, "--labels", "reason", "--models", models)
    before = sorted(p.name for p in models.iterdir())
    mapping.write_text(MAPPING.replace("confirmed = true", "confirmed = false"), encoding="utf-8")
    plain(run(*asked, "--mapping", mapping), "mapping.toml", "confirmed = true")
    mapping.write_text(MAPPING.replace("sentiment:pos", "sentiment:good"), encoding="utf-8")
    plain(run(*asked, "--mapping", mapping), "mapping.toml", "Happy", "sentiment:good")
    plain(run(*asked, "--mapping", tmp_path / "none.toml"), "none.toml")
    mapping.write_text(MAPPING, encoding="utf-8")
    plain(run(*asked, "--mapping", mapping, "--force", "--no-promote"), "choose one of them")
    plain(run("train", tmp_path / "no.csv", "--mapping", mapping, "--models", models), "no.csv")
    few = write(tmp_path / "few.csv", 0, 6)
    plain(
        run("train", few, "--labels", "reason", "--mapping", mapping, "--models", models), "nothing can be learnt yet"
    )
    wrong = run(*asked, "--mapping", mapping, "--method", "encoder", "--quality", "fast")
    plain(wrong, "--method encoder", "--quality balanced")
    assert sorted(p.name for p in models.iterdir()) == before


def test_rows_in_other_languages_are_counted(run, table, mapping, models):
    with table.open("a", encoding="utf-8", newline="") as file:
        for n in range(7):
            text = f"Die Lieferung kam {n} Tage zu spät und niemand hat auf meine Fragen geantwortet."
            csv.writer(file).writerow([f"de{n}", text, "Unhappy", "de"])
    code, _, said = run("train", table, "--labels", "reason", "--mapping", mapping, "--models", models)
    assert code == 0 and "7 rows are in none of the languages en, pl, zh and teach nothing" in said
    assert "en: 60 tickets" in said


def test_an_encoder_without_the_extra_names_the_install(run, table, mapping, models, monkeypatch):
    monkeypatch.setattr(method, "_NEEDED", ("no_such_package",))
    plain(
        run("train", table, "--labels", "reason", "--mapping", mapping, "--models", models, "--method", "encoder"),
        "--method encoder needs no_such_package",
        "pip install 'gapnlp[train]'",
        code=5,
    )


def test_rows_that_cannot_be_read_are_counted_and_no_text_is_told(run, table, mapping, models):
    with table.open("a", encoding="utf-8") as file:
        file.write('t900,"My doctor is Jan Secretny",Cannot tell,en\n')
        file.write('t901,"Der Arzt hat mich drei Stunden warten lassen und war unfreundlich.",Unhappy,\n')
    code, out, told = run(
        *("train", table, "--labels", "reason", "--mapping", mapping, "--models", models, "--no-promote"),
        *("--quality", "fast"),
    )
    assert code == 0
    assert "en: 60 tickets" in told
    assert "1 rows cannot be used: tickets.csv, row 62: the mapping ignores its labels" in told
    assert "1 rows are in none of the languages en, pl, zh and teach nothing" in told
    assert "Secretny" not in out + told
    assert "warten" not in out + told
