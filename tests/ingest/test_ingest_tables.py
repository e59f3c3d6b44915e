from datetime import date, datetime

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gapnlp.errors import InputError
from gapnlp.ingest.columns import ColumnOptions
from gapnlp.ingest.frames import read_frame
from gapnlp.ingest.intake import read_feedback, recognise
from gapnlp.records.feedback import Failure, Feedback


def save_workbook(path, sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_a_workbook_with_typed_cells(tmp_path):
    rows = [
        ["評論", "評分", "時間", "編號"],
        ["等太久", 2.0, datetime(2025, 3, 4, 9), 17],
        ["很好", "5", "3 個月前", 18],
    ]
    path = save_workbook(tmp_path / "t.xlsx", {"S": rows})
    recognition = recognise(path, ColumnOptions())
    assert (recognition.format, recognition.encoding, recognition.rating_scale) == ("xlsx", None, (1, 5))
    first, second = read_feedback([path], ColumnOptions())
    assert (first.id, first.rating, first.date, first.source.row) == ("17", 2, date(2025, 3, 4), 2)
    assert second.date is None
    assert "relative" in second.notices[0]


def test_rows_are_those_that_the_spreadsheet_shows(tmp_path):
    rows = [[], ["text", "id"], ["late", "a"], [None, None], ["good", "b"]]
    path = save_workbook(tmp_path / "t.xlsx", {"Empty": [], "Data": rows, "More": [["x"]]})
    assert [item.source.row for item in read_feedback([path], ColumnOptions())] == [3, 5]
    assert "'Data'" in recognise(path, ColumnOptions()).columns[0].why


@pytest.mark.parametrize("name", ["t.xlsx", "t.parquet"])
def test_files_that_are_not_what_they_say(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"no such format")
    with pytest.raises(InputError, match=name):
        recognise(path, ColumnOptions())


def test_an_empty_workbook_is_refused(tmp_path):
    with pytest.raises(InputError, match="empty"):
        recognise(save_workbook(tmp_path / "t.xlsx", {"S": []}), ColumnOptions())


def test_parquet_with_nested_fields(tmp_path):
    rows = {
        "text": ["late", None, "good"],
        "meta": [{"rating": 1}, {"rating": 4}, None],
        "created_at": [datetime(2025, 1, 2), None, datetime(2025, 1, 3)],
    }
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table(rows), path)
    items = list(read_feedback([path], ColumnOptions(rating="meta.rating", by="meta.rating")))
    assert [type(item) for item in items] == [Feedback, Failure, Feedback]
    assert [item.source.row for item in items] == [1, 2, 3]
    assert (items[0].rating, items[0].group, items[2].group) == (1, "1", None)


def test_a_frame_reads_like_a_file(tmp_path):
    frame = pd.DataFrame(
        {
            "id": ["x1", "x2", "x2", "x4"],
            "text": ["late", "good", "good", None],
            "stars": [1, 5, 5, float("nan")],
            "date": pd.to_datetime(["2025-01-02", None, "2025-01-04", "2025-01-05"]),
            "store": pd.array([1, 2, pd.NA, 4], dtype="Int64"),
        },
        index=[9, 8, 7, 6],
    )
    recognition, items = read_frame(frame, ColumnOptions(by="store"))
    assert (recognition.format, recognition.rating_scale, recognition.sha256) == ("frame", (1, 5), "")
    found = list(items)
    assert [item.kind if isinstance(item, Failure) else "read" for item in found] == [
        "read",
        "read",
        "duplicate",
        "empty",
    ]
    assert [item.source.row for item in found] == [1, 2, 3, 4]
    assert (found[0].date, found[1].date, found[0].group) == (date(2025, 1, 2), None, "1")
    path = tmp_path / "t.csv"
    frame.to_csv(path, index=False)
    from_file = [item.text for item in read_feedback([path], ColumnOptions()) if isinstance(item, Feedback)]
    assert from_file == [item.text for item in found if isinstance(item, Feedback)]


def test_a_frame_without_text_is_refused():
    with pytest.raises(InputError, match="frame"):
        read_frame(pd.DataFrame({"a": [1]}), ColumnOptions())
