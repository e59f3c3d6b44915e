"""`gapnlp report` from a file to a folder: everything is written, twice the same, interrupted or not."""

from __future__ import annotations

import json
import random
import re
import sys
from pathlib import Path

import pytest

from gapnlp import jobs
from gapnlp.cli.main import main

pytestmark = pytest.mark.usefixtures("shared_cues")

SENTENCES = (
    "The parcel came # days late. Nobody answers the phone.",
    "Paczka przyszła # dni po terminie, a infolinia milczy.",
    "They replied within # minutes, thank you!",
    "包裹晚了#天才送到，客服一直没人接。",
    "The clerk at desk # was rude and knew nothing.",
    "Room # is clean and bright, lovely place.",
)
ROWS = 60


@pytest.fixture(scope="module")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "reviews.csv"
    lines = ["review_id;review;date;stars;store"]
    for n in range(ROWS):
        text = SENTENCES[n % len(SENTENCES)].replace("#", str(2 + n % 9))
        lines.append(f"r{n};{text};2025-0{1 + n % 6}-{1 + n % 28:02d};{1 + n % 5};{'NS'[n // 2 % 2]}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def report(*arguments: object) -> int:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as stopped:
        patch.setattr(sys, "argv", ["gapnlp", "report", *map(str, arguments)])
        main()
    return stopped.value.code


@pytest.fixture(scope="module")
def made(reviews, tiny_models, tmp_path_factory, shared_cues) -> Path:
    out = tmp_path_factory.mktemp("made")
    assert report(reviews, "--models", tiny_models, "--by", "store", "--period", "month", "--out", out) == 0
    return out


def test_everything_is_written_and_nothing_else(made):
    names = {p.name for p in made.iterdir()}
    assert names == {"report.json", "report.html", "report.xlsx", "plots"}
    assert {p.suffix for p in (made / "plots").iterdir()} == {".svg", ".png"}


def test_the_json_accounts_for_every_row(made):
    plain = json.loads((made / "report.json").read_text(encoding="utf-8"))
    intake = plain["intake"]
    assert intake["read"] == ROWS == intake["scored"]
    assert intake["languages"] == {"en": 40, "pl": 10, "zh": 10}
    assert [b["by"] for b in plain["breakdowns"]] == ["store", "month"]


def test_the_page_is_one_small_file_without_network(made):
    page = (made / "report.html").read_text(encoding="utf-8")
    assert len(page.encode()) < 2_000_000
    assert not re.search(r"""(?:src|href)=["']?https?://""", page)
    assert "Nobody answers the phone." in page


def test_what_is_printed(reviews, tiny_models, tmp_path, capsys):
    assert report(reviews, "--models", tiny_models, "--out", tmp_path / "x") == 0
    shown = capsys.readouterr()
    assert shown.out.splitlines()[-1] == str(tmp_path / "x" / "report.html")
    assert "gaps, share of segments" in shown.out
    for gap in ("customer", "knowledge", "policy", "delivery", "communication"):
        assert gap in shown.out
    assert f"{ROWS} rows read: {ROWS} scored" in shown.err
    assert "rows read" not in shown.out


@pytest.mark.parametrize("ui", ["pl", "zh"])
def test_another_language_of_the_report(reviews, tiny_models, tmp_path, made, ui):
    options = ["--by", "store", "--period", "month", "--ui", ui, "--models", tiny_models]
    assert report(reviews, *options, "--out", tmp_path / "x") == 0
    assert f'lang="{ui}' in (tmp_path / "x" / "report.html").read_text(encoding="utf-8")
    # The figures are the same whatever the language they are shown in.
    assert (tmp_path / "x" / "report.json").read_bytes() == (made / "report.json").read_bytes()


def test_interrupted_at_random_and_run_again_gives_the_same_json(reviews, tiny_models, tmp_path, made, monkeypatch):
    monkeypatch.setattr(jobs, "CHUNK_ROWS", 6)
    monkeypatch.setattr(jobs, "_SNAPSHOT_SECONDS", 0.0)
    add, rng, out = jobs._Tallying.add, random.Random(11), tmp_path / "x"
    stops = 0
    while not (out / "report.json").exists():
        left = rng.randint(1, 4)

        def stop_sometimes(tally, results):
            nonlocal left
            left -= 1
            if left < 0:
                raise KeyboardInterrupt
            add(tally, results)

        monkeypatch.setattr(jobs._Tallying, "add", stop_sometimes)
        code = report(reviews, "--by", "store", "--period", "month", "--models", tiny_models, "--out", out)
        stops += code == 130
        assert code in (0, 130)
        assert stops < 50
    assert stops >= 2
    assert (out / "report.json").read_bytes() == (made / "report.json").read_bytes()
    assert not list(out.glob("*.gapnlp-work*"))
