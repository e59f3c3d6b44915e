"""Rows and their files: typed columns, the same rows in every format, no formulas in spreadsheets."""

from __future__ import annotations

import csv
import json
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gapnlp.errors import InputError
from gapnlp.export.rows import ITEM_COLUMNS, SEGMENT_COLUMNS, item_rows, segment_rows
from gapnlp.export.writers import WRITERS, choose_writer, make_folder, whole_file
from gapnlp.records.analysis import Analysis, ScoredSegment, Segment
from gapnlp.records.feedback import FAILURE_KINDS, Failure, Feedback, Source
from gapnlp.records.labels import DIMENSIONS, GAPS, LABEL_INDEX, LABELS, Labels

FORMULAS = ("=1+1", "+48 600", "-5", "@SUM(A1)", "\t=1", "\r=1", "＝1", "＋1", "－1", "＠x")


def probabilities(**values: float) -> tuple[float, ...]:
    row = [0.0] * len(LABELS)
    for name, value in values.items():
        row[LABEL_INDEX[name.replace("_", ":")]] = value
    return tuple(row)


def analysis(text: str = "Came late. Kind courier!", **fields) -> Analysis:
    first, second = text[:10], text[11:]
    scored = (
        ScoredSegment(
            Segment(0, 10, first),
            Labels("neg", {"reliability": "neg", "empathy": "neg"}, ("delivery",), "unmet", True),
            probabilities(dimension_reliability_neg=0.7, dimension_reliability_pos=0.1, gap_delivery=0.8, churn=0.6),
            ("late_or_cancelled", "courier_failure"),
        ),
        ScoredSegment(
            Segment(11, len(text), second),
            Labels("pos", {"empathy": "pos"}, ("customer", "delivery"), "met"),
            probabilities(dimension_empathy_pos=0.9, gap_customer=0.5, gap_delivery=0.4),
            ("courier_failure",),
        ),
    )
    fields = {"date": date(2025, 3, 1), "rating": 2.0, "group": "North", "notices": ("date odd", "rating odd")} | fields
    return Analysis(Feedback("7", text, Source("a.csv", 3), **fields), "en", scored, "linear-en-1.0.0+abc")


FAILURES = [
    Failure(Source("a.csv", 10 + i), kind, f"why {kind}", f"f{i}", "de") for i, kind in enumerate(FAILURE_KINDS)
]
RESULTS = [FAILURES[0], analysis(), *FAILURES[1:]]
TABLES = [(ITEM_COLUMNS, item_rows), (SEGMENT_COLUMNS, segment_rows)]


def test_an_item_row_by_hand():
    (row,) = item_rows([analysis()])
    assert (row["file"], row["row"], row["id"], row["status"], row["language"]) == ("a.csv", 3, "7", "scored", "en")
    assert (row["date"], row["rating"], row["group"], row["reason"]) == (
        "2025-03-01",
        2.0,
        "North",
        "date odd; rating odd",
    )
    assert (row["segments"], row["sentiment"], row["sentiment_score"]) == (2, "mixed", 0.0)
    assert (row["reliability"], row["empathy"], row["tangibles"]) == ("neg", "mixed", None)
    assert row["gaps"] == "customer;delivery"
    assert row["causes"] == "courier_failure;late_or_cancelled"
    assert (row["expectation"], row["churn"]) == ("unmet", True)
    assert (row["p_reliability"], row["p_empathy"], row["p_gap_delivery"], row["p_churn"]) == (0.8, 0.9, 0.8, 0.6)


def test_segment_rows_by_hand():
    first, second = segment_rows([analysis()])
    assert [(r["segment"], r["start"], r["end"], r["text"]) for r in (first, second)] == [
        (1, 0, 10, "Came late."),
        (2, 11, 24, "Kind courier!"),
    ]
    assert (first["sentiment"], first["empathy"], second["sentiment"], second["empathy"]) == (
        "neg",
        "neg",
        "pos",
        "pos",
    )
    assert (first["p_gap_delivery"], second["p_gap_delivery"]) == (0.8, 0.4)
    assert (second["churn"], second["expectation"]) == (False, "met")


@pytest.mark.parametrize(
    ("sentiments", "expected"),
    [
        (["neg", "neu"], "neg"),
        (["pos", "neu"], "pos"),
        (["neu"], "neu"),
        (["pos", "neg"], "mixed"),
        (["mixed"], "mixed"),
    ],
)
def test_overall_sentiment_of_an_item(sentiments, expected):
    segments = tuple(
        ScoredSegment(Segment(i, i + 1, "x"), Labels(s, {}), probabilities()) for i, s in enumerate(sentiments)
    )
    (row,) = item_rows([Analysis(Feedback("1", "xxxx", Source("a", 1)), "en", segments, "v")])
    assert row["sentiment"] == expected


@pytest.mark.parametrize(("columns", "rows"), TABLES)
def test_columns_are_all_there_and_typed(columns, rows):
    assert {f"p_{d}" for d in DIMENSIONS} | {f"p_gap_{g}" for g in GAPS} | set(DIMENSIONS) <= set(columns)
    for row in rows(RESULTS):
        assert set(row) <= set(columns)
        for name, value in row.items():
            assert value is None or type(value) is columns[name], name


