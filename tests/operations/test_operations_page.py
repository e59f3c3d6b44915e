"""docs/operations.md against the code: settings, metrics and log fields that it lists are those that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gapnlp.api.logs import FIELDS
from gapnlp.api.metrics import Metrics
from gapnlp.settings import Settings

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
EMPTY = "empty"


def rows(heading: str) -> list[list[str]]:
    """Cells of the first table below a heading."""
    table = PAGE.split(f"\n## {heading}\n")[1].split("\n|", 1)[1].split("\n\n")[0]
    return [[cell.strip() for cell in line.strip()[1:-1].split("|")] for line in ("|" + table).splitlines()[2:]]


@pytest.fixture(scope="module")
def described() -> dict[str, tuple[str, str]]:
    return {name.strip("`"): (default, meaning) for name, default, meaning in rows("Configuration")}


@pytest.fixture
def bare(monkeypatch) -> pytest.MonkeyPatch:
    """An environment without any setting."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"GAPNLP_{name.upper()}", raising=False)
    return monkeypatch


def test_every_setting_has_its_row_in_the_same_order(described):
    assert list(described) == [f"GAPNLP_{name.upper()}" for name in Settings.model_fields]


@pytest.mark.parametrize("name", Settings.model_fields)
def test_a_default_is_what_the_table_says(described, bare, name):
    shown, _ = described[f"GAPNLP_{name.upper()}"]
    default = getattr(Settings(), name)
    if shown == EMPTY:
        assert not default
        return
    bare.setenv(f"GAPNLP_{name.upper()}", shown)
    assert getattr(Settings(), name) == default


@pytest.mark.parametrize("name", Settings.model_fields)
def test_a_meaning_is_what_the_setting_says(described, name):
    _, meaning = described[f"GAPNLP_{name.upper()}"]
    assert meaning == Settings.model_fields[name].description


def test_settings_that_the_page_names_exist():
    named = set(re.findall(r"\bGAPNLP_[A-Z_]*[A-Z]\b", PAGE)) - {"GAPNLP_NAME"}
    assert named == {f"GAPNLP_{name.upper()}" for name in Settings.model_fields} & named


def test_every_metric_is_listed_with_its_labels():
    metrics = Metrics()
    metrics.watch_jobs(dict)
    metrics.watch_models(dict)
    metrics.watch_reloads(lambda: 0, lambda: False)
    kinds = {"counter": "_total", "info": "_info"}
    own = [m for m in metrics.registry.collect() if m.name.startswith("gapnlp_")]
    made = {m.name + kinds.get(m.type, ""): {"info": "gauge"}.get(m.type, m.type) for m in own}
    listed = {name.strip("`"): kind for name, kind, *_ in rows("Metrics") if name.startswith("`gapnlp_")}
    assert listed == made


def test_labels_of_metrics_are_listed():
    metrics = Metrics()
    metrics.begin_request()
    metrics.end_request("GET", "/x", status=200, seconds=0.1)
    metrics.observe_batch(1)
    metrics.watch_jobs(lambda: {"queued": 1})
    metrics.watch_models(lambda: {"en": "v"})
    metrics.watch_reloads(lambda: 2, lambda: True)
    kinds = {"counter": "_total", "info": "_info"}
    made = {
        m.name + kinds.get(m.type, ""): {label for s in m.samples for label in s.labels} - {"le"}
        for m in metrics.registry.collect()
    }
    for name, _, labels, _ in (r for r in rows("Metrics") if r[0].startswith("`gapnlp_")):
        assert made[name.strip("`")] == {x.strip() for x in labels.split(",") if x.strip()}, name


def test_every_log_field_is_listed():
    listed = {part.strip(" `") for name, _ in rows("Logs") for part in name.split(",")}
    assert listed == {*FIELDS, "request_id", "error", "places", "where"}
