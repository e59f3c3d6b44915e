"""The command line: help, results on the standard output alone, plain messages, exit codes."""

from __future__ import annotations

import gzip
import io
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer
from rich.console import Console

from gapnlp.classifier.bundle import read_manifest
from gapnlp.cli import screen
from gapnlp.cli.main import app, main
from gapnlp.records.labels import LABELS

pytestmark = pytest.mark.usefixtures("shared_cues")

REVIEWS = """review_id,review,date,stars,store
r1,"The parcel came 5 days late, nobody answers the phone.",2025-01-03,1,North
r2,They replied within 4 minutes.,2025-01-04,5,South
r3,,2025-01-05,3,South
r4,"Das Paket kam leider viel zu spät an, niemand hat geantwortet.",2025-01-06,1,North
"""
COMMANDS = (
    "classify",
    "compare",
    "drift",
    "evaluate",
    "keys",
    "labels",
    "models",
    "report",
    "review",
    "score",
    "serve",
    "train",
    "worker",
)
# They have commands below them, which give the examples.
GROUPS = ("keys", "labels", "models")


@dataclass(frozen=True)
class Ran:
    """What a command left: exit code, standard output and error."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    monkeypatch.setattr(screen, "OUTPUT", Console(width=200))

    def call(*arguments: object, stdin: bytes | None = None) -> Ran:
        monkeypatch.setattr(sys, "argv", ["gapnlp", *map(str, arguments)])
        if stdin is not None:
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="ascii"))
        with pytest.raises(SystemExit) as stopped:
            main()
        shown = capsys.readouterr()
        return Ran(stopped.value.code if isinstance(stopped.value.code, int) else 0, shown.out, shown.err)

    return call


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    path = tmp_path / "reviews.csv"
    path.write_text(REVIEWS, encoding="utf-8")
    return path


def options_of(name: str) -> list[str]:
    command = typer.main.get_command(app).commands[name]
    return [option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)]


def test_the_commands_are_these():
    assert sorted(typer.main.get_command(app).commands) == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_mentions_every_option_and_gives_an_example(run, name):
    ran = run(name, "--help")
    assert ran.code == 0
    for option in options_of(name):
        assert not option.startswith("--") or option in ran.out, option
    assert name in GROUPS or "Example" in ran.out


def test_help_lists_commands_and_exit_codes(run):
    ran = run("--help")
    assert ran.code == 0
    assert all(name in ran.out for name in COMMANDS)
    for code in ("0 done", "2 input", "3 models", "4 work file", "130 stopped"):
        assert code in " ".join(re.sub("[│|]", " ", ran.out).split())


def test_without_a_command_help_is_shown(run):
    ran = run()
    assert ran.code == 2
    assert "classify" in ran.out + ran.err


@pytest.mark.parametrize(
    "arguments",
    [["nothing"], ["score"], ["score", "x.csv"], ["score", "x.csv", "--out"], ["models", "--wrong"], ["classify"]]
    + [["score", "x.csv", "--out", "y.csv", "--workers", "0"], ["classify", "x", "--language", "de"]]
    + [["report", "x.csv", "--out", "y", "--period", "day"]],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2_and_says_so_on_the_error_stream(run, arguments):
    ran = run(*arguments)
    assert ran.code == 2
    assert ran.out == ""
    assert "Traceback" not in ran.err
    assert ran.err.strip()


def plain(ran: Ran, code: int, *parts: str) -> None:
    """The command ended with this code and one plain message that holds these parts."""
    assert ran.code == code
    assert ran.out == ""
    assert "Traceback" not in ran.err
    message = ran.err[ran.err.index("error:") :]
    for part in parts:
        assert part in message


def test_score_writes_a_row_for_every_row(run, reviews, tmp_path):
    out = tmp_path / "scored.jsonl"
    ran = run("score", reviews, "--out", out)
    assert ran.code == 0
    assert ran.out == f"{out}\n"
    assert "4 rows read: 2 scored, 1 empty, 1 unsupported" in ran.err
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [r["status"] for r in rows] == ["scored", "scored", "empty", "unsupported"]
    assert [r["rating"] for r in rows[:2]] == [1.0, 5.0]


def test_what_was_recognised_is_shown(run, reviews, tmp_path):
    shown = run("score", reviews, "--out", tmp_path / "x.csv", "--by", "store").err
    for column, role in (
        ("review", "text"),
        ("date", "date"),
        ("stars", "rating"),
        ("review_id", "id"),
        ("store", "group"),
    ):
        assert re.search(rf"^\s*{column}\s+{role}\s", shown, re.MULTILINE), (column, role)


def test_segments_give_a_row_each(run, reviews, tmp_path):
    out = tmp_path / "scored.jsonl"
    assert run("score", reviews, "--segments", "--out", out).code == 0
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert {"segment", "start", "end"} <= set(rows[0])


@pytest.mark.parametrize("name", ["[bold]a[/bold] [b].csv", "a:car:b.csv", "a b.csv", "zażółć.csv"])
def test_the_path_is_printed_as_it_is(run, reviews, tmp_path, name):
    out = tmp_path / name
    assert run("score", reviews, "--out", out).out == f"{out}\n"
    assert out.is_file()


def test_redaction_reaches_the_result(run, tmp_path):
    path = tmp_path / "r.csv"
    path.write_text("review,stars\nWrite to anna.nowak@example.com because nobody answers.,1\n", encoding="utf-8")
    run("score", path, "--redact", "--out", tmp_path / "x.csv")
    assert "anna.nowak" not in (tmp_path / "x.csv").read_text(encoding="utf-8-sig")


def test_a_file_that_is_not_there_is_named(run, tmp_path):
    plain(run("score", tmp_path / "no.csv", "--out", tmp_path / "x.csv"), 2, "no.csv", "check the path")


def test_a_file_of_another_kind_is_named(run, tmp_path):
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    plain(run("score", tmp_path / "a.pdf", "--out", tmp_path / "x.csv"), 2, "a.pdf", ".csv")


def test_a_file_that_is_no_table_is_refused(run, tmp_path):
    (tmp_path / "a.xlsx").write_bytes(b"no workbook")
    plain(run("score", tmp_path / "a.xlsx", "--out", tmp_path / "x.csv"), 2, "a.xlsx")


def test_a_cut_off_archive_is_refused_not_taken_for_ctrl_c(run, tmp_path):
    content = gzip.compress((REVIEWS * 400).encode())
    (tmp_path / "a.csv.gz").write_bytes(content[: len(content) * 2 // 3])
    plain(run("score", tmp_path / "a.csv.gz", "--out", tmp_path / "x.csv"), 2, "a.csv.gz")
    assert not (tmp_path / "x.csv").exists()


def test_unknown_headers_name_the_columns_and_the_options(run, tmp_path):
    (tmp_path / "a.csv").write_text("k1,k2\n7,8\n9,10\n", encoding="utf-8")
    ran = run("score", tmp_path / "a.csv", "--out", tmp_path / "x.csv")
    plain(ran, 2, "a.csv", "k1", "k2", "--text")


def test_an_option_that_names_no_column_is_refused(run, reviews, tmp_path):
    ran = run("score", reviews, "--text", "comment", "--out", tmp_path / "x.csv")
    plain(ran, 2, "reviews.csv", "comment", "review")


def test_a_wrong_ending_is_refused_before_anything_is_read(run, tmp_path):
    plain(run("score", tmp_path / "no.csv", "--out", tmp_path / "x.xlsx"), 2, "x.xlsx", ".csv, .jsonl, .parquet")


def test_an_output_below_a_file_is_refused(run, reviews, tiny_gold):
    plain(run("score", reviews, "--out", reviews / "x.csv"), 2, "the folder cannot be made")
    plain(run("report", reviews, "--out", reviews / "x"), 2, "the folder cannot be made")
    plain(run("evaluate", tiny_gold / "dev.jsonl", "--out", reviews / "x.jsonl"), 2, "the folder cannot be made")


@pytest.mark.parametrize("command", ["score", "report", "classify", "models", "evaluate"])
def test_a_changed_bundle_ends_with_3(run, reviews, tiny_gold, changed_models, tmp_path, command):
    path = changed_models / "linear-en" / "card.json"
    path.write_bytes(path.read_bytes() + b" ")
    arguments = {
        "score": [reviews, "--out", tmp_path / "x.csv"],
        "report": [reviews, "--out", tmp_path / "x"],
        "classify": ["The parcel came late."],
        "models": [],
        "evaluate": [tiny_gold / "dev.jsonl"],
    }[command]
    plain(run(command, *arguments, "--models", changed_models), 3, "card.json: was changed", "reinstall or rebuild")
    assert not (tmp_path / "x.csv").exists()


def test_a_folder_without_models_ends_with_3(run, tmp_path):
    plain(run("models", "--models", tmp_path), 3, "there is no manifest")


@pytest.mark.parametrize("command", ["score", "report"])
def test_a_broken_work_file_ends_with_4(run, reviews, tmp_path, command):
    out = tmp_path / ("x.csv" if command == "score" else "x")
    work = tmp_path / "x.csv.gapnlp-work" if command == "score" else out / "report.gapnlp-work"
    work.parent.mkdir(exist_ok=True)
    work.write_bytes(b"no database " * 100)
    plain(run(command, reviews, "--out", out), 4, "gapnlp-work", "delete it")


def test_no_message_holds_a_customers_text(run, tmp_path):
    secret = "My doctor is Jan Secretny"
    (tmp_path / "a.csv").write_text(f'k1,k2\n"{secret}","{secret}\n', encoding="utf-8")
    (tmp_path / "g.jsonl").write_text(json.dumps({"text": secret, "segments": [{"start": 0}]}), encoding="utf-8")
    for arguments in (["score", tmp_path / "a.csv", "--out", tmp_path / "x.csv"], ["evaluate", tmp_path / "g.jsonl"]):
        ran = run(*arguments)
        assert "Secretny" not in ran.err + ran.out


CLASSIFY = "The site said next-day delivery, it took nine days. Nobody answered the phone."


def test_classify_shows_a_table(run):
    ran = run("classify", CLASSIFY)
    assert ran.code == 0
    assert "en, encoder-en-" in ran.out
    for part in ("segment", "sentiment", "dimensions", "gaps", "Nobody answered the phone."):
        assert part in ran.out


def test_classify_shows_markup_as_text(run):
    assert "[bold]late[/bold]" in run("classify", "It came [bold]late[/bold], five days.").out


def test_classify_json_holds_offsets_and_every_probability(run):
    ran = run("classify", CLASSIFY, "--json")
    assert ran.err == ""
    found = json.loads(ran.out)
    assert found["language"] == "en"
    assert found["model_version"].startswith("encoder-en-")
    assert len(found["segments"]) >= 2
    for segment in found["segments"]:
        assert CLASSIFY[segment["start"] : segment["end"]] == segment["text"]
        assert list(segment["probabilities"]) == list(LABELS)
        assert {"sentiment", "dimensions", "gaps", "expectation", "churn", "causes"} <= set(segment)


@pytest.mark.parametrize(
    ("text", "language"),
    [(CLASSIFY, "en"), ("Paczka przyszła pięć dni po terminie.", "pl"), ("包裹晚了五天才送到。", "zh")],
)
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_a_dash_reads_the_standard_input_as_utf8(run, text, language, bom):
    piped = run("classify", "-", "--json", stdin=bom + text.encode() + b"\n")
    given = run("classify", text, "--json")
    assert json.loads(piped.out)["language"] == language
    assert json.loads(piped.out)["segments"] == json.loads(given.out)["segments"]


def test_input_that_is_not_utf8_is_refused(run):
    plain(run("classify", "-", stdin="zażółć".encode("cp1250")), 2, "not UTF-8")


@pytest.mark.parametrize("text", ["", "  ", "?!"])
def test_a_text_without_words_is_refused(run, text):
    plain(run("classify", text), 2, "holds no word")


def test_another_language_is_refused_unless_one_is_given(run):
    german = "Das Paket kam leider viel zu spät an."
    plain(run("classify", german), 2, "not supported (de)")
    assert json.loads(run("classify", german, "--language", "en", "--json").out)["language"] == "en"


def test_evaluate_prints_figures_and_writes_predictions(run, tiny_gold, tiny_models, tmp_path):
    gold, out = tiny_gold / "dev.jsonl", tmp_path / "new" / "p.jsonl"
    ran = run("evaluate", gold, "--models", tiny_models, "--out", out)
    assert ran.code == 0
    for part in ("headline", "dimensions_polarity", "expectation_unmet", "all (n=108)", "en (n=36)", "pl (n=36)"):
        assert part in ran.out
    expected = [json.loads(line) for line in gold.read_text(encoding="utf-8").splitlines()]
    found = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [(r["id"], r["lang"]) for r in found] == [(r["id"], r["lang"]) for r in expected]
    for mine, theirs in zip(found, expected, strict=True):
        offsets = [[(s["start"], s["end"]) for s in r["segments"]] for r in (mine, theirs)]
        assert offsets[0] == offsets[1]
        assert set(mine["segments"][0]) == set(theirs["segments"][0])
    assert sorted(p.name for p in out.parent.iterdir()) == ["p.jsonl"]


def test_evaluate_agrees_with_the_bundles_cards(run, tiny_gold, tiny_models):
    ran = run("evaluate", tiny_gold / "dev.jsonl", "--models", tiny_models, "--json")
    figures = json.loads(ran.out)
    assert set(figures) == {"all", "en", "pl", "zh"}
    for bundle in read_manifest(tiny_models):
        assert figures[bundle.language]["headline"] == pytest.approx(bundle.headline, abs=1e-4)


def test_evaluate_refuses_what_is_no_gold(run, tmp_path):
    (tmp_path / "empty.jsonl").write_text("\n")
    plain(run("evaluate", tmp_path / "empty.jsonl"), 2, "empty.jsonl: holds no items")
    (tmp_path / "bad.jsonl").write_text("{}\n")
    plain(run("evaluate", tmp_path / "bad.jsonl"), 2, "bad.jsonl, line 1")
    plain(run("evaluate", tmp_path / "none.jsonl"), 2, "none.jsonl")


def test_models_lists_every_bundle(run):
    ran = run("models")
    assert ran.code == 0
    assert ran.err == ""
    for bundle in read_manifest():
        assert bundle.version in ran.out
        assert bundle.headline is None or f"{bundle.headline:.3f}" in ran.out


def test_models_json(run, tiny_models):
    rows = json.loads(run("models", "--json", "--models", tiny_models).out)
    assert [r["language"] for r in rows] == ["en", "pl", "zh"]
    assert [r["version"] for r in rows] == [b.version for b in read_manifest(tiny_models)]
