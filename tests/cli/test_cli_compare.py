"""`gapnlp compare`: its options, what it prints, and how it ends."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer
from rich.console import Console

from gapnlp import comparison
from gapnlp.classifier.bundle import default_models_folder
from gapnlp.classifier.states import MANIFEST
from gapnlp.cli import screen
from gapnlp.cli.main import app, main
from gapnlp.records.promises import Ledger
from gapnlp.reporting.ledger_json import render_ledger_json

pytestmark = pytest.mark.usefixtures("shared_cues")

COPY = "Every order is delivered within 2 days.\n\nOur phone line is always answered.\n\nLife is a journey.\n"
REVIEWS = "review_id,review,date,store\n" + "".join(
    f"r{n},{text},2025-0{1 + n % 3}-01,{store}\n"
    for n in range(20)
    for text, store in [
        (f"My order was delivered after {6 + n % 5} days.", "North")
        if n % 2
        else ("Nobody answers the phone.", "South")
    ]
)
LISTINGS = "listing_id,kind,description\n" + "".join(
    f'{store},{kind},"Every order is delivered within 2 days."\n'
    for store, kind in (("North", "listing"), ("South", "listing"), ("North", "old"))
)


@dataclass(frozen=True)
class Ran:
    """What a command left: exit code, standard output and error."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    monkeypatch.setattr(screen, "OUTPUT", Console(width=200))

    def write(ledger: Ledger, folder: Path, *, ui: str) -> None:
        (folder / "ledger.json").write_bytes(render_ledger_json(ledger, ui))

    monkeypatch.setattr(comparison, "write_ledger", write)

    def call(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["gapnlp", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.StringIO(""))
        with pytest.raises(SystemExit) as stopped:
            main()
        shown = capsys.readouterr()
        return Ran(stopped.value.code if isinstance(stopped.value.code, int) else 0, shown.out, shown.err)

    return call


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "reviews.csv").write_text(REVIEWS, encoding="utf-8")
    (tmp_path / "copy.md").write_text(COPY, encoding="utf-8")
    (tmp_path / "listings.csv").write_text(LISTINGS, encoding="utf-8")
    return tmp_path


def ledger(folder: Path) -> dict:
    return json.loads((folder / "ledger.json").read_text(encoding="utf-8"))


def refused(ran: Ran, *parts: str, code: int = 2) -> None:
    assert ran.code == code
    assert ran.out == ""
    assert "Traceback" not in ran.err
    for part in parts:
        assert part in ran.err


def test_help_mentions_every_option(run):
    ran = run("compare", "--help")
    assert ran.code == 0
    command = typer.main.get_command(app).commands["compare"]
    options = [o for p in command.params for o in (*p.opts, *p.secondary_opts) if o.startswith("--")]
    assert {"--copy", "--draft", "--entity", "--copy-text", "--where", "--by", "--period", "--ui", "--out"} <= {
        *options
    }
    for option in options:
        assert option in ran.out, option
    assert "Example" in ran.out


def test_copy_against_reviews(run, folder):
    ran = run("compare", folder / "reviews.csv", "--copy", folder / "copy.md", "--out", folder / "out")
    assert ran.code == 0
    assert ran.out.endswith(f"{folder / 'out' / 'ledger.html'}\n")
    assert "2 promises among 3 units of copy; 20 items judged" in ran.err
    for part in ("broken", "Every order is delivered within 2 days.", "Our phone line is always answered."):
        assert part in ran.out
    assert "Life is a journey" not in ran.out
    assert not ledger(folder / "out")["draft"]


def test_a_draft(run, folder):
    ran = run("compare", folder / "reviews.csv", "--draft", folder / "copy.md", "--out", folder / "o")
    assert ran.code == 0
    assert ledger(folder / "o")["draft"]


def test_several_files_of_copy(run, folder):
    (folder / "more.txt").write_text("Refunds are paid within 5 days.\n", encoding="utf-8")
    arguments = ["--copy", folder / "copy.md", "--copy", folder / "more.txt", "--out", folder / "o"]
    assert run("compare", folder / "reviews.csv", *arguments).code == 0
    assert ledger(folder / "o")["copy"] == ["copy.md", "more.txt"]


