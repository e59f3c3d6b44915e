import gzip
import hashlib
import tracemalloc
from collections import Counter

import pytest

from gapnlp.errors import InputError
from gapnlp.ingest.columns import ColumnOptions
from gapnlp.ingest.intake import list_inputs, read_feedback, recognise
from gapnlp.ingest.readers import ENDINGS, READERS
from gapnlp.records.feedback import FAILURE_KINDS, Failure, Feedback

PLAY_HEADER = "Package Name,Reviewer Language,Review Last Update Date and Time,Star Rating,Review Text,Review Link\n"


def save(path, content):
    path.write_text(content, encoding="utf-8", newline="")
    return path


def read(*paths, options=None):
    return list(read_feedback(paths, options or ColumnOptions()))


def test_folders_give_their_readable_files_in_order(tmp_path):
    for name in ("b.csv", "a.jsonl", "notes.md", ".hidden.csv", "~$c.xlsx", "d.csv.gz"):
        (tmp_path / name).touch()
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "e.csv").touch()
    assert [p.name for p in list_inputs([tmp_path, tmp_path / "b.csv"])] == ["a.jsonl", "b.csv", "d.csv.gz"]


@pytest.mark.parametrize("name", ["missing.csv", "notes.md", "empty_folder", "t.parquet.gz"])
def test_what_cannot_be_read_is_named(tmp_path, name):
    (tmp_path / "notes.md").touch()
    (tmp_path / "t.parquet.gz").touch()
    (tmp_path / "empty_folder").mkdir()
    with pytest.raises(InputError, match=name):
        list_inputs([tmp_path / name])


def test_two_files_of_one_name_are_refused(tmp_path):
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        save(tmp_path / folder / "r.csv", "text\ngood\n")
    with pytest.raises(InputError, match="two inputs"):
        list_inputs([tmp_path / "x", tmp_path / "y"])


def test_no_input_is_refused():
    with pytest.raises(InputError, match="no input"):
        list_inputs([])


def test_every_ending_has_a_reader():
    assert set(ENDINGS.values()) == set(READERS)


def test_the_recognition_is_complete(tmp_path):
    path = save(tmp_path / "t.csv", "id;date;stars;text\nA;3/4/2025;5;good\n")
    recognition = recognise(path, ColumnOptions())
    assert recognition.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (recognition.file, recognition.format, recognition.delimiter) == ("t.csv", "csv", ";")
    assert recognition.rating_scale == (1, 5)
    whys = {r.role: r.why for r in recognition.columns}
    assert "assumed" in whys["date"]
    assert "scale 1 to 5" in whys["rating"]


def test_reading_by_recognitions_gives_the_same(tmp_path):
    path = save(tmp_path / "t.csv", "id,date,stars,text,shop\nA,13/4/2025,5,good,N\nB,1/5/2025,2,late,S\n")
    options = ColumnOptions(by="shop")
    recognition = recognise(path, options)
    assert list(read_feedback([path], ColumnOptions(), recognitions=[recognition])) == read(path, options=options)


def test_a_recognition_of_another_file_is_refused(tmp_path):
    path = save(tmp_path / "t.csv", "id,text\nA,good\n")
    recognition = recognise(path, ColumnOptions())
    save(path, "id,body\nA,good\n")
    with pytest.raises(InputError, match="gone"):
        read_feedback([path], ColumnOptions(), recognitions=[recognition])


def test_faults_are_said_before_the_first_row(tmp_path):
    good, bad = save(tmp_path / "a.csv", "text\ngood\n"), save(tmp_path / "b.csv", "alpha\nbeta\n")
    with pytest.raises(InputError, match=r"b\.csv"):
        read_feedback([good, bad], ColumnOptions())


def test_duplicates_are_dropped_across_files(tmp_path):
    first = save(tmp_path / "a.csv", "id,text\nT-1,good\nT-2,late\nT-1,good\n")
    second = save(tmp_path / "b.csv", "id,text\nT-2,late\nT-3,rude\n")
    kinds = [item.kind if isinstance(item, Failure) else item.id for item in read(first, second)]
    assert kinds == ["T-1", "T-2", "duplicate", "duplicate", "T-3"]


