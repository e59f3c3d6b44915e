import gzip
import json

import pytest
from openpyxl import Workbook

from gapnlp.errors import InputError
from gapnlp.ingest.copy import read_copy
from gapnlp.ingest.copy_listings import ListingChoice, ListingColumns, choose_columns

ROWS = [
    {
        "kind": "listing",
        "entity": "7",
        "title": "Quiet flat",
        "text": "Two rooms.<br />Wi-Fi is free.",
        "amenities": ["Iron", "Oven"],
    },
    {"kind": "review", "entity": "7", "text": "It was loud."},
    {"kind": "listing", "entity": "8", "title": "", "text": "We answer in an hour.\n\n- Towels\n- Soap"},
]


def triples(blocks):
    return [(block.entity, block.kind, block.text) for block in blocks]


@pytest.mark.parametrize("ending", [".jsonl", ".jsonl.gz", ".json"])
def test_listings_of_json(tmp_path, ending):
    path = tmp_path / f"stays{ending}"
    text = json.dumps(ROWS) if ending == ".json" else "\n".join(json.dumps(row) for row in ROWS)
    path.write_bytes(gzip.compress(text.encode()) if ending.endswith("gz") else text.encode())
    blocks = read_copy([path], where=("kind", "listing"))
    assert triples(blocks) == [
        ("7", "heading", "Quiet flat"),
        ("7", "paragraph", "Two rooms."),
        ("7", "paragraph", "Wi-Fi is free."),
        ("7", "cell", "Iron"),
        ("7", "cell", "Oven"),
        ("8", "paragraph", "We answer in an hour."),
        ("8", "bullet", "Towels"),
        ("8", "bullet", "Soap"),
    ]
    assert {block.source for block in blocks} == {f"stays{ending}, row 1", f"stays{ending}, row 3"}


@pytest.mark.parametrize(
    ("header", "row", "entity", "text"),
    [
        ("Hotel,Description", "Sosna,Clean daily", "Sosna", "Clean daily"),
        ("Obiekt;Opis", "Sosna;Sprzątamy codziennie", "Sosna", "Sprzątamy codziennie"),
        ("酒店名称,描述", "松林,每天打扫", "松林", "每天打扫"),
        ("listing_id,name,summary", "5,Flat,Near the sea", "5", "Near the sea"),
        ("name,opis", "Sosna,Cicho po 22", "Sosna", "Cicho po 22"),
    ],
)
def test_usual_column_names(tmp_path, header, row, entity, text):
    path = tmp_path / "l.csv"
    path.write_text(f"{header}\n{row}\n", encoding="utf-8")
    assert triples(read_copy([path])) == [(entity, "paragraph", text)]


def test_named_columns_and_numbers_of_a_workbook(tmp_path):
    book = Workbook()
    for row in (["No", "Pitch", "Rules"], [12, "Free parking", "Quiet after ten"], [13, None, None]):
        book.active.append(row)
    book.save(tmp_path / "l.xlsx")
    blocks = read_copy([tmp_path / "l.xlsx"], entity="no", text="Pitch, rules")
    assert triples(blocks) == [("12", "paragraph", "Free parking"), ("12", "paragraph", "Quiet after ten")]


@pytest.mark.parametrize(
    ("columns", "choice", "message"),
    [
        (
            ("a", "b"),
            ListingChoice(),
            r"l\.csv: no column for the entity .* 'a', 'b'; name it with --entity and --text",
        ),
        (("hotel", "b"), ListingChoice(), r"no column for the text .* 'hotel', 'b'"),
        (("hotel", "text"), ListingChoice(text="copy"), r"there is no column 'copy'; its columns are 'hotel', 'text'"),
        (("hotel", "text"), ListingChoice(entity="shop"), r"there is no column 'shop'"),
    ],
)
def test_unknown_columns_are_named(columns, choice, message):
    with pytest.raises(InputError, match=message):
        choose_columns("l.csv", columns, choice)


def test_the_surest_entity_name_wins():
    found = choose_columns("l", ("id", "name", "Listing ID", "Title", "text"), ListingChoice())
    assert found == ListingColumns("Listing ID", ("Title",), ("text",))


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("hotel,text\n", {}, r"l\.csv: holds no copy"),
        ("hotel,text\nA,\n", {}, r"l\.csv: holds no copy"),
        ("hotel,text\n,Clean daily\n", {}, r"l\.csv, row 2: has copy, but column 'hotel' is empty"),
        ("hotel,text\nA,b,c\n", {}, r"l\.csv, row 2: has 3 cells, the header has 2; mend the row"),
        ("hotel,text\nA,b\n", {"where": ("kind", "x")}, r"there is no column 'kind'"),
        ("hotel,text\nA,b\n", {"where": ("hotel", "B")}, r"no row has 'B' in column 'hotel'"),
    ],
)
def test_listings_that_cannot_be_used(tmp_path, content, options, message):
    path = tmp_path / "l.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_copy([path], **options)


def test_rows_that_where_passes_over_need_no_entity(tmp_path):
    path = tmp_path / "l.csv"
    path.write_text("kind,hotel,text\nreview,,Loud\nlisting,A,Quiet\n", encoding="utf-8")
    assert triples(read_copy([path], where=("kind", "listing"))) == [("A", "paragraph", "Quiet")]


def test_options_of_tables_need_a_table(tmp_path):
    (tmp_path / "a.md").write_text("Open daily", encoding="utf-8")
    with pytest.raises(InputError, match="no file given is a table"):
        read_copy([tmp_path / "a.md"], entity="hotel")
    (tmp_path / "b.csv").write_text("hotel,pitch\nA,Quiet\n", encoding="utf-8")
    blocks = read_copy([tmp_path / "a.md", tmp_path / "b.csv"], text="pitch")
    assert triples(blocks) == [(None, "paragraph", "Open daily"), ("A", "paragraph", "Quiet")]