def test_listings_by_entity(run, folder):
    arguments = [
        "--copy",
        folder / "listings.csv",
        "--by",
        "store",
        "--entity",
        "listing_id",
        "--where",
        "kind=listing",
    ]
    ran = run(
        *("compare", folder / "reviews.csv", *arguments, "--copy-text", "description"),
        *("--out", folder / "o"),
    )
    assert ran.code == 0
    assert {r["entity"]: r["items"] for r in ledger(folder / "o")["entities"]} == {"North": 10, "South": 10}
    assert len(ledger(folder / "o")["units"]) == 2


@pytest.mark.parametrize("where", ["kind", "=listing", ""])
def test_where_is_written_as_column_and_value(run, folder, where):
    ran = run(
        "compare", folder / "reviews.csv", "--copy", folder / "listings.csv", "--where", where, "--out", folder / "o"
    )
    refused(ran, "--where", "COLUMN=VALUE")
    assert not (folder / "o").exists()


@pytest.mark.parametrize("value", ["brand=a", "kind=none"])
def test_where_that_fits_nothing_is_refused(run, folder, value):
    arguments = ["--copy", folder / "listings.csv", "--where", value, "--by", "store", "--out", folder / "o"]
    refused(run("compare", folder / "reviews.csv", *arguments), "listings.csv", value.split("=")[0])


@pytest.mark.parametrize("given", [[], ["--copy", "copy.md", "--draft", "copy.md"]], ids=["none", "both"])
def test_either_copy_or_draft_is_given(run, folder, given):
    arguments = [folder / a if a.endswith(".md") else a for a in given]
    refused(run("compare", folder / "reviews.csv", *arguments, "--out", folder / "o"), "either --copy FILE", "--draft")


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("none.md", None, "none.md"),
        ("empty.md", "", "empty.md: holds no copy"),
        ("picture.png", "x", "picture.png"),
        ("german.md", "Wir liefern jede Bestellung innerhalb von zwei Tagen, ohne Gebühren.", "german.md"),
    ],
)
def test_copy_that_cannot_be_read_ends_with_2(run, folder, name, content, part):
    if content is not None:
        (folder / name).write_text(content, encoding="utf-8")
    ran = run("compare", folder / "reviews.csv", "--copy", folder / name, "--out", folder / "o")
    refused(ran, part)
    assert not (folder / "o").exists()


def test_listings_without_by_are_refused(run, folder):
    arguments = ["--copy", folder / "listings.csv", "--out", folder / "o"]
    refused(run("compare", folder / "reviews.csv", *arguments), "--by")


def test_options_of_listings_need_a_table(run, folder):
    arguments = ["--copy", folder / "copy.md", "--entity", "store", "--out", folder / "o"]
    refused(run("compare", folder / "reviews.csv", *arguments), "--entity")


@pytest.mark.parametrize(
    "arguments", [["compare"], ["compare", "x.csv", "--copy", "y.md"], ["compare", "x.csv", "--out", "o", "--ui", "de"]]
)
def test_wrong_usage_ends_with_2(run, arguments):
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.strip()


def test_models_without_promises_end_with_3(run, folder):
    first, *bundles = (default_models_folder() / MANIFEST).read_text(encoding="utf-8").split("[[bundle]]")
    others = [b for b in bundles if 'name = "promises"' not in b]
    (folder / MANIFEST).write_text("[[bundle]]".join([first, *others]), encoding="utf-8")
    arguments = ["--copy", folder / "copy.md", "--out", folder / "o", "--models", folder]
    refused(run("compare", folder / "reviews.csv", *arguments), "no promise bundle", code=3)


def test_a_broken_work_file_ends_with_4(run, folder):
    (folder / "o").mkdir()
    (folder / "o" / "ledger.gapnlp-work").write_bytes(b"no database " * 100)
    arguments = ["--copy", folder / "copy.md", "--out", folder / "o"]
    refused(run("compare", folder / "reviews.csv", *arguments), "gapnlp-work", "delete it", code=4)


def test_no_message_holds_a_customers_text(run, folder):
    (folder / "secret.csv").write_text('k1,k2\n"My doctor is Jan Secretny","x\n', encoding="utf-8")
    ran = run("compare", folder / "secret.csv", "--copy", folder / "copy.md", "--out", folder / "o")
    assert ran.code == 2
    assert "Secretny" not in ran.err + ran.out
