import csv
import gzip
import io
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapnlp.errors import InputError
from gapnlp.ingest.columns import ColumnOptions
from gapnlp.ingest.delimited import MAX_RECORD_LINES, find_delimiter
from gapnlp.ingest.intake import read_feedback, recognise
from gapnlp.records.feedback import Failure, Feedback


def read_csv(tmp_path, content, name="table.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_feedback([path], ColumnOptions()))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_delimiter(tmp_path, delimiter):
    rows = [
        ["date", "rating", "text"],
        ["2025-01-02", "4,5", "slow; but, kind | really"],
        ["2025-01-03", "3,0", "fine"],
    ]
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter).writerows(rows)
    path = tmp_path / "t.csv"
    path.write_text(stream.getvalue(), newline="")
    assert recognise(path, ColumnOptions()).delimiter == delimiter
    items = list(read_feedback([path], ColumnOptions()))
    assert [(i.text, i.rating) for i in items] == [("slow; but, kind | really", 4.5), ("fine", 3.0)]


def test_decimal_commas_do_not_outvote_the_semicolon():
    assert find_delimiter(["ocena;tekst\n", "4,5;ok, dobrze\n", "3,5;źle\n"]) == ";"


def test_one_column_with_commas_in_its_texts(tmp_path):
    items = read_csv(tmp_path, "text\nslow, rude, late\nkind\n")
    assert [item.text for item in items] == ["slow, rude, late", "kind"]


def test_the_line_that_excel_writes_for_the_delimiter(tmp_path):
    (item,) = read_csv(tmp_path, "sep=;\nid;text\nA;late\n")
    assert (item.id, item.text, item.source.row) == ("A", "late", 3)


def test_rows_are_counted_as_a_spreadsheet_counts(tmp_path):
    items = read_csv(tmp_path, 'id,text\nA,"two\nlines"\n\nB,one\n')
    assert [(item.id, item.source.row) for item in items] == [("A", 2), ("B", 4)]


def test_wrong_numbers_of_cells_are_failures(tmp_path):
    items = read_csv(tmp_path, "id,rating,text\nA,5\nB,4,good\nC,3,too,many\nD,2,trailing,,\n")
    assert [type(item) for item in items] == [Failure, Feedback, Failure, Feedback]
    assert items[0].reason == "has 2 cells, the header has 3"
    assert items[2].source.row == 4


def test_an_unclosed_quote_at_the_end_costs_its_row_only(tmp_path):
    items = read_csv(tmp_path, 'id,text\nA,good\nB,"never closed\nC,fine\nD,well\n')
    assert [item.kind if isinstance(item, Failure) else item.id for item in items] == ["A", "failed", "C", "D"]
    assert "quotation mark" in items[1].reason


def test_an_unclosed_quote_in_the_middle_costs_its_row_only(tmp_path):
    items = read_csv(tmp_path, 'id,text\nA,"never closed\nB,"this one, is closed"\nC,fine\n')
    assert [item.kind if isinstance(item, Failure) else item.text for item in items] == [
        "failed",
        "this one, is closed",
        "fine",
    ]


def test_an_unclosed_quote_far_from_any_other_is_given_up(tmp_path):
    rows = "".join(f"R{i},fine\n" for i in range(MAX_RECORD_LINES * 2))
    items = read_csv(tmp_path, f'id,text\nA,"never closed\n{rows}')
    assert sum(isinstance(item, Failure) for item in items) == 1
    assert len(items) == MAX_RECORD_LINES * 2 + 1


def test_sloppy_quotes_are_mended_with_a_notice(tmp_path):
    (item,) = read_csv(tmp_path, 'id,text\nA,"they said "sorry" twice"\n')
    assert "sorry" in item.text
    assert "quotation mark" in item.notices[0]


def test_a_huge_cell_is_a_failure_with_its_length(tmp_path):
    items = read_csv(tmp_path, f"id,text\nA,{'x' * 200_000}\nB,fine\n")
    assert items[0].kind == "failed"
    assert "200,000" in items[0].reason
    assert items[1].text == "fine"


def test_a_cell_beyond_the_readers_bound_is_a_failure_too(tmp_path):
    items = read_csv(tmp_path, f"id,text\nA,{'x' * 1_100_000}\nB,fine\n")
    assert [isinstance(item, Failure) for item in items] == [True, False]


def test_nul_characters_become_spaces_with_a_notice(tmp_path):
    (item,) = read_csv(tmp_path, b"id,text\nA,closed\x00early\n")
    assert item.text == "closed early"
    assert "NUL" in item.notices[0]


@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff"])
def test_an_empty_file_is_refused(tmp_path, content):
    with pytest.raises(InputError, match=r"empty"):
        read_csv(tmp_path, content)


def test_a_header_alone_has_no_rows(tmp_path):
    assert read_csv(tmp_path, "id,text\n") == []


def test_a_broken_archive_is_named(tmp_path):
    path = tmp_path / "cut.csv.gz"
    path.write_bytes(gzip.compress(b"id,text\n" + b"A,late again\n" * 100)[:-12])
    with pytest.raises(InputError, match=r"cut\.csv\.gz.*archive"):
        list(read_feedback([path], ColumnOptions()))


cells = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00\ufffd"), max_size=30)


@settings(max_examples=80, deadline=None)
@given(texts=st.lists(cells, min_size=1, max_size=8))
def test_every_row_of_a_well_formed_table_is_accounted_for(tmp_path_factory, texts):
    path = tmp_path_factory.mktemp("p") / "t.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
        writer.writerow(["key", "review text"])
        writer.writerows([[f"k{i}", text] for i, text in enumerate(texts)])
    items = list(read_feedback([path], ColumnOptions(id="key", text="review text")))
    assert [item.id for item in items] == [f"k{i}" for i in range(len(texts))]
    assert all(item.kind == "empty" for item in items if isinstance(item, Failure))


@settings(max_examples=150, deadline=None)
@given(body=st.binary(max_size=300))
def test_no_bytes_crash_the_reader(tmp_path_factory, body):
    path = tmp_path_factory.mktemp("b") / "t.csv"
    path.write_bytes(b"id,date,rating,text\n" + body)
    try:
        items = list(read_feedback([path], ColumnOptions()))
    except InputError:
        return
    rows = [item.source.row for item in items]
    assert rows == sorted(set(rows))


def test_a_huge_cell_in_the_first_rows_is_read_in_a_fresh_process(tmp_path):
    # csv's own limit is per process: another test may have raised it already.
    path = tmp_path / "big.csv"
    path.write_text(f"id,text\n1,{'x' * 200_000}\n2,fine\n", encoding="utf-8")
    code = f"from pathlib import Path; from gapnlp.ingest.delimited import sniff_delimited as s; s(Path({str(path)!r}))"
    subprocess.run([sys.executable, "-c", code], check=True)
