"""The row estimate of progress bars: about right, quick, and never a reason to stop."""

from __future__ import annotations

import gzip

import pandas as pd
import pytest

from gapnlp.ingest.counting import estimate_rows

CSV = "text,stars\n" + "came late,1\n" * 250


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "A.CSV", "b.txt", "c.jsonl", "d.ndjson", "e.parquet.csv"])
def test_lines_are_rows(tmp_path, name):
    (tmp_path / name).write_text(CSV)
    assert estimate_rows([tmp_path / name]) == 251


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_the_encoding_does_not_matter(tmp_path, encoding):
    (tmp_path / "a.csv").write_bytes(CSV.encode(encoding))
    assert estimate_rows([tmp_path / "a.csv"]) == 251


def test_gzip_is_looked_into(tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(CSV.encode()))
    assert estimate_rows([tmp_path / "a.csv.gz"]) == 251


def test_parquet_says_it_itself(tmp_path):
    pd.DataFrame({"text": ["a"] * 7}).to_parquet(tmp_path / "a.parquet")
    assert estimate_rows([tmp_path / "a.parquet"]) == 7


def test_files_are_summed_and_one_unknown_makes_the_sum_unknown(tmp_path):
    (tmp_path / "a.csv").write_text(CSV)
    (tmp_path / "b.jsonl").write_text("{}\n{}\n")
    assert estimate_rows([tmp_path / "a.csv", tmp_path / "b.jsonl"]) == 253
    (tmp_path / "c.json").write_text("[]")
    assert estimate_rows([tmp_path / "a.csv", tmp_path / "c.json"]) is None


def test_a_file_without_line_breaks_has_a_row(tmp_path):
    (tmp_path / "a.jsonl").write_text("{}")
    assert estimate_rows([tmp_path / "a.jsonl"]) == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cut.csv.gz", gzip.compress(CSV.encode() * 50)[:-40]),
        ("no.csv.gz", b"not gzip at all"),
        ("bad.parquet", b"PAR1 no"),
    ],
)
def test_damaged_files_are_left_to_the_reader(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert estimate_rows([tmp_path / name]) is None
