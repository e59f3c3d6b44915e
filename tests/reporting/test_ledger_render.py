import csv
import io
import json
import logging
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from gapnlp.errors import InputError
from gapnlp.records.promises import EntityRow, Quantity, ToldQuantity
from gapnlp.records.report import Estimate
from gapnlp.reporting import figures
from gapnlp.reporting.chart_style import _BEYOND_LATIN
from gapnlp.reporting.ledger_json import ledger_from_json, render_ledger_json
from gapnlp.reporting.ledger_plots import draw_ledger_files
from gapnlp.reporting.ledger_render import LEDGER_RENDERERS, write_ledger
from gapnlp.reporting.ledger_words import load_ledger_words
from gapnlp.reporting.ledger_xlsx import render_ledger_xlsx
from gapnlp.reporting.schema import build_schema, render_schema

PUBLISHED = Path(__file__).parents[2] / "docs" / "ledger.schema.json"
KINDS = ("make_ledger", "make_draft", "make_empty_ledger", "make_unanswered_ledger", "make_hostile_ledger")

numbers = st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(), max_size=20)  # lone surrogates included
estimates = st.builds(Estimate, st.none() | numbers, st.none() | numbers, st.none() | numbers, st.integers(0))
quantities = st.builds(Quantity, numbers, texts, texts, texts, st.integers(0), st.integers(0))
told = st.none() | st.builds(ToldQuantity, quantities, numbers, numbers, numbers, st.integers(0))
rows = st.builds(EntityRow, texts, st.integers(0), st.integers(0), estimates)


@pytest.fixture(scope="module")
def validator():
    Draft202012Validator.check_schema(build_schema("ledger"))
    return Draft202012Validator(build_schema("ledger"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_ledger_comes_back_the_same_and_fits_its_schema(samples, ledgers, validator, kind):
    ledger = getattr(ledgers, kind)(samples)
    data = render_ledger_json(ledger)
    assert ledger_from_json(data) == ledger
    validator.validate(json.loads(data))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=estimates, told=told, found=st.lists(rows, max_size=3), effect=st.none() | numbers, text=texts)
def test_any_ledger_comes_back_the_same(samples, ledgers, share, told, found, effect, text):
    ledger = ledgers.make_unanswered_ledger(samples)
    entry = replace(ledger.entries[0], break_share=share, told=told, effect=effect, suggested=text)
    ledger = replace(ledger, entries=(entry,), entities=tuple(found), caveats=(text,))
    assert ledger_from_json(render_ledger_json(ledger)) == ledger


def test_what_is_no_ledger_is_refused(samples, ledgers):
    plain = json.loads(render_ledger_json(ledgers.make_empty_ledger(samples)))
    for change, message in (
        ({"schema_version": "2.0"}, "ledger schema 2.0 cannot be read"),
        ({"draft": 1}, "this is not a ledger.json of this version: ledger.draft is not bool"),
    ):
        with pytest.raises(InputError, match=message):
            ledger_from_json(json.dumps(plain | change).encode())
    with pytest.raises(InputError, match="not a ledger.json"):
        ledger_from_json(b"nonsense")


def test_the_published_schema_is_current_and_rejects_other_things(samples, ledgers, validator):
    assert PUBLISHED.read_bytes() == render_schema("ledger")
    plain = json.loads(render_ledger_json(ledgers.make_ledger(samples)))
    for change in ({"items": 1.5}, {"extra": 1}, {"schema_version": "9"}):
        with pytest.raises(ValidationError):
            validator.validate(plain | change)


@pytest.mark.parametrize("form", sorted(LEDGER_RENDERERS))
@pytest.mark.parametrize("ui", ["en", "pl", "zh"])
def test_every_form_is_deterministic_in_every_language(samples, ledgers, form, ui):
    once = LEDGER_RENDERERS[form](ledgers.make_ledger(samples), ui)
    assert LEDGER_RENDERERS[form](ledgers.make_ledger(samples), ui) == once != b""


def test_every_file_is_written_whole(samples, ledgers, tmp_path):
    paths = write_ledger(ledgers.make_ledger(samples), tmp_path / "out" / "x", ui="zh")
    assert [path.name for path in paths[:3]] == ["ledger.json", "ledger.html", "ledger.xlsx"]
    assert {path.name for path in paths[3:]} == {f"{n}.{form}" for n in ("promises", "told") for form in ("png", "svg")}
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == set(paths)
    for path in paths[3:]:
        if path.suffix == ".svg":
            assert "href" not in path.read_text()
            assert ElementTree.parse(path).getroot().tag.endswith("svg")
        else:
            assert path.read_bytes().startswith(b"\x89PNG")


def test_old_plots_of_a_ledger_go_and_those_of_a_report_stay(samples, ledgers, tmp_path):
    (tmp_path / "plots").mkdir()
    for name in ("told.png", "gaps.png"):
        (tmp_path / "plots" / name).write_bytes(b"old")
    paths = write_ledger(ledgers.make_empty_ledger(samples), tmp_path)
    assert len(paths) == 3
    assert [path.name for path in (tmp_path / "plots").iterdir()] == ["gaps.png"]


def test_an_unknown_language_is_refused_before_anything_is_written(samples, ledgers, tmp_path):
    with pytest.raises(InputError, match="choose one of"):
        write_ledger(ledgers.make_empty_ledger(samples), tmp_path / "out", ui="de")
    assert not (tmp_path / "out").exists()


def test_a_missing_chinese_font_is_said_for_chinese_promises(samples, ledgers, monkeypatch, caplog):
    monkeypatch.setattr(figures, "has_chinese_font", lambda: False)
    with caplog.at_level(logging.WARNING):
        list(draw_ledger_files(ledgers.make_ledger(samples), load_ledger_words("en", "live")))
    assert "fonts-noto-cjk" in caplog.text


def read_book(ledger, ui="en"):
    return openpyxl.load_workbook(io.BytesIO(render_ledger_xlsx(ledger, ui)))


def rows_of(sheet):
    head, *found = sheet.iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in found]


