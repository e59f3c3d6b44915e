"""What `import gapnlp` offers, and how little it costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import gapnlp

SOURCE = Path(__file__).resolve().parents[1] / "src"
HEAVY = (
    "pandas",
    "numpy",
    "sklearn",
    "scipy",
    "spacy",
    "lingua",
    "pyarrow",
    "sqlalchemy",
    "altair",
    "jinja2",
    "typer",
    "rich",
)


def python(code: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_the_names_are_sorted_and_complete():
    assert gapnlp.__all__ == sorted(gapnlp.__all__)
    assert set(gapnlp.__all__) == set(gapnlp._HOMES)
    assert dir(gapnlp) == gapnlp.__all__


@pytest.mark.parametrize("name", gapnlp.__all__)
def test_every_name_can_be_imported_from_its_home(name):
    value = getattr(gapnlp, name)
    assert value is getattr(sys.modules[gapnlp._HOMES[name]], name)
    assert value.__doc__
    assert value.__module__ == gapnlp._HOMES[name]


def test_no_name_is_also_a_submodule():
    # Importing a submodule sets it as an attribute, which would hide the name.
    found = {p.stem for p in (SOURCE / "gapnlp").iterdir()}
    assert not found & set(gapnlp.__all__)


def test_all_modules_imported_the_names_are_still_the_names():
    asked = "callable(gapnlp.report), callable(gapnlp.load), callable(gapnlp.write_report)"
    shown = python(f"import gapnlp, gapnlp.jobs, gapnlp.cli.main, gapnlp.scoring.loading; print({asked})")
    assert shown.split() == ["True", "True", "True"]


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        gapnlp.nothing  # noqa: B018


def test_importing_the_package_imports_nothing_heavy():
    loaded = json.loads(python("import gapnlp, json, sys; print(json.dumps(sorted(sys.modules)))"))
    assert [m for m in HEAVY if m in loaded] == []
    assert [m for m in loaded if m.startswith("gapnlp.")] == []


def test_help_is_quick_because_it_imports_no_models():
    code = "import sys, json; sys.argv = ['gapnlp', '--help']\nfrom gapnlp.cli.main import main\n"
    code += "try:\n    main()\nexcept SystemExit: pass\nprint(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(python(code).splitlines()[-1])
    assert [m for m in HEAVY if m in loaded and m not in ("typer", "rich")] == []


@pytest.mark.parametrize(
    "statement",
    [
        "gapnlp.taxonomy.catalogue",
        "gapnlp.records.report",
        "gapnlp.errors",
        "gapnlp.records.analysis",
        "gapnlp.records.labels",
    ],
)
def test_the_lowest_layers_need_the_standard_library_alone(statement):
    loaded = json.loads(python(f"import {statement}, json, sys; print(json.dumps(sorted(sys.modules)))"))
    assert [m for m in HEAVY if m in loaded] == []


def test_load_and_analyze(shared_cues):
    texts = ["The parcel came five days late and nobody answered the phone.", "Paczka przyszła pięć dni po terminie."]
    analyses = gapnlp.load().analyze(texts)
    assert all(isinstance(a, gapnlp.Analysis) for a in analyses)
    assert [a.language for a in analyses] == ["en", "pl"]
    assert [a.feedback.text for a in analyses] == texts
    assert analyses[0].segments[0].labels.sentiment == "neg"


def test_a_report_from_a_data_frame(shared_cues, tmp_path):
    frame = pd.DataFrame(
        {
            "review": ["The parcel came five days late.", "They replied within minutes, thank you!", None] * 8,
            "day": pd.date_range("2025-01-01", periods=24, freq="W"),
            "store": list("NSE") * 8,
        }
    )
    report = gapnlp.report(frame, text="review", date="day", by="store", period="month")
    assert isinstance(report, gapnlp.GapReport)
    assert (report.intake.read, report.intake.scored, report.intake.empty) == (24, 16, 8)
    assert [b.by for b in report.breakdowns] == ["store", "month"]
    reference = {"reliability": gapnlp.Reference(6.0, "service standard")}
    second = gapnlp.report(frame, text="review", date="day", by="store", period="month", expectations=reference)
    assert next(d for d in second.dimensions if d.dimension == "reliability").reference == reference["reliability"]
    assert second.gaps == report.gaps


def test_a_frame_without_text_is_refused():
    with pytest.raises(gapnlp.InputError):
        gapnlp.report(pd.DataFrame({"number": [1, 2, 3]}))


def test_errors_carry_the_exit_codes():
    codes = {gapnlp.InputError: 2, gapnlp.ModelError: 3, gapnlp.StoreError: 4, gapnlp.MissingExtra: 5}
    assert gapnlp.GapnlpError.exit_code == 1
    for error, code in codes.items():
        assert issubclass(error, gapnlp.GapnlpError)
        assert error.exit_code == code