@pytest.mark.parametrize(("columns", "rows"), TABLES)
def test_a_failure_is_one_row_with_its_reason(columns, rows):
    found = [r for r in rows(RESULTS) if r["status"] != "scored"]
    assert [(r["row"], r["status"], r["reason"], r["id"]) for r in found] == [
        (f.source.row, f.kind, f.reason, f.id) for f in FAILURES
    ]
    assert all("text" not in r for r in found)


@pytest.mark.parametrize(("columns", "rows"), TABLES)
def test_every_format_holds_the_same(tmp_path, columns, rows):
    chunks = [list(rows(RESULTS[:2])), [], list(rows(RESULTS[2:]))]
    for ending, write in WRITERS.items():
        write(tmp_path / f"x{ending}", columns, chunks)
    expected = [{c: row.get(c) for c in columns} for chunk in chunks for row in chunk]
    assert [json.loads(line) for line in (tmp_path / "x.jsonl").read_text(encoding="utf-8").splitlines()] == expected
    assert pq.read_table(tmp_path / "x.parquet").to_pylist() == expected
    with (tmp_path / "x.csv").open(encoding="utf-8-sig", newline="") as file:
        read = list(csv.DictReader(file))
    assert read == [{c: "" if v is None else str(v) for c, v in row.items()} for row in expected]


@pytest.mark.parametrize(("columns", "rows"), TABLES)
def test_the_parquet_schema_does_not_depend_on_the_data(tmp_path, columns, rows):
    types = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    for name, results in (("full", RESULTS), ("failures", FAILURES), ("none", [])):
        WRITERS[".parquet"](tmp_path / name, columns, [list(rows(results))])
        schema = pq.read_schema(tmp_path / name)
        assert {f.name: f.type for f in schema} == {c: types[t] for c, t in columns.items()}


def test_no_cell_of_a_csv_is_a_formula(tmp_path):
    results = [analysis(f + " " * (10 - len(f)) + " rest", group=f, notices=(f,)) for f in FORMULAS]
    results = [*results, Failure(Source("=a.csv", 1), "failed", "=why", "=id")]
    WRITERS[".csv"](tmp_path / "x.csv", ITEM_COLUMNS, [list(item_rows(results))])
    with (tmp_path / "x.csv").open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in list(csv.reader(file))[1:] for cell in row]
    assert [c for c in cells if c.startswith(("=", "+", "@", "\t", "\r", "＝", "＋", "－", "＠"))] == []
    assert [c for c in cells if c.startswith("-")] == []
    assert sum(c.startswith("'") for c in cells) == 3 * (len(FORMULAS) + 1)


def test_numbers_stay_numbers_in_a_csv(tmp_path):
    columns = {"sentiment_score": float}
    WRITERS[".csv"](tmp_path / "x.csv", columns, [[{"sentiment_score": -0.5}]])
    assert (tmp_path / "x.csv").read_text(encoding="utf-8-sig").splitlines() == ["sentiment_score", "-0.5"]


def test_a_csv_opens_in_spreadsheets_and_keeps_line_breaks(tmp_path):
    text = 'Came late.\n"Zażółć", 评论; done'
    WRITERS[".csv"](tmp_path / "x.csv", ITEM_COLUMNS, [list(item_rows([analysis(text)]))])
    assert (tmp_path / "x.csv").read_bytes().startswith(b"\xef\xbb\xbffile,row,id,status")
    with (tmp_path / "x.csv").open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["text"] == text


def test_text_in_json_lines_is_as_it_was(tmp_path):
    text = "=Came late\u2028 \u0085 评论 \U0001f622"
    WRITERS[".jsonl"](tmp_path / "x.jsonl", ITEM_COLUMNS, [list(item_rows([analysis(text)]))])
    (line,) = (tmp_path / "x.jsonl").read_text(encoding="utf-8").removesuffix("\n").split("\n")
    assert json.loads(line)["text"] == text


@pytest.mark.parametrize("ending", list(WRITERS))
def test_names_that_are_not_utf8_do_not_stop_a_writer(tmp_path, ending):
    results = [Failure(Source("bad\udcff.csv", 2), "failed", "why", "\ud800")]
    WRITERS[ending](tmp_path / f"x{ending}", ITEM_COLUMNS, [list(item_rows(results))])
    assert b"udcff" in (tmp_path / f"x{ending}").read_bytes()


@pytest.mark.parametrize("name", ["x.xlsx", "x", "x.csv.gz", "csv", ".csv"])
def test_other_endings_are_refused(tmp_path, name):
    with pytest.raises(InputError, match=r"\.csv, \.jsonl, \.parquet; choose one"):
        choose_writer(tmp_path / name)


def test_endings_are_read_whatever_their_case(tmp_path):
    assert choose_writer(tmp_path / "X.CSV") is WRITERS[".csv"]


def test_a_file_is_whole_or_not_there(tmp_path):
    out = tmp_path / "x.csv"
    with pytest.raises(KeyboardInterrupt), whole_file(out) as partial:
        partial.write_text("half")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    with whole_file(out) as partial:
        partial.write_text("new")
        assert not out.exists()
    assert out.read_text() == "new"
    with pytest.raises(ValueError, match="x"), whole_file(out) as partial:
        raise ValueError("x")
    assert [p.read_text() for p in tmp_path.iterdir()] == ["new"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="the folder cannot be made .* choose another --out"):
        make_folder(tmp_path / "file" / "sub")