def test_the_workbook_has_every_promise_sentence_and_listing(samples, ledgers):
    ledger = replace(ledgers.make_ledger(samples), entities=ledgers.make_entities(500))
    book = read_book(ledger)
    assert book.sheetnames == ["summary", "promises", "trend", "evidence", "not promised", "listings", "copy", "intake"]
    first, *_, last = rows_of(book["promises"])
    assert first["Promise"] == ledger.entries[0].promise.text
    assert (first["Verdict"], first["Promised"], first["Told, median"]) == ("Broken", "at most 2 days", 5)
    assert first["Comments that break it"] == pytest.approx(0.231)
    assert first["Comments that break it, n"] == 1204
    assert (last["Verdict"], last["Comments that break it"]) == ("Silent", None)
    assert len(rows_of(book["listings"])) == 500
    assert len(rows_of(book["copy"])) == len(ledger.units)
    sentences = sum(len(e.breaking) + len(e.keeping) for e in ledger.entries)
    sentences += sum(len(u.evidence) for u in (*ledger.praised, *ledger.complaints))
    assert len(rows_of(book["evidence"])) == sentences
    assert len(rows_of(book["trend"])) == sum(len(e.trend) for e in ledger.entries)


def test_no_cell_is_a_formula_or_becomes_one_in_csv(samples, ledgers):
    for sheet in read_book(ledgers.make_hostile_ledger(samples), "pl"):
        cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
        assert not [cell for cell in cells if cell.data_type == "f" or cell.hyperlink]
        out = io.StringIO()
        csv.writer(out).writerow(cell.value for cell in cells if cell.data_type == "s")
        for text in next(csv.reader(io.StringIO(out.getvalue())), []):
            assert not text.lstrip().startswith(("=", "+", "-", "@"))


def test_a_draft_and_an_empty_ledger_say_so_in_the_workbook(samples, ledgers):
    draft = read_book(ledgers.make_draft(samples), "zh")["摘要"]
    assert draft["A2"].value == "这是草稿，内容尚未发布。"
    empty = [cell.value for cell in read_book(ledgers.make_empty_ledger(samples))["summary"]["B"]]
    assert "This copy makes no promise that a customer could find broken" in empty


def test_chinese_on_any_line_of_a_label_gets_a_chinese_font():
    label = '<text font-family="Latin"><tspan>1. two days</tspan><tspan x="0">全国包邮</tspan></text>'
    latin = '<text font-family="Latin"><tspan>two days</tspan></text>'
    changed = _BEYOND_LATIN.sub(r'\1"Wide"\2', latin + label)
    assert changed == latin + label.replace("Latin", "Wide")
