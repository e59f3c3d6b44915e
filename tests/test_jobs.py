"""Jobs end to end inside one process: interrupted and resumed as often as one likes, the result is the same."""

from __future__ import annotations

import csv
import dataclasses
import json
import random
import shutil
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from gapnlp import jobs
from gapnlp.errors import InputError, ModelError, StoreError
from gapnlp.ingest.columns import ColumnOptions
from gapnlp.jobs import Inputs, ReportOptions, make_report, recognise_inputs, score_file
from gapnlp.records.feedback import FAILURE_KINDS
from gapnlp.records.report import GapReport, Reference
from gapnlp.scoring.local import ScorerSettings

pytestmark = pytest.mark.usefixtures("shared_cues")

SENTENCES = (
    "The parcel came # days late. Nobody answers the phone.",
    "They replied within # minutes, thank you!",
    "The clerk at desk # was rude and knew nothing.",
    "Room # is clean and bright, lovely place.",
    "I will never come back, not in # years.",
)
GERMAN = "Das Paket kam leider erst nach vielen Tagen an, und niemand hat geantwortet."
ROWS = 63


def write_reviews(path: Path, *, rows: int = ROWS) -> Path:
    """A CSV with rows of every kind: scored, empty, duplicate and unsupported."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["review_id", "review", "date", "stars", "store"])
        for n in range(rows):
            text = SENTENCES[n % len(SENTENCES)].replace("#", str(2 + n % 9))
            text = {11: "", 12: GERMAN, 25: GERMAN, 30: "?!"}.get(n, text)
            number = 3 if n == 40 else n
            writer.writerow([f"r{number}", text, f"2025-{1 + n % 6:02d}-{1 + n % 28:02d}", 1 + n % 5, "NSEW"[n % 4]])
    return path


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    return write_reviews(tmp_path / "reviews.csv")


@pytest.fixture
def inputs(reviews: Path, tiny_models: Path) -> Inputs:
    return recognised(reviews, tiny_models)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "CHUNK_ROWS", 5)
    monkeypatch.setattr(jobs, "_SNAPSHOT_SECONDS", 0.0)


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[GapReport]:
    """Reports that were handed to the renderers, which are left out: they take most of the time."""
    reports: list[GapReport] = []

    def keep(report: GapReport, folder: Path, *, ui: str, ledger: object = None) -> None:
        reports.append(report)

    monkeypatch.setattr(jobs, "write_report", keep)
    return reports


def recognised(path: Path, models: Path, **columns) -> Inputs:
    return recognise_inputs([path], ColumnOptions(**columns), scorer=ScorerSettings(models), workers=1)


def ignore(_: int) -> None:
    """Progress that nobody looks at."""


class Stop(Exception):
    """Stands for Ctrl-C or a crash at some moment."""


def until_done(run, *, seed: int) -> int:
    """Call `run(on_progress)` again and again, stopped at random moments, until it ends; how often it was stopped."""
    rng = random.Random(seed)
    for stops in range(100):
        left = rng.randint(1, 5)

        def on_progress(_: int) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Stop

        try:
            run(on_progress)
            return stops
        except Stop:
            continue
    raise AssertionError("never done: resuming makes no progress")


@pytest.mark.parametrize("segments", [False, True])
@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_score_interrupted_and_resumed_gives_the_same_bytes(inputs, tmp_path, ending, segments):
    whole, broken = tmp_path / f"whole{ending}", tmp_path / f"broken{ending}"
    counts = score_file(inputs, whole, segments=segments, on_progress=ignore)
    resumed = {}

    def run(on_progress) -> None:
        assert not broken.exists()
        resumed.update(score_file(inputs, broken, segments=segments, on_progress=on_progress))

    assert until_done(run, seed=len(ending) + segments) >= 3
    assert broken.read_bytes() == whole.read_bytes()
    assert resumed == counts


@pytest.mark.parametrize("seed", range(3))
def test_report_interrupted_and_resumed_is_the_same(reviews, tiny_models, tmp_path, built, seed):
    inputs = recognised(reviews, tiny_models, by="store")
    options = ReportOptions(period="month")
    make_report(inputs, tmp_path / "whole", options=options, on_progress=ignore)

    def run(on_progress) -> None:
        make_report(inputs, tmp_path / "broken", options=options, on_progress=on_progress)

    assert until_done(run, seed=seed) >= 3
    first, second = built
    assert second == first
    assert repr(dataclasses.asdict(second)) == repr(dataclasses.asdict(first))


@pytest.mark.parametrize("kind", ["score", "report"])
def test_a_resumed_job_does_not_begin_again(inputs, tmp_path, built, kind):
    seen: list[int] = []

    def on_progress(rows: int) -> None:
        seen.append(rows)
        if rows >= 30 and len(seen) < 12:
            raise Stop

    def run() -> None:
        if kind == "score":
            score_file(inputs, tmp_path / "x.csv", on_progress=on_progress)
        else:
            make_report(inputs, tmp_path / "x", options=ReportOptions(), on_progress=on_progress)

    with pytest.raises(Stop):
        run()
    seen.clear()
    seen += [0] * 12
    run()
    # The chunk during which it was stopped is done again, those before it are not. A report keeps what stands in its
    # last snapshot, which is taken less often where it costs more.
    assert seen[12] == 25 if kind == "score" else 0 < seen[12] <= 25
    assert seen[-1] == ROWS


def test_every_row_is_accounted_for(inputs, tmp_path):
    counts = score_file(inputs, tmp_path / "x.jsonl", on_progress=ignore)
    assert counts == {"read": ROWS, "scored": ROWS - 5, "failed": 0, "duplicate": 1, "empty": 2, "unsupported": 2}
    rows = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [r["row"] for r in rows] == list(range(2, ROWS + 2))
    for kind in ("scored", *FAILURE_KINDS):
        assert sum(r["status"] == kind for r in rows) == counts[kind]
    assert all(r["reason"] for r in rows if r["status"] != "scored")


def test_the_report_accounts_for_every_row(inputs, tmp_path, built):
    report = make_report(inputs, tmp_path / "x", options=ReportOptions(), on_progress=ignore)
    intake = report.intake
    assert (intake.read, intake.scored, intake.duplicate, intake.empty, intake.unsupported) == (ROWS, ROWS - 5, 1, 2, 2)
    assert intake.scored + sum(getattr(intake, kind) for kind in FAILURE_KINDS) == intake.read
    assert intake.languages == {"en": ROWS - 5}
    assert intake.unsupported_languages == {"de": 2}
    assert [f.language for f in intake.failures if f.kind == "unsupported"] == ["de", "de"]
    assert [m.language for m in report.models] == ["en"]
    assert built == [report]


def test_segments_rows_hold_the_items_text(inputs, tmp_path):
    score_file(inputs, tmp_path / "items.parquet", on_progress=ignore)
    score_file(inputs, tmp_path / "segments.parquet", segments=True, on_progress=ignore)
    texts = {r["row"]: r["text"] for r in pq.read_table(tmp_path / "items.parquet").to_pylist()}
    rows = [r for r in pq.read_table(tmp_path / "segments.parquet").to_pylist() if r["status"] == "scored"]
    assert len(rows) > ROWS
    for row in rows:
        assert texts[row["row"]][row["start"] : row["end"]] == row["text"]


@pytest.mark.heavy
def test_more_workers_give_the_same_bytes(inputs, tmp_path):
    score_file(inputs, tmp_path / "one.csv", on_progress=ignore)
    two = dataclasses.replace(inputs, workers=2)
    score_file(two, tmp_path / "two.csv", on_progress=ignore)
    assert (tmp_path / "two.csv").read_bytes() == (tmp_path / "one.csv").read_bytes()


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_the_work_file_is_there_while_it_is_needed_and_goes_at_the_end(inputs, tmp_path, built):
    out = tmp_path / "out"

    def stop(rows: int) -> None:
        if rows >= 20:
            raise Stop

    with pytest.raises(Stop):
        score_file(inputs, out / "x.csv", on_progress=stop)
    with pytest.raises(Stop):
        make_report(inputs, out, options=ReportOptions(), on_progress=stop)
    assert {"x.csv.gapnlp-work", "report.gapnlp-work"} <= set(names(out))
    assert "x.csv" not in names(out)
    score_file(inputs, out / "x.csv", on_progress=ignore)
    make_report(inputs, out, options=ReportOptions(), on_progress=ignore)
    assert names(out) == ["x.csv"]


def test_a_failed_writing_leaves_no_half_file_and_can_be_resumed(inputs, tmp_path, monkeypatch):
    out = tmp_path / "out" / "x.csv"

    def fail(results):
        raise Stop

    with monkeypatch.context() as patch:
        patch.setattr(jobs, "item_rows", fail)
        with pytest.raises(Stop):
            score_file(inputs, out, on_progress=ignore)
    assert names(out.parent) == ["x.csv.gapnlp-work"]
    seen: list[int] = []
    score_file(inputs, out, on_progress=seen.append)
    assert seen == [ROWS]  # nothing was scored again
    assert names(out.parent) == ["x.csv"]


def rows_done_again(inputs: Inputs, out: Path) -> int:
    """Rows that a run finds finished when it begins."""
    seen: list[int] = []

    def first(rows: int) -> None:
        seen.append(rows)
        raise Stop

    with pytest.raises(Stop):
        score_file(inputs, out, on_progress=first)
    return seen[0]


def stopped_at(inputs: Inputs, out: Path, rows: int) -> None:
    def stop(done: int) -> None:
        if done > rows:
            raise Stop

    with pytest.raises(Stop):
        score_file(inputs, out, on_progress=stop)


def test_the_same_job_goes_on(inputs, tmp_path):
    stopped_at(inputs, tmp_path / "x.csv", 20)
    assert rows_done_again(inputs, tmp_path / "x.csv") == 20


@pytest.mark.parametrize("change", ["redact", "column", "content", "models"])
def test_anything_else_starts_afresh(inputs, reviews, tiny_models, tmp_path, change):
    stopped_at(inputs, tmp_path / "x.csv", 20)
    if change == "redact":
        other = dataclasses.replace(inputs, scorer=ScorerSettings(tiny_models, redact=True))
    elif change == "column":
        other = recognised(reviews, tiny_models, by="store")
    elif change == "content":
        reviews.write_text(reviews.read_text(encoding="utf-8").replace("rude", "mean"), encoding="utf-8")
        other = recognised(reviews, tiny_models)
    else:
        shutil.copytree(tiny_models, tmp_path / "models")
        manifest = tmp_path / "models" / "manifest.toml"
        manifest.write_text(manifest.read_text(encoding="utf-8").replace('"1.1.0"', '"1.1.1"', 1), encoding="utf-8")
        other = recognised(reviews, tmp_path / "models")
    assert rows_done_again(other, tmp_path / "x.csv") == 0


def test_another_period_starts_a_report_afresh(inputs, tmp_path, built):
    def stop(rows: int) -> None:
        if rows > 20:
            raise Stop

    seen: list[int] = []
    with pytest.raises(Stop):
        make_report(inputs, tmp_path / "x", options=ReportOptions(period="month"), on_progress=stop)
    make_report(inputs, tmp_path / "x", options=ReportOptions(period="week"), on_progress=seen.append)
    assert seen[0] == 0
    (report,) = built
    assert [b.by for b in report.breakdowns] == ["week"]


def test_a_wrong_ending_is_said_before_anything_is_done(inputs, tmp_path):
    with pytest.raises(InputError, match=r"x\.xlsx: results are written as \.csv, \.jsonl, \.parquet"):
        score_file(inputs, tmp_path / "out" / "x.xlsx", on_progress=ignore)
    assert not (tmp_path / "out").exists()


def test_an_output_folder_that_cannot_be_made_is_named(inputs, reviews):
    with pytest.raises(InputError, match="the folder cannot be made"):
        score_file(inputs, reviews / "x.csv", on_progress=ignore)
    with pytest.raises(InputError, match="the folder cannot be made"):
        make_report(inputs, reviews / "x", options=ReportOptions(), on_progress=ignore)


def test_a_broken_work_file_is_refused(inputs, tmp_path):
    (tmp_path / "x.csv.gapnlp-work").write_bytes(b"no database " * 100)
    with pytest.raises(StoreError, match="gapnlp-work"):
        score_file(inputs, tmp_path / "x.csv", on_progress=ignore)


def test_a_missing_models_folder_is_refused(reviews, tmp_path):
    with pytest.raises(ModelError, match="there is no manifest"):
        score_file(recognised(reviews, tmp_path / "none"), tmp_path / "x.csv", on_progress=ignore)


def test_a_bad_table_of_expectations_is_said_before_scoring(inputs, tmp_path, built):
    (tmp_path / "e.csv").write_text("dimension,E,source\nspeed,6,survey\n", encoding="utf-8")
    seen: list[int] = []
    with pytest.raises(InputError, match="speed"):
        options = ReportOptions(expectations=tmp_path / "e.csv")
        make_report(inputs, tmp_path / "x", options=options, on_progress=seen.append)
    assert seen == []


def test_expectations_reach_the_report(inputs, tmp_path, built):
    (tmp_path / "e.csv").write_text("dimension,E,source\nreliability,6.5,survey 2024\n", encoding="utf-8")
    options = ReportOptions(expectations=tmp_path / "e.csv")
    report = make_report(inputs, tmp_path / "x", options=options, on_progress=ignore)
    found = {d.dimension: d.reference for d in report.dimensions}
    assert found["reliability"] == Reference(6.5, "survey 2024")
    assert found["empathy"] is None


def test_a_data_frame_gives_the_figures_of_the_file(reviews, tiny_models, tmp_path, built):
    inputs = recognised(reviews, tiny_models, by="store")
    file = make_report(inputs, tmp_path / "x", options=ReportOptions(period="month"), on_progress=ignore)
    frame = pd.read_csv(reviews)
    made = jobs.report(frame, by="store", period="month", models=tiny_models)
    assert (made.items, made.segments, made.first, made.last) == (file.items, file.segments, file.first, file.last)
    # Values alone: intervals come from a bootstrap seeded by each item's file and id.
    assert [g.raw_share.value for g in made.gaps] == [g.raw_share.value for g in file.gaps]
    assert [d.counts for d in made.dimensions] == [d.counts for d in file.dimensions]
    assert [b.by for b in made.breakdowns] == ["store", "month"]


def test_a_data_frame_without_text_is_refused(tiny_models):
    with pytest.raises(InputError, match="text"):
        jobs.report(pd.DataFrame({"stars": [1, 2], "day": ["2025-01-01", "2025-01-02"]}), models=tiny_models)


def test_several_files_are_one_job(tiny_models, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    write_reviews(folder / "a.csv", rows=8)
    write_reviews(folder / "b.csv", rows=11)
    inputs = recognise_inputs([folder], ColumnOptions(), scorer=ScorerSettings(tiny_models), workers=1)
    counts = score_file(inputs, tmp_path / "x.csv", on_progress=ignore)
    assert counts["read"] == 19
    assert counts["duplicate"] == 8  # the same ids stand in both files


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_half_characters_in_ids_and_groups_do_not_stop_a_job(tiny_models, tmp_path, ending):
    rows = [{"review_id": f"\ud800{n}", "review": "It came late \ud83d.", "store": "\udfff"} for n in range(7)]
    (tmp_path / "r.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="ascii")
    inputs = recognised(tmp_path / "r.jsonl", tiny_models, by="store")
    assert score_file(inputs, tmp_path / f"x{ending}", on_progress=ignore)["scored"] == 7
