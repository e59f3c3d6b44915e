"""The data cards say what the files hold, and every set has its licence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gapnlp.records.labels import LANGUAGES, Labels
from training.auxiliary import TASKS
from training.data_cards import label_counts, public_tables, with_tables, written_tables
from training.public_texts import SETS
from training.sources import LABELLED_SETS, SOURCES, uses

ROOT = Path(__file__).resolve().parents[2]
LABELS = ROOT / "training" / "labels"


@pytest.mark.parametrize(
    ("page", "tables"), [(ROOT / "data" / "README.md", written_tables), (LABELS / "README.md", public_tables)]
)
def test_the_pages_hold_the_counts_of_the_files(page, tables):
    text = page.read_text(encoding="utf-8")
    assert with_tables(text, tables()) == text, "run: python -m training.data_cards"


def test_tables_replace_what_stands_between_their_marks():
    end = "<!-- counts: end -->"
    page = f"a\n<!-- counts: one -->\nold\n{end}\nb\n<!-- counts: two -->\n{end}\nc"
    filled = with_tables(page, {"one": "| 1 |", "two": r"| \g<0> |"})
    assert filled == f"a\n<!-- counts: one -->\n| 1 |\n{end}\nb\n<!-- counts: two -->\n| \\g<0> |\n{end}\nc"
    assert with_tables(filled, {"one": "| 1 |", "two": r"| \g<0> |"}) == filled
    with pytest.raises(ValueError, match="counts: three"):
        with_tables(page, {"three": ""})


def test_labels_are_counted_once_a_segment():
    counts = label_counts(
        [
            Labels("neg", {"empathy": "neg", "tangibles": "pos"}, ("policy", "customer"), "unmet", True),
            Labels("neg", {"empathy": "neg"}),
        ]
    )
    assert counts["sentiment neg"] == counts["empathy neg"] == 2
    assert counts["tangibles pos"] == counts["policy gap"] == counts["expectation unmet"] == counts["churn"] == 1
    assert counts["knowledge gap"] == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_set_that_is_learnt_from_is_listed_with_its_licence(language):
    rows = (LABELS / f"{language}.jsonl").read_text(encoding="utf-8").splitlines()
    labelled = {json.loads(row)["file"] for row in rows}
    heads = {name for task in TASKS[language] for name in task.files}
    assert labelled <= set(LABELLED_SETS[language])
    assert labelled | heads <= set(uses(language)) <= set(SOURCES)
    assert all(SOURCES[name].licence for name in uses(language))


@pytest.mark.parametrize("language", ["pl", "zh"])
def test_sets_that_an_encoder_was_pretrained_on_are_named(language):
    more = uses(language, pretrained=True)
    assert set(uses(language)) < set(more) <= set(SOURCES)
    assert all("pretraining" in more[x.name] for x in SETS[language])


def test_the_written_items_are_all_of_the_written_stratum():
    for language in LANGUAGES:
        path = ROOT / "data" / "labelled" / f"{language}.jsonl"
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        assert {r["stratum"] for r in rows} == {"written"}
        assert len({r["id"] for r in rows}) == len(rows)
        assert len({r["text"] for r in rows}) == len(rows)
