"""Files that would fill the memory of whoever opens them are refused before anybody does."""

from __future__ import annotations

import gzip
import io
import json
import random
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from gapnlp.errors import InputError
from gapnlp.ingest.footprint import check_footprint
from gapnlp.ingest.limits import UploadLimits
from gapnlp.ingest.readers import read_rows, sniff_file

LIMITS = UploadLimits(
    upload_bytes=200_000_000,
    decompressed_bytes=2_000_000_000,
    zip_ratio=200,
    rows=100_000,
    columns=200,
    cell_characters=100_000,
)
SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData></worksheet>'
)


def write_workbook(path: Path, rows: list[list[object]]) -> Path:
    """An honest workbook."""
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for r, cells in enumerate(rows):
            for c, cell in enumerate(cells):
                sheet.write_string(r, c, cell) if isinstance(cell, str) else sheet.write(r, c, cell)
    return path


def change_part(path: Path, name: str, content: str | bytes) -> Path:
    """Put another part into a workbook."""
    with zipfile.ZipFile(path) as old:
        parts = {n: old.read(n) for n in old.namelist()}
    parts[name] = content.encode() if isinstance(content, str) else content
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for part, data in parts.items():
            new.writestr(part, data)
    return path


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    return write_workbook(tmp_path / "reviews.xlsx", [["id", "review"], ["1", "It came late."], ["2", "Good."]])


SHEET_PART = "xl/worksheets/sheet1.xml"


def cell(place: str, value: str = "<v>1</v>", kind: str = "") -> str:
    return f'<c r="{place}"{kind}>{value}</c>'


def refused(path: Path, words: str) -> None:
    with pytest.raises(InputError, match=words) as error:
        check_footprint(path, LIMITS)
    assert str(error.value).startswith(path.name)


def test_an_honest_workbook_passes(workbook):
    check_footprint(workbook, LIMITS)


def test_one_cell_far_away_is_refused(workbook):
    far = f'<row r="1">{cell("A1")}</row><row r="1048576">{cell("A1048576")}</row>'
    check_footprint(change_part(workbook, SHEET_PART, SHEET % far), LIMITS)
    wide = f'<row r="1">{cell("A1")}</row><row r="1048576">{cell("CV1048576")}</row>'
    refused(change_part(workbook, SHEET_PART, SHEET % wide), "more than 20,000,000 cells")
    refused(change_part(workbook, SHEET_PART, SHEET % f'<row r="1">{cell("XFD1")}</row>'), "column 16,384")


def test_cells_are_counted_whatever_they_are_called(workbook):
    prefixed = (
        '<x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><x:sheetData>'
        "<x:row r='1'><x:c r='XFD1'><x:v>1</x:v></x:c></x:row></x:sheetData></x:worksheet>"
    )
    refused(change_part(workbook, SHEET_PART, prefixed), "column 16,384")
    refused(change_part(workbook, SHEET_PART, (SHEET % cell("XFD1")).encode("utf-16")), "column 16,384")
    nameless = "<row>" + "<c><v>1</v></c>" * 201 + "</row>"
    refused(change_part(workbook, SHEET_PART, SHEET % nameless), "column 201")


def test_a_long_text_that_many_cells_share_is_refused(workbook):
    shared = '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>%s</t></si></sst>'
    rows = "".join(
        f'<row r="{n}">{cell(f"A{n}", "<v>0</v>", chr(32) + chr(116) + "=" + chr(34) + "s" + chr(34))}</row>'
        for n in range(1, 5_002)
    )
    change_part(workbook, SHEET_PART, SHEET % rows)
    refused(change_part(workbook, "xl/sharedStrings.xml", shared % ("x" * 90_000)), "more than 400,000,000 characters")
    refused(change_part(workbook, "xl/sharedStrings.xml", shared % ("x" * 100_001)), "100,001 characters")


def test_a_long_text_in_a_cell_is_refused_with_its_row(workbook):
    inline = cell("B2", f"<is><t>{'x' * 100_001}</t></is>", ' t="inlineStr"')
    refused(change_part(workbook, SHEET_PART, SHEET % f'<row r="2">{inline}</row>'), "row 2: a cell has 100,001")


def test_entities_are_refused(workbook):
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + SHEET % cell("A1", "<v>&b;</v>")
    refused(change_part(workbook, SHEET_PART, bomb), "XML entities")


def test_a_sheet_that_hides_from_the_count_is_refused(workbook):
    with zipfile.ZipFile(workbook) as archive:
        links = archive.read("xl/_rels/workbook.xml.rels").decode().replace("worksheets/sheet1.xml", "media/sheet.png")
    refused(change_part(workbook, "xl/_rels/workbook.xml.rels", links), "unusual way")


