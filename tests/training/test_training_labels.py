"""Our labels on public texts, the written items, calibration figures, abstention, and the cascade's cut."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from gapnlp.errors import InputError
from gapnlp.ingest.gold import read_gold
from gapnlp.records.labels import HEADS, LABELS, LANGUAGES, Labels
from gapnlp.text.segments import split_segments
from training.calibration import calibration_figures, expected_calibration_error, reliability
from training.labels import LABELS_FOLDER, WRITTEN_FOLDER, parse_code, read_public_labels, text_digest
from training.material import WRITTEN
from training.operating_points import choose_abstention


def test_the_short_form_of_labels():
    assert parse_code("neg rel-,ass0 delivery,customer unmet 1") == {
        "sentiment": "neg",
        "dimensions": {"reliability": "neg", "assurance": "neu"},
        "gaps": ["delivery", "customer"],
        "expectation": "unmet",
        "churn": True,
    }
    assert parse_code("pos . . . 0")["dimensions"] == {}


def write_public_rows(folder: Path, rows: list[dict[str, str]]) -> Path:
    folder.mkdir()
    with gzip.open(folder / "reviews.jsonl.gz", "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps(r) + "\n" for r in rows)
    return folder


def label_row(identifier: str, text: str) -> str:
    row = {"file": "reviews", "id": identifier, "text_sha256": text_digest(text), "stratum": "random"}
    return json.dumps(row | {"segments": [[0, len(text), "neg res- delivery . 0"]]}) + "\n"


def test_labels_are_joined_with_their_texts_and_others_left_out(tmp_path, capsys):
    rows = [{"id": i, "text": t, "lang": "en", "domain": "shop"} for i, t in (("a", "No answer."), ("b", "Changed."))]
    public = write_public_rows(tmp_path / "public", rows)
    labels = tmp_path / "en.jsonl"
    labels.write_text(label_row("a", "No answer.") + label_row("b", "Before.") + label_row("c", "Gone."))
    (item,) = read_public_labels(labels, public)
    assert (item.id, item.text, item.stratum, item.domain) == ("a", "No answer.", "random", "shop")
    assert item.labels[0].dimensions == {"responsiveness": "neg"}
    assert "2 items left out" in capsys.readouterr().err


def test_an_unknown_label_is_refused_by_name(tmp_path):
    public = write_public_rows(tmp_path / "public", [{"id": "a", "text": "No.", "lang": "en", "domain": "shop"}])
    labels = tmp_path / "en.jsonl"
    labels.write_text(label_row("a", "No.").replace("delivery", "gravity"))
    with pytest.raises(InputError, match=r"en\.jsonl, a"):
        list(read_public_labels(labels, public))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_shipped_labels_hold_no_text(language):
    keys = set()
    for line in (LABELS_FOLDER / f"{language}.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        keys |= set(row)
        assert all(parse_code(code)["sentiment"] for _, _, code in row["segments"])
    assert keys == {"file", "id", "text_sha256", "stratum", "segments"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_written_items_are_enough_varied_and_marked(language):
    items = list(read_gold(WRITTEN_FOLDER / f"{language}.jsonl"))
    assert len(items) >= 800
    assert len({i.text for i in items}) == len(items)
    assert {i.language for i in items} == {language}
    assert {i.stratum for i in items} == {WRITTEN}
    assert len({i.domain for i in items}) == 10
    labels = [x for i in items for x in i.labels]
    for gap in ("knowledge", "policy", "communication"):
        assert sum(gap in x.gaps for x in labels) >= 100
    assert all(not x.gaps for x in labels if x.sentiment == "pos")
    cut = sum(len(split_segments(i.text, language)) == len(i.segments) for i in items)
    assert cut / len(items) > 0.5  # most are cut as the splitter would cut them


def test_calibration_error_of_perfect_and_of_overconfident_probabilities():
    rng = np.random.default_rng(0)
    p = rng.uniform(size=20_000)
    truth = (rng.uniform(size=20_000) < p).astype(np.int8)
    assert expected_calibration_error(p, truth) < 0.02
    assert expected_calibration_error(np.full(100, 0.9), np.zeros(100, dtype=np.int8)) == pytest.approx(0.9)
    assert sum(n for _, _, n in reliability(p, truth)) == 20_000


def test_calibration_figures_name_every_label():
    values = np.full((10, len(LABELS)), 0.25)
    targets = np.zeros((10, len(HEADS)), dtype=np.int8)
    found = calibration_figures(values, targets)
    assert tuple(found) == LABELS
    assert found["churn"] == {"positives": 0, "ece": 0.25, "bias": 0.25}


def test_abstention_keeps_its_promise_on_what_it_was_chosen_on():
    rng = np.random.default_rng(1)
    doubt = rng.uniform(0, 2, size=4000)
    gold = [Labels("neg", {}) for _ in doubt]
    predicted = [Labels("pos" if rng.uniform() < d / 3 else "neg", {}) for d in doubt]
    rule = choose_abstention(doubt, gold, predicted, limit=0.2)
    assert rule is not None
    kept = doubt <= rule.cut
    wrong = np.array([p.sentiment == "pos" for p in predicted])
    assert wrong[kept].mean() <= 0.2
    assert rule.coverage == pytest.approx(kept.mean(), abs=1e-3)
    assert rule.risk == pytest.approx(wrong[kept].mean(), abs=1e-3)


def test_abstention_is_not_promised_where_nothing_is_good_enough():
    gold, predicted = [Labels("neg", {})] * 300, [Labels("pos", {})] * 300
    assert choose_abstention(np.linspace(0, 1, 300), gold, predicted) is None