def test_ids_that_count_rows_are_compared_within_their_file(tmp_path):
    table = "lp;treść opinii\n1;dobrze\n2;źle\n3;późno\n3;późno\n"
    first, other = save(tmp_path / "a.csv", table), save(tmp_path / "b.csv", table.replace("dobrze", "świetnie"))
    copy = save(tmp_path / "c.csv", table)
    kinds = Counter(item.source.file for item in read(first, other, copy) if isinstance(item, Feedback))
    assert kinds == {"a.csv": 3, "b.csv": 3}


def test_equal_ids_of_different_exports_are_different_items(tmp_path):
    first = save(tmp_path / "a.csv", "id,text\n77,good\n")
    second = save(tmp_path / "b.csv", "ticket id,message\n77,late\n")
    assert all(isinstance(item, Feedback) for item in read(first, second))


def test_items_without_ids_are_never_duplicates(tmp_path):
    assert all(isinstance(item, Feedback) for item in read(save(tmp_path / "a.csv", "text\ngood\ngood\n")))


def test_an_empty_row_does_not_hide_a_later_one_with_its_id(tmp_path):
    items = read(save(tmp_path / "a.csv", "id,text\nX,\nX,good\n"))
    assert [type(item) for item in items] == [Failure, Feedback]


def test_the_newest_edit_of_a_play_review_wins(tmp_path):
    row = "app,en,2025-0{}-02T00:00:00Z,{},{},https://play.example/1\n"
    older = save(tmp_path / "reviews_app_202505.csv", PLAY_HEADER + row.format(5, 1, "It crashes"))
    newer = save(tmp_path / "reviews_app_202506.csv", PLAY_HEADER + row.format(6, 4, "Fixed now"))
    other = save(tmp_path / "a.csv", "text\ngood\n")
    items = read(other, older, newer)
    assert [item.text for item in items if isinstance(item, Feedback)] == ["good", "Fixed now"]
    assert [item.source.file for item in items if isinstance(item, Failure)] == ["reviews_app_202505.csv"]


def test_the_group_and_language_columns(tmp_path):
    path = save(tmp_path / "t.csv", "text,airline,lang\nlate,Blue,en-GB\ngood,,pl\n")
    first, second = read(path, options=ColumnOptions(by="Airline"))
    assert (first.group, first.language, second.group, second.language) == ("Blue", "en", None, "pl")


def test_repeated_jira_comments_are_told_apart(tmp_path):
    header = "Summary,Issue key,Created,Description,Comment,Comment\n"
    path = save(tmp_path / "j.csv", header + "No answer,SD-1,05/Mar/24 3:14 PM,I wait for weeks,one,two\n")
    recognition = recognise(path, ColumnOptions())
    assert [r.column for r in recognition.columns][-2:] == ["Comment", "Comment (2)"]
    (item,) = read(path)
    assert (item.id, str(item.date), item.text) == ("SD-1", "2024-03-05", "No answer\nI wait for weeks")


def test_kinds_are_those_of_the_records_and_reasons_hold_no_text(tmp_path):
    path = save(tmp_path / "t.csv", f'id,text\nA,secret\nA,secret\nB,\nC,{"secret " * 4000}\nD\n"secret')
    failures = [item for item in read(path) if isinstance(item, Failure)]
    assert [f.kind for f in failures] == ["duplicate", "empty", "failed", "failed", "failed"]
    assert {f.kind for f in failures} <= set(FAILURE_KINDS)
    assert all("secret" not in f.reason for f in failures)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_memory_is_flat_in_the_files_length(tmp_path, kind, packed):
    line = "2025-01-02,5,the parcel came late and nobody answered the phone\n"
    if kind == "jsonl":
        line = '{"text": "the parcel came late and nobody answered the phone"}\n'
    header = "date,rating,text\n" if kind == "csv" else ""

    def peak(rows):
        path = tmp_path / f"t{rows}.{kind}{'.gz' if packed else ''}"
        content = (header + line * rows).encode()
        path.write_bytes(gzip.compress(content, 1) if packed else content)
        del content
        tracemalloc.start()
        assert sum(1 for _ in read_feedback([path], ColumnOptions())) == rows
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    assert peak(24_000) < peak(8_000) * 1.5 + 300_000
