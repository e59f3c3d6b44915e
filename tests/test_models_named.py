"""What a report says it was made with is what its predictions carry; with an adapter, everything names both."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from starlette.testclient import TestClient

from gapnlp.api.app import create_app
from gapnlp.classifier.adapted import AdaptedClassifier
from gapnlp.classifier.bundle import ADAPTER, BundleInfo, choose_bundle, read_manifest
from gapnlp.classifier.states import MANIFEST
from gapnlp.comparison import CopyOptions, compare
from gapnlp.ingest.columns import ColumnOptions
from gapnlp.jobs import Inputs, ReportOptions, make_report, model_used, recognise_inputs, score_file
from gapnlp.retraining.training import evidence, replay
from gapnlp.retraining.training.plan import TrainOptions
from gapnlp.retraining.training.run import train
from gapnlp.scoring.local import ScorerSettings
from gapnlp.settings import read_settings
from tests.conftest import SHIPPED
from tests.retraining.training_samples import tickets

pytestmark = pytest.mark.usefixtures("shared_cues")

LINEAR = BundleInfo("linear-en", "linear", "en", "1", "mine", 0.5, {"card.json": "a"}, Path("linear-en"))
ENCODER = replace(LINEAR, name="encoder-en", kind="transformer", quality="accurate", base="linear-en", headline=0.6)
LEARNT = replace(LINEAR, name="adapter-en", kind=ADAPTER, headline=None)


def test_a_bundle_alone_is_named_by_its_version():
    assert model_used((ENCODER, LINEAR), "en", "fast").version == LINEAR.version
    assert model_used((ENCODER, LINEAR), "en", "balanced").version == f"{ENCODER.version}~balanced"


def test_what_was_learnt_on_top_is_named_as_predictions_name_it():
    base = SimpleNamespace(version=LINEAR.version, language="en")
    carried = AdaptedClassifier(base, SimpleNamespace(language="en", further=()), LEARNT.version).version
    used = model_used((ENCODER, LINEAR, LEARNT), "en", "fast")
    assert (used.version, used.name, used.headline) == (carried, "linear-en", 0.5)


@pytest.fixture(scope="module")
def learnt(tiny_models, tmp_path_factory) -> tuple[Path, str]:
    """A models folder in which an adapter serves, and what its answers carry."""
    models = Path(shutil.copytree(tiny_models, tmp_path_factory.mktemp("named") / "models"))
    shutil.copytree(SHIPPED / "promises", models / "promises")
    entries = (SHIPPED / MANIFEST).read_text(encoding="utf-8").split("[[bundle]]")
    with (models / MANIFEST).open("a", encoding="utf-8") as manifest:
        manifest.write("\n[[bundle]]" + next(e for e in entries if '"promises"' in e))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evidence, "measure_speeds", lambda *_: (1000.0, 900.0))
        patch.setattr(replay, "_MOST_ITEMS", 12)
        (trained,) = train(tickets(30), TrainOptions(quality="fast", force=True), models)
    assert trained.promoted
    return models, f"{trained.version}@{choose_bundle(read_manifest(models), 'en').version}"


@pytest.fixture
def inputs(learnt, tmp_path) -> Inputs:
    path = tmp_path / "reviews.csv"
    rows = "".join(f"My clock is zonked and the parcel came {n} days late.\n" for n in range(2, 8))
    path.write_text(f"review\n{rows}", encoding="utf-8")
    return recognise_inputs([path], ColumnOptions(), scorer=ScorerSettings(learnt[0], quality="fast"), workers=1)


def ignore(_: int) -> None:
    """Progress that nobody looks at."""


def test_results_and_reports_name_both(inputs, learnt, tmp_path):
    score_file(inputs, tmp_path / "scored.csv", on_progress=ignore)
    with (tmp_path / "scored.csv").open(encoding="utf-8-sig", newline="") as file:
        assert {row["model_version"] for row in csv.DictReader(file)} == {learnt[1]}
    make_report(inputs, tmp_path / "report", options=ReportOptions(), on_progress=ignore)
    told = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    assert [m["version"] for m in told["models"]] == [learnt[1]]
    assert learnt[1] in (tmp_path / "report" / "report.html").read_text(encoding="utf-8")


def test_a_ledger_names_both(inputs, learnt, tmp_path):
    copy = tmp_path / "copy.md"
    copy.write_text("Every order is delivered within 2 days.\n", encoding="utf-8")
    found = compare(inputs, tmp_path / "ledger", options=CopyOptions((copy,)), on_progress=ignore)
    assert learnt[1] in {m.version for m in found.models}


def test_the_service_names_both(learnt, tmp_path):
    settings = read_settings(data_dir=tmp_path / "data", models=learnt[0], quality="fast")
    with TestClient(create_app(settings), base_url="http://127.0.0.1:8000", client=("127.0.0.1", 50_000)) as client:
        answer = client.post("/classify", json={"text": "My clock is zonked."}).json()
        assert answer["results"][0]["model_version"] == learnt[1]
        told = client.get("/models").json()
        assert told["serving"]["en"] == learnt[1]
        assert told["serving"]["pl"] == choose_bundle(read_manifest(learnt[0]), "pl").version
        assert {i["version"] for i in told["items"]} == {b.version for b in read_manifest(learnt[0])}
        assert f'gapnlp_model{{language="en",version="{learnt[1]}"}} 1.0' in client.get("/metrics").text
