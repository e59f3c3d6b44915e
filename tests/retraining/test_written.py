"""The written items: found wherever the package is, the regression set apart from what is trained on, and measured."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from gapnlp.classifier.base import Attribution, Document, Predictions
from gapnlp.errors import InputError
from gapnlp.ingest.gold import GoldItem
from gapnlp.records.error_counts import ErrorCounts, ShareError
from gapnlp.records.labels import DIMENSIONS, EXPECTATIONS, GAPS, LABELS, LANGUAGES, SENTIMENTS, Labels
from gapnlp.retraining import written
from gapnlp.retraining.near_duplicates import ALIKE, signature
from gapnlp.retraining.written import measure_regression, read_written
from gapnlp.text.normalise import normalise
from training.data_cards import label_counts

ROOT = Path(__file__).resolve().parents[2]
LEAST_ITEMS, LEAST_SEGMENTS = 110, 240
# Too rare to be asked of plain everyday cases: praise and fault of one dimension at once.
RARE = {f"{d} neu" for d in DIMENSIONS}


@dataclass(frozen=True)
class Answering:
    """A classifier that gives the labels it was told to."""

    labels: Sequence[Labels]
    language: str = "en"
    version: str = "answering-1"
    seen: list[str] = field(default_factory=list)

    @property
    def error_counts(self) -> Mapping[str, ErrorCounts]:
        return {}

    @property
    def share_errors(self) -> Mapping[str, ShareError]:
        return {}

    @property
    def sentiment_factors(self) -> tuple[float, ...]:
        return (1.0,) * 4

    def predict(self, documents: Sequence[Document]) -> Predictions:
        self.seen.extend(text for document in documents for text in document)
        n = len(self.labels)
        return Predictions(np.zeros((n, len(LABELS))), tuple(self.labels), np.zeros(n, dtype=bool))

    def explain(self, document: Document) -> tuple[Attribution, ...]:
        raise NotImplementedError


def gold_labels(language: str) -> list[Labels]:
    return [x for item in read_written("regression", language) for x in item.labels]


def key(text: str, language: str) -> str:
    """What is left of a text without case, spaces and marks."""
    return re.sub(r"[\W_]+", "", normalise(text, language).casefold())


def keys(items: Sequence[GoldItem], language: str) -> set[str]:
    return {key(text, language) for item in items for text in (item.text, *(s.text for s in item.segments))}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_regression_set_covers_everything(language):
    items = read_written("regression", language)
    assert len(items) >= LEAST_ITEMS
    assert sum(len(i.segments) for i in items) >= LEAST_SEGMENTS
    industries = {i.domain for i in read_written("labelled", language)}
    assert len(industries) == 10
    for industry in industries:
        assert sum(i.domain == industry for i in items) >= 10, industry
    counts = label_counts([x for i in items for x in i.labels])
    assert len(counts) == 3 * len(DIMENSIONS) + len(GAPS) + len(SENTIMENTS) + len(EXPECTATIONS)
    assert {name: n for name, n in counts.items() if n < 7 and name not in RARE} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_regression_items_are_well_formed(language):
    path = ROOT / "data" / "regression" / f"{language}.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [r["id"] for r in rows] == [f"regression-{language}-{n:03}" for n in range(len(rows))]
    assert {(r["lang"], r["stratum"], r["source"]) for r in rows} == {(language, "written", "written for gapnlp")}
    assert len({key(r["text"], language) for r in rows}) == len(rows)
    for r in rows:
        assert set(r) == {"id", "lang", "domain", "source", "stratum", "text", "segments"}
        rest = list(r["text"])
        for s in r["segments"]:
            rest[s["start"] : s["end"]] = " " * (s["end"] - s["start"])
        assert "".join(rest).strip() == "", r["id"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_regression_labels_keep_the_guidelines_rules(language):
    for item in read_written("regression", language):
        for segment, x in zip(item.segments, item.labels, strict=True):
            where = f"{item.id}: {segment.text}"
            polarities = set(x.dimensions.values())
            assert not (x.sentiment in ("pos", "neu") and x.gaps), where
            assert not (x.sentiment == "neg" and polarities and not x.gaps), where
            assert not (x.sentiment == "pos" and "neg" in polarities), where
            assert not (x.expectation == "unmet" and not {"customer", "communication"} & set(x.gaps)), where
            assert not (x.expectation in ("met", "exceeded") and x.sentiment == "neg"), where


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_regression_text_is_one_to_train_on(language):
    new, trained = (read_written(kind, language) for kind in ("regression", "labelled"))
    assert keys(new, language) & keys(trained, language) == set()
    signatures = np.array([signature(i.text) for i in trained])
    alike = [i.id for i in new if (signatures == signature(i.text)).sum(axis=1).max() >= ALIKE]
    assert alike == []


def test_nothing_that_trains_reads_the_regression_set():
    """No recipe names its folder (data_cards only counts it), and the package reads it in one place."""
    found = []
    for path in (*(ROOT / "training").rglob("*.py"), *(ROOT / "src").rglob("*.py")):
        recipe = path.is_relative_to(ROOT / "training")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if recipe and path.stem != "data_cards" and isinstance(node, ast.Constant):
                if isinstance(node.value, str) and re.search(r"(^|/)regression(/|$)", node.value):
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "read_written":
                named = [
                    a.value for a in (*node.args, *(k.value for k in node.keywords)) if isinstance(a, ast.Constant)
                ]
                if "labelled" not in named and path.stem != "written":
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert found == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_written_items_are_read(language):
    items = read_written("labelled", language)
    assert len(items) > 800
    assert {i.language for i in items} == {language}


def test_a_language_without_items_is_refused():
    with pytest.raises(InputError, match="'de'"):
        read_written("regression", "de")


def test_items_inside_the_installed_package_come_first(tmp_path, monkeypatch):
    line = (ROOT / "data" / "regression" / "en.jsonl").read_text(encoding="utf-8").splitlines()[0]
    folder = tmp_path / "gapnlp" / "data" / "regression"
    folder.mkdir(parents=True)
    (folder / "en.jsonl").write_text(line + "\n", encoding="utf-8")
    monkeypatch.setattr(written, "__file__", str(tmp_path / "gapnlp" / "retraining" / "written.py"))
    assert len(read_written("regression", "en")) == 1


def test_the_items_are_packed_with_the_package():
    build = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for kind in ("labelled", "regression"):
        assert f'"data/{kind}" = "gapnlp/data/{kind}"' in build


@pytest.mark.parametrize("language", LANGUAGES)
def test_right_answers_reach_everything(language):
    classifier = Answering(gold_labels(language), language)
    score = measure_regression(classifier, language)
    assert score.headline == 1.0
    assert set(score.parts.values()) == {1.0}
    assert (score.language, score.version) == (language, "answering-1")
    assert score.segments == len(classifier.labels)
    assert score.items == len(read_written("regression", language))


def test_segments_are_normalised_before_they_are_scored():
    classifier = Answering(gold_labels("zh"), "zh")
    measure_regression(classifier, "zh")
    texts = [s.text for i in read_written("regression", "zh") for s in i.segments]
    assert classifier.seen == [normalise(t, "zh") for t in texts]
    assert classifier.seen != texts  # some are in traditional characters


def test_wrong_answers_cost_their_part():
    gold = gold_labels("en")
    silent = [Labels(x.sentiment, x.dimensions, (), x.expectation, x.churn) for x in gold]
    score = measure_regression(Answering(silent), "en")
    assert score.parts == {"dimensions": 1.0, "gaps": 0.0, "sentiment": 1.0, "unmet": 1.0}
    assert score.headline == 0.75
    assert json.loads(json.dumps(score.as_dict()))["parts"]["gaps"] == 0.0