@pytest.mark.parametrize("content", [b"", b"PK", b"no archive" * 50, b"PK\x03\x04" + b"\0" * 500])
def test_what_is_no_workbook_is_refused(tmp_path, content):
    path = tmp_path / "reviews.xlsx"
    path.write_bytes(content)
    refused(path, "no workbook")


def test_a_workbook_that_breaks_off_is_refused(workbook):
    whole = workbook.read_bytes()
    for share in (0.2, 0.5, 0.9, 0.99):
        workbook.write_bytes(whole[: int(len(whole) * share)])
        refused(workbook, "workbook|sheet")


def test_a_workbook_with_broken_xml_is_refused(workbook):
    refused(change_part(workbook, SHEET_PART, (SHEET % cell("A1"))[:-20]), "damaged")


def test_a_workbook_of_damaged_bytes_never_brings_down_the_reader(workbook):
    whole = workbook.read_bytes()
    dice = random.Random(4)
    for _ in range(60):
        spoiled = bytearray(whole)
        for _ in range(dice.randint(1, 20)):
            spoiled[dice.randrange(len(spoiled))] = dice.randrange(256)
        workbook.write_bytes(spoiled)
        try:
            check_footprint(workbook, LIMITS)
        except InputError:
            continue
        list(read_rows(workbook, sniff_file(workbook).layout))


def test_a_line_that_is_too_long_is_refused_by_its_number(tmp_path):
    path = tmp_path / "reviews.csv"
    path.write_text("id,review\n1,short\n2," + "x" * 1_000_001 + "\n3,short\n")
    refused(path, "line 3: has more than 1,000,000")
    path.write_text("id,review\n1,short\n2," + "x" * 10_000_000 + "\n3,short\n")
    refused(path, "line 3: has more than 1,000,000")
    path.write_text("id,review\n1," + "x" * 99_000 + "\n")
    check_footprint(path, LIMITS)
    packed = tmp_path / "reviews.jsonl.gz"
    packed.write_bytes(gzip.compress(b'{"id": 1}\n{"review": "' + b"x" * 10_000_000 + b'"}\n'))
    refused(packed, "line 2: has more than 1,000,000")


def test_json_is_bounded_in_bytes_and_values(tmp_path, monkeypatch):
    path = tmp_path / "reviews.json"
    path.write_text(json.dumps([{"id": n, "review": "late"} for n in range(100)]))
    check_footprint(path, LIMITS)
    path.write_text("[" + "[]," * 10_000_001 + "[]]")
    refused(path, "JSON Lines")
    path.write_text('["' + "x" * 64_000_000 + '"]')
    refused(path, "JSON Lines")


def write_parquet(path: Path, **columns: object) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def test_an_honest_parquet_file_passes(tmp_path):
    path = write_parquet(
        tmp_path / "reviews.parquet",
        review=["late", None, "good"],
        rating=[1, 2, None],
        tags=[["a", "b"], [], None],
        user=[{"name": "x", "city": None}] * 3,
        empty=pa.nulls(3),
    )
    check_footprint(path, LIMITS)


def test_one_long_text_that_fills_many_rows_is_refused(tmp_path):
    path = write_parquet(tmp_path / "reviews.parquet", review=pa.array(["x" * 90_000] * 8_000).dictionary_encode())
    assert path.stat().st_size < 1_000_000
    refused(path, "more than 400,000,000 bytes of text")


@pytest.mark.parametrize("inside", ["plain", "list", "struct"])
def test_a_long_cell_of_parquet_is_refused_wherever_it_is(tmp_path, inside):
    long = "ż" * 100_001
    cells = {"plain": [long], "list": [["a", long]], "struct": [{"a": {"b": long}}]}[inside]
    refused(write_parquet(tmp_path / "reviews.parquet", review=cells), "100,001 characters")


def test_columns_and_rows_of_parquet_are_told_by_its_footer(tmp_path):
    wide = write_parquet(tmp_path / "wide.parquet", **{f"c{n}": [1] for n in range(201)})
    refused(wide, "201 columns")
    refused(write_parquet(tmp_path / "long.parquet", review=["x"] * 100_001), "100,000 rows")


def test_what_is_no_parquet_is_refused(tmp_path):
    whole = io.BytesIO()
    pq.write_table(pa.table({"review": ["x" * n for n in range(500)]}), whole)
    for content in (b"", b"PAR1", b"PAR1" + b"\0" * 100 + b"PAR1", whole.getvalue()[:-100]):
        path = tmp_path / "reviews.parquet"
        path.write_bytes(content)
        refused(path, "Parquet")
    dice = random.Random(4)
    for _ in range(60):
        spoiled = bytearray(whole.getvalue())
        for _ in range(dice.randint(1, 10)):
            spoiled[dice.randrange(len(spoiled))] = dice.randrange(256)
        path.write_bytes(spoiled)
        try:
            check_footprint(path, LIMITS)
            list(read_rows(path, sniff_file(path).layout))
        except InputError:
            continue
