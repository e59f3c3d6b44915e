"""`gapnlp report --copy`: the promise ledger as a part of the gap report, interrupted or not."""

from __future__ import annotations

import json
import random
import sys

import pytest

from gapnlp import jobs
from gapnlp.cli.main import main

COPY = "# Our word\n\nEvery parcel is delivered within 2 days. Our phone line is answered at any hour.\n"
TEXTS = (
    "The parcel took nine days to arrive.",
    "Nobody ever answers the phone.",
    "Lovely lamp and I am very happy with it.",
    "The parcel came after 8 days and the box was torn.",
)


@pytest.fixture
def run(tmp_path, monkeypatch):
    reviews, copy = tmp_path / "reviews.csv", tmp_path / "landing.md"
    rows = [f"r{n},{TEXTS[n % 4]}" for n in range(24)]
    reviews.write_text("\n".join(["review_id,review", *rows]) + "\n", encoding="utf-8")
    copy.write_text(COPY, encoding="utf-8")

    def start(out):
        monkeypatch.setattr(sys, "argv", ["gapnlp", "report", str(reviews), "--copy", str(copy), "--out", str(out)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code

    return start


def test_report_and_ledger_survive_interruptions_together(run, tmp_path, monkeypatch):
    assert run(tmp_path / "whole") == 0
    monkeypatch.setattr(jobs, "CHUNK_ROWS", 5)
    monkeypatch.setattr(jobs, "_SNAPSHOT_SECONDS", 0.0)
    add, rng, out = jobs._Both.add, random.Random(3), tmp_path / "parts"
    stops = 0
    while not (out / "ledger.json").exists():
        left = rng.randint(1, 2)

        def stop_sometimes(both, results):
            nonlocal left
            left -= 1
            if left < 0:
                raise KeyboardInterrupt
            add(both, results)

        monkeypatch.setattr(jobs._Both, "add", stop_sometimes)
        code = run(out)
        stops += code == 130
        assert code in (0, 130)
        assert stops < 30
    assert stops >= 2
    for name in ("report.json", "ledger.json", "report.html"):
        assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    ledger = json.loads((out / "ledger.json").read_text(encoding="utf-8"))
    assert ledger["items"] == 24
    assert max(e["breaks"] for e in ledger["entries"]) >= 6
    assert 'id="promises"' in (out / "report.html").read_text(encoding="utf-8")
