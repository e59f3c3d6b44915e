import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from gapnlp.errors import InputError
from gapnlp.records.report import Cell, Estimate, Evidence
from gapnlp.reporting.schema import build_schema, render_schema
from gapnlp.reporting.to_json import from_json, render_json

PUBLISHED = Path(__file__).parents[2] / "docs" / "report.schema.json"

numbers = st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(), max_size=20)  # lone surrogates included
estimates = st.builds(Estimate, st.none() | numbers, st.none() | numbers, st.none() | numbers, st.integers(0))
sentences = st.builds(
    Evidence, item_id=texts, file=texts, row=st.integers(), start=st.integers(0), end=st.integers(0), text=texts,
    before=texts, after=texts, language=texts, kind=texts, probability=numbers, date=st.none() | st.dates(),
    rating=st.none() | numbers, group=st.none() | texts,
)  # fmt: skip
cells = st.builds(
    Cell, name=texts, items=st.integers(0), segments=st.integers(0), enough=st.booleans(),
    comparisons=st.just(()), evidence=st.lists(sentences, max_size=2).map(tuple),
)  # fmt: skip


@pytest.fixture(scope="module")
def validator():
    Draft202012Validator.check_schema(build_schema())
    return Draft202012Validator(build_schema())


def test_a_full_and_an_empty_report_come_back_the_same(samples):
    for report in (samples.make_report(), samples.make_empty_report()):
        assert from_json(render_json(report)) == report


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(estimate=estimates, found=st.lists(cells, max_size=3), keys=st.dictionaries(texts, estimates, max_size=3))
def test_any_report_comes_back_the_same(samples, estimate, found, keys):
    report = samples.make_empty_report()
    report = replace(
        report,
        overall=replace(report.overall, churn=estimate, sentiment=keys, mean_satisfaction=estimate),
        breakdowns=(replace(report.breakdowns[0], cells=tuple(found)),),
    )
    assert from_json(render_json(report)) == report


def test_bytes_are_deterministic_readable_and_independent_of_language(samples):
    report = samples.make_report()
    data = render_json(report)
    assert data == render_json(samples.make_report(), "zh")
    assert "说好周一送到".encode() in data
    plain = json.loads(data)
    assert plain["first"] == "2025-01-03"
    assert list(plain)[0] == "schema_version"
    assert list(plain["intake"]["languages"]) == ["en", "pl", "zh"]


def test_order_of_mappings_does_not_matter(samples):
    report = samples.make_report()
    turned = dict(reversed(report.intake.languages.items()))
    assert render_json(replace(report, intake=replace(report.intake, languages=turned))) == render_json(report)


def test_not_a_number_is_refused(samples):
    report = replace(samples.make_empty_report(), explained=float("nan"))
    with pytest.raises(ValueError, match="JSON"):
        render_json(report)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema_version": "3.0"}, "schema 3.0 cannot be read"),
        ({"items": "many"}, "report.items is not int"),
        ({"items": True}, "report.items is not int"),
        ({"first": "yesterday"}, "report.first is not an ISO date"),
        ({"gaps": {}}, "report.gaps is not a list"),
        ({"new": 1}, "other fields \\(new\\)"),
        ({"intake": []}, "report.intake is not an object"),
    ],
)
def test_what_is_no_report_is_refused(samples, change, message):
    plain = json.loads(render_json(samples.make_report())) | change
    with pytest.raises(InputError, match=message):
        from_json(json.dumps(plain).encode())


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff\xfe", b"null"])
def test_other_files_are_refused(data):
    with pytest.raises(InputError):
        from_json(data)


def test_the_published_schema_is_current():
    assert PUBLISHED.read_bytes() == render_schema()
    assert build_schema()["$id"].endswith(":2.0")


def test_rendered_reports_validate(samples, validator):
    for report in (samples.make_report(), samples.make_empty_report()):
        validator.validate(json.loads(render_json(report)))


@pytest.mark.parametrize("change", [{"items": 1.5}, {"extra": 1}, {"schema_version": "9"}, {"first": 3}])
def test_the_schema_rejects_other_things(samples, validator, change):
    with pytest.raises(ValidationError):
        validator.validate(json.loads(render_json(samples.make_report())) | change)


def test_dates_before_excel_survive(samples):
    report = replace(samples.make_report(), first=date(1, 1, 1))
    assert from_json(render_json(report)).first == date(1, 1, 1)
