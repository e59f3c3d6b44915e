"""What a report says it was made with is what its predictions carry."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

from gapnlp.classifier.adapted import AdaptedClassifier
from gapnlp.classifier.bundle import ADAPTER, BundleInfo
from gapnlp.jobs import model_used

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
