"""Limits of uploads: sizes as they are and unpacked, rows, columns, cells."""

from __future__ import annotations

import gzip
import io
import zipfile
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gapnlp.errors import InputError
from gapnlp.ingest.limits import UploadLimits, check_packing, check_rows, check_table

LIMITS = UploadLimits(
    upload_bytes=1_000_000,
    decompressed_bytes=30_000_000,
    zip_ratio=50,
    rows=100,
    columns=20,
    cell_characters=1_000,
)


def write_csv(path, rows, header="id,review"):
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_a_usual_file_passes(tmp_path):
    path = write_csv(tmp_path / "x.csv", [f"{n},good" for n in range(100)])
    assert check_packing(path, LIMITS) == path.stat().st_size
    assert check_rows(path, check_table(path, LIMITS), LIMITS, keep_on=lambda: None) == 100


def test_too_many_bytes_and_none(tmp_path):
    path = write_csv(tmp_path / "x.csv", ["1,good"] * 50)
    with pytest.raises(InputError, match=r"x\.csv: has 360 bytes; at most 300"):
        check_packing(path, replace(LIMITS, upload_bytes=300))
    (tmp_path / "empty.csv").touch()
    with pytest.raises(InputError, match="empty"):
        check_packing(tmp_path / "empty.csv", LIMITS)


def test_gzip_bombs_are_let_go_of_at_the_limit(tmp_path):
    path = tmp_path / "bomb.csv.gz"
    with gzip.open(path, "wb", 9) as stream:
        for _ in range(60):
            stream.write(b"a" * 1_000_000)
    assert path.stat().st_size < 100_000
    with pytest.raises(InputError, match="unpacks to more than 50 times its size"):
        check_packing(path, LIMITS)
    with pytest.raises(InputError, match="unpacks to more than 30,000,000 bytes"):
        check_packing(path, replace(LIMITS, zip_ratio=100_000))


def test_a_small_file_may_be_packed_tightly(tmp_path):
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(b"id,review\n" + b"1,good\n" * 100_000))
    assert check_packing(path, LIMITS) == 10 + 7 * 100_000


def zip_file(path, size: int, *, name: str = "xl/worksheets/sheet1.xml"):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(name, "w") as entry:
        for _ in range(size // 1_000_000):
            entry.write(b"<c/>" * 250_000)
    return path


def test_xlsx_bombs_are_let_go_of_whatever_they_say_of_themselves(tmp_path):
    path = zip_file(tmp_path / "bomb.xlsx", 40_000_000)
    with pytest.raises(InputError, match="bytes, which is the most"):
        check_packing(path, LIMITS)
    with pytest.raises(InputError, match="times its size"):
        check_packing(zip_file(tmp_path / "dense.xlsx", 20_000_000), LIMITS)
    # a size that the archive gives too small is not believed: the entry's true content is what is read
    data = path.read_bytes()
    lying = data.replace((40_000_000).to_bytes(4, "little"), (1_000).to_bytes(4, "little"))
    assert lying != data
    (tmp_path / "lying.xlsx").write_bytes(lying)
    with pytest.raises(InputError):
        check_packing(tmp_path / "lying.xlsx", LIMITS)


def test_many_entries_count_together(tmp_path):
    path = tmp_path / "many.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(20):
            archive.writestr(f"{n}.xml", b"<c/>" * 500_000)
    with pytest.raises(InputError, match="more than"):
        check_packing(path, LIMITS)


def test_parquet_tells_its_size(tmp_path):
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"review": ["the same text"] * 1000}), path)
    assert 0 < check_packing(path, LIMITS) < 100_000
    with pytest.raises(InputError, match="which is the most"):
        check_packing(path, replace(LIMITS, decompressed_bytes=10))


@pytest.mark.parametrize("name", ["x.xlsx", "x.csv.gz", "x.parquet"])
@pytest.mark.parametrize("content", [b"no archive at all", b"PK\x03\x04broken", b"\x1f\x8b\x08\x00broken" * 9])
def test_damaged_archives(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match="again"):
        check_packing(tmp_path / name, LIMITS)


def test_truncated_archives(tmp_path):
    packed = gzip.compress(bytes(range(256)) * 3000)
    (tmp_path / "x.csv.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(InputError, match="damaged"):
        check_packing(tmp_path / "x.csv.gz", LIMITS)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.xml", "x" * 5000)
    (tmp_path / "x.xlsx").write_bytes(buffer.getvalue()[:3000])
    with pytest.raises(InputError, match="damaged"):
        check_packing(tmp_path / "x.xlsx", LIMITS)


def test_too_many_columns(tmp_path):
    path = write_csv(tmp_path / "x.csv", [",".join("1" * 21)], header=",".join(f"c{n}" for n in range(21)))
    with pytest.raises(InputError, match="has 21 columns; at most 20"):
        check_table(path, LIMITS)


def test_too_many_rows(tmp_path):
    path = write_csv(tmp_path / "x.csv", [f"{n},good" for n in range(101)])
    layout = check_table(path, LIMITS)
    with pytest.raises(InputError, match="more than 100 rows"):
        check_rows(path, layout, LIMITS, keep_on=lambda: None)


def test_cells_that_are_too_long_are_named_and_not_shown(tmp_path):
    limits = replace(LIMITS, rows=10_000)
    rows = [f"{n},good" for n in range(3000)]
    rows[2500] = "2500," + "secret" * 200
    path = write_csv(tmp_path / "x.csv", rows)
    layout = check_table(path, limits)
    with pytest.raises(InputError, match=r"x\.csv, row 2502: a cell has 1,200 characters; at most 1,000") as caught:
        check_rows(path, layout, limits, keep_on=lambda: None)
    assert "secret" not in str(caught.value)
    rows[1] = rows[2500]
    with pytest.raises(InputError, match="one of the first rows"):
        check_table(write_csv(tmp_path / "y.csv", rows), limits)
    with pytest.raises(InputError, match="one of the first rows"):
        check_table(write_csv(tmp_path / "z.csv", ["1,good"], header="id,review" + "w" * 1000), limits)


def test_a_long_check_can_be_ended(tmp_path):
    path = write_csv(tmp_path / "x.csv", ["1,good"] * 25_000)
    asked = []

    def keep_on():
        asked.append(1)
        if len(asked) == 2:
            raise InterruptedError

    limits = replace(LIMITS, rows=10**6)
    with pytest.raises(InterruptedError):
        check_rows(path, check_table(path, limits), limits, keep_on=keep_on)
