import csv
import io
from datetime import datetime

import openpyxl
import pytest

from gapnlp.reporting.to_xlsx import guard, render_workbook

NAMES = ["summary", "gaps", "causes", "dimensions", "shares", "groups", "periods", "evidence", "intake"]


@pytest.fixture(scope="module")
def book(samples, words):
    return openpyxl.load_workbook(io.BytesIO(render_workbook(samples.make_report(), words["en"])))


def rows_of(sheet):
    head, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_sheets_stand_in_order_with_frozen_heads(book):
    assert book.sheetnames == NAMES
    assert all(sheet.freeze_panes == "B2" for sheet in book)
    assert all(sheet.cell(1, 1).font.bold for sheet in book)


def test_sheet_names_are_told_in_other_languages(samples, words):
    for ui, first in (("pl", "podsumowanie"), ("zh", "摘要")):
        found = openpyxl.load_workbook(io.BytesIO(render_workbook(samples.make_report(), words[ui])))
        assert found.sheetnames[0] == first
        assert len(found.sheetnames) == len(NAMES)


def test_no_cell_is_a_formula_or_a_link(book):
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert not [cell for cell in cells if cell.data_type == "f" or cell.hyperlink]
    assert any("HYPERLINK" in str(cell.value) for cell in cells)


def test_no_text_is_a_formula_after_a_trip_through_csv(book):
    for sheet in book:
        out = io.StringIO()
        csv.writer(out).writerows([cell.value for cell in row if cell.data_type == "s"] for row in sheet.iter_rows())
        for row in csv.reader(io.StringIO(out.getvalue())):
            assert not [text for text in row if text.lstrip().startswith(("=", "+", "-", "@", "\t", "\r"))]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@A1", "\tx", "\r=1", "\n=1", "  =1+1", "＝1", "＠x"])
def test_guard_puts_an_apostrophe_before_what_could_run(text):
    assert guard(text).startswith("'")


@pytest.mark.parametrize("text", ["a=b", "1-2", "", "你好", "'quoted'", "− minus sign"])
def test_guard_leaves_other_texts_alone(text):
    assert guard(text) == text


def test_a_very_long_text_fits_its_cell():
    assert len(guard("=" * 100_000)) < 32_767


def test_figures_stand_in_columns_of_their_own(book):
    delivery = next(row for row in rows_of(book["gaps"]) if row["Gap"] == "Delivery gap")
    assert delivery["Corrected share"] == pytest.approx(0.262)
    assert delivery["Corrected share, low"] == pytest.approx(0.231)
    assert delivery["Corrected share, high"] == pytest.approx(0.293)
    assert delivery["Corrected share, n"] == 2840
    knowledge = next(row for row in rows_of(book["gaps"]) if row["Gap"] == "Knowledge gap")
    assert knowledge["Corrected share"] is None
    assert "attributed by customers" in knowledge["Attributed"]
    assert book["gaps"]["D2"].number_format == "0.0%"


def test_all_groups_causes_and_sentences_are_there(samples, book):
    report = samples.make_report()
    groups = report.breakdowns[1]
    assert len(rows_of(book["groups"])) == sum(max(len(cell.comparisons), 1) for cell in groups.cells)
    assert len(rows_of(book["causes"])) == sum(len(gap.causes) for gap in report.gaps)
    assert rows_of(book["groups"])[-1]["Large enough"] == "no"
    sentences = rows_of(book["evidence"])
    assert len(sentences) > 200
    assert any(row["Sentence"] == "说好周一送到,结果晚了九天,也没有人通知我。" for row in sentences)
    assert any(isinstance(row["Date"], datetime) for row in sentences)


def test_the_intake_adds_up(book):
    counts = {row["What happened"]: row["Rows"] for row in rows_of(book["intake"])[:6]}
    assert counts.pop("Rows read") == sum(counts.values())


def test_the_same_report_gives_the_same_bytes(samples, words):
    once = render_workbook(samples.make_report(), words["en"])
    assert render_workbook(samples.make_report(), words["en"]) == once


def test_an_empty_report_renders(samples, words):
    found = openpyxl.load_workbook(io.BytesIO(render_workbook(samples.make_empty_report(), words["zh"])))
    assert "没有可报告的内容" in [cell.value for cell in found["摘要"]["A"]]


def test_every_share_says_what_it_rests_on(book):
    rows = {row["Label"]: row for row in rows_of(book["shares"])}
    assert rows["Delivery gap"]["Rests on"] == "corrected for known error"
    assert rows["Knowledge gap"]["Rests on"] == "as counted"
    assert rows["Delivery gap"]["Audited share"] is None
    neg = rows["Reliability: fault"] if "Reliability: fault" in rows else rows[next(iter(rows))]
    assert neg["Rests on"].startswith("audited by 103 statements")
    assert neg["Share to go by"] == pytest.approx(neg["Audited share"])
