import openpyxl
import pytest

from gapnlp.errors import InputError
from gapnlp.ingest.audit_table import read_audit

HEAD = "item,row,start,end,text,language,model_version,sentiment,dimensions,gaps,expectation,churn,done\n"


def write(tmp_path, body, head=HEAD):
    path = tmp_path / "audit.csv"
    path.write_text(head + body, encoding="utf-8")
    return path


def test_labels_of_every_column_are_read(tmp_path):
    body = (
        'r1,2,0,14,"Late, as usual",en,linear-en,neg,"reliability:neg; empathy:pos","delivery; policy",unmet,yes,1\n'
        "r1,2,15,20,Nice.,en,linear-en,pos,,,,,yes\n"
        "r2,3,0,5,Hello,en,linear-en,,,,,,\n"
    )
    table = read_audit(write(tmp_path, body))
    assert (table.file, table.waiting, len(table.rows)) == ("audit.csv", 1, 2)
    first, second = table.rows
    assert (first.item, first.key.row, first.key.start, first.key.end, first.key.file) == ("r1", 2, 0, 14, None)
    true = {label for label, given in first.given.items() if given}
    assert true == {
        "sentiment:neg", "dimension:reliability:neg", "dimension:empathy:pos", "presence:reliability",
        "presence:empathy", "gap:delivery", "gap:policy", "expectation:unmet", "churn",
    }  # fmt: skip
    assert len(first.given) == 33
    assert [label for label, given in second.given.items() if given] == ["sentiment:pos"]


def test_columns_that_are_missing_were_not_asked_for(tmp_path):
    table = read_audit(write(tmp_path, "2,0,5,policy\n3,0,4,\n", head="row,start,end,gaps\n"))
    assert table.waiting == 1
    assert set(table.rows[0].given) == {
        f"gap:{g}" for g in ("customer", "knowledge", "policy", "delivery", "communication")
    }


def test_a_workbook_is_read_like_a_table(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["Item", "Row", "Start", "End", "Gaps", "Done"])
    book.active.append(["A-1", 2, 0, 9, "delivery，policy", True])
    book.active.append(["A-2", 3, 0, 9, None, False])
    path = tmp_path / "audit.xlsx"
    book.save(path)
    table = read_audit(path)
    assert table.waiting == 1
    assert (table.rows[0].key.row, table.rows[0].given["gap:policy"], table.rows[0].given["gap:customer"]) == (
        2,
        True,
        False,
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("r1,2,0,9,x,en,m,angry,,,,,1\n", "row 2: the sentiment is not one of"),
        ("r1,2,0,9,x,en,m,,,,,,1\n", "row 2: no sentiment"),
        ("r1,2,0,9,x,en,m,neg,speed:neg,,,,1\n", "the dimension is not one of"),
        ("r1,2,0,9,x,en,m,neg,empathy,,,,1\n", "the polarity of empathy is not one of"),
        ("r1,2,0,9,x,en,m,neg,empathy:neg;empathy:pos,,,,1\n", "empathy stands there twice"),
        ("r1,2,0,9,x,en,m,neg,,price,,,1\n", "the gap is not one of"),
        ("r1,2,0,9,x,en,m,neg,,,maybe,,1\n", "the expectation is not one of"),
        ("r1,2,0,9,x,en,m,neg,,,,perhaps,1\n", "churn is neither yes nor no"),
        ("r1,2,0,9,x,en,m,neg,,,maybe,,perhaps\n", "the expectation is not one of"),
        ("r1,two,0,9,x,en,m,neg,,,,,1\n", "row is no whole number"),
        ("r1,2,9,9,x,en,m,neg,,,,,1\n", "ends where it starts"),
        ("r1,2,0,9,x,en,m,neg,,,,,1\nr1,2,0,9,x,en,m,pos,,,,,1\n", "row 3: the segment of row 2 again"),
        ("r1,2,0,9,x,en,m,,,,,,\n", "no row is labelled yet"),
    ],
)
def test_what_is_not_understood_is_refused_by_its_line(tmp_path, body, message):
    with pytest.raises(InputError, match=message) as caught:
        read_audit(write(tmp_path, body))
    assert "angry" not in str(caught.value)


@pytest.mark.parametrize(
    ("head", "message"), [("item,start,end,gaps\n", "no column row"), ("row,start,end,text\n", "no column of labels")]
)
def test_missing_columns_are_named(tmp_path, head, message):
    with pytest.raises(InputError, match=message):
        read_audit(write(tmp_path, "1,2,3,4\n", head=head))


def test_only_rows_drawn_at_random_are_read(tmp_path):
    head = "reason,row,start,end,text,gaps,done\n"
    body = "audit,2,0,9,'-5 stars,policy,ok\nuncertain,3,0,9,x,no such gap,yes\nAudit,4,0,9,x,,\nuncertain,2,0,9,x,,\n"
    table = read_audit(write(tmp_path, body, head=head))
    assert [(row.key.row, row.text) for row in table.rows] == [(2, "-5 stars")]
    assert (table.waiting, table.left_out) == (1, 2)
    with pytest.raises(InputError, match="no row was drawn at random"):
        read_audit(write(tmp_path, "uncertain,3,0,9,x,policy,yes\n", head=head))
