"""From a sample that people labelled to a report that rests on it, as the command line runs it."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

import pytest

from gapnlp import jobs
from gapnlp.errors import InputError
from gapnlp.ingest.columns import ColumnOptions
from gapnlp.ingest.intake import read_feedback
from gapnlp.jobs import Inputs, ReportOptions, make_report, recognise_inputs
from gapnlp.records.analysis import Analysis
from gapnlp.scoring.local import ScorerSettings

pytestmark = pytest.mark.usefixtures("shared_cues")

SENTENCES = (
    "The parcel came # days late. Nobody answers the phone.",
    "They replied within # minutes, thank you!",
    "The clerk at desk # was rude and knew nothing.",
    "Room # is clean and bright, lovely place.",
    "I will never come back, not in # years.",
)
COLUMNS = (
    "item",
    "row",
    "start",
    "end",
    "text",
    "language",
    "model_version",
    "sentiment",
    "dimensions",
    "gaps",
    "done",
)


@pytest.fixture
def inputs(tmp_path: Path, tiny_models: Path) -> Inputs:
    path = tmp_path / "reviews.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["review_id", "review"])
        writer.writerows([f"r{n}", f"{SENTENCES[n % 5].replace('#', str(2 + n))}"] for n in range(90))
    return recognise_inputs([path], ColumnOptions(), scorer=ScorerSettings(tiny_models), workers=1)


def write_audit(inputs: Inputs, path: Path, *, label: bool = True) -> Path:
    """What people say of segments drawn at random: the parcel came late, all else is fine."""
    items = [row for row in read_feedback(inputs.paths, inputs.columns, recognitions=inputs.recognitions)]
    analyses = [a for a in inputs.scorer.make().score(items) if isinstance(a, Analysis)]
    found = random.Random(3).sample([(a, s) for a in analyses for s in a.segments], 60)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for n, (a, s) in enumerate(found):
            late = "late" in s.segment.text
            answer = ("neg", "reliability:neg", "delivery") if late else ("pos", "", "")
            done = "yes" if label and n % 10 else ""
            place = (a.feedback.id, a.feedback.source.row, s.segment.start, s.segment.end, s.segment.text)
            writer.writerow([*place, a.language, a.model_version, *answer, done])
    return path


def report_of(inputs: Inputs, out: Path, audit: Path | None):
    return make_report(inputs, out, options=ReportOptions(audit=audit), on_progress=lambda _: None)


def test_report_rests_on_the_audit_in_every_form(inputs: Inputs, tmp_path: Path) -> None:
    audit = write_audit(inputs, tmp_path / "audit.csv")
    report = report_of(inputs, tmp_path / "out", audit)
    assert report.audit.unmatched == 0
    assert report.audit.waiting > 0
    assert report.audit.segments >= 40
    shares = {share.label: share for share in report.shares}
    assert shares["gap:delivery"].used == shares["dimension:reliability:neg"].used == "audited"
    assert shares["expectation:unmet"].used != "audited"
    true = 18 / report.segments
    assert shares["gap:delivery"].audited.low <= true <= shares["gap:delivery"].audited.high
    plain = json.loads((tmp_path / "out" / "report.json").read_bytes())
    assert plain["audit"]["file"] == "audit.csv"
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert f"audited by {report.audit.segments} statements" in page


def test_interrupted_job_gives_the_same_report(inputs: Inputs, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(jobs, "CHUNK_ROWS", 10)
    monkeypatch.setattr(jobs, "_SNAPSHOT_SECONDS", 0.0)
    monkeypatch.setattr(jobs, "write_report", lambda *_, **__: None)
    audit = write_audit(inputs, tmp_path / "audit.csv")
    whole = report_of(inputs, tmp_path / "whole", audit)
    seen = 0

    def stop(_: int) -> None:
        nonlocal seen
        seen += 1
        if seen == 5:
            raise KeyboardInterrupt

    options = ReportOptions(audit=audit)
    with pytest.raises(KeyboardInterrupt):
        make_report(inputs, tmp_path / "broken", options=options, on_progress=stop)
    assert make_report(inputs, tmp_path / "broken", options=options, on_progress=lambda _: None) == whole


def test_an_audit_of_other_data_or_without_labels_is_refused(inputs: Inputs, tmp_path: Path) -> None:
    empty = write_audit(inputs, tmp_path / "empty.csv", label=False)
    with pytest.raises(InputError, match="no row is labelled yet"):
        report_of(inputs, tmp_path / "out", empty)
    other = tmp_path / "other.csv"
    other.write_text("row,start,end,gaps\n2,0,9999,delivery\n", encoding="utf-8")
    with pytest.raises(InputError, match="none of its 1 labelled segments"):
        report_of(inputs, tmp_path / "out", other)
