"""The data folder: names that users give are shown, never used as paths; what is deleted is gone."""

from __future__ import annotations

import os
import stat
import time

import pytest

from gapnlp.errors import InputError, StoreError
from gapnlp.service.folders import DataFolder, ending_of, shown_name

ID = "ab" * 16


@pytest.fixture
def data(tmp_path):
    folder = DataFolder(tmp_path / "data")
    folder.make()
    return folder


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("reviews.csv", "reviews.csv"),
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\fakepath\\opinie łódź.csv", "opinie łódź.csv"),
        ("a\0b\n\u202ec.csv", "abc.csv"),
        ("评论.csv", "评论.csv"),
        ("..", ".."),
        ("/", "upload"),
        ("", "upload"),
        ("\ud800.csv", ".csv"),
        ("x" * 300 + ".csv", "x" * 196 + ".csv"),
    ],
)
def test_names_are_shown_without_folders_and_unseen_characters(given, shown):
    assert shown_name(given) == shown


def test_only_the_ending_of_a_name_is_used(data, tmp_path):
    for number, name in enumerate(["../../../x.csv", "/etc/cron.d/x.CSV.GZ", "x.csv/../../y.xlsx", "con.json"]):
        upload = tmp_path / "arrived"
        upload.write_text("id,review\n")
        folder = data.take(f"{number:032x}", upload, name)
        assert not upload.exists()
        assert [p.name for p in folder.path.iterdir()] == [f"upload{ending_of(name)}"]
        assert folder.upload.resolve().is_relative_to(data.root)
    everything = {p.name for p in tmp_path.rglob("*")}
    assert not {"x.csv", "x.CSV.GZ", "y.xlsx", "con.json"} & everything


@pytest.mark.parametrize("name", ["x", "x.exe", "x.csv.zip", "csv", "x.csv/..", ""])
def test_other_kinds_of_files_are_refused(name):
    with pytest.raises(InputError, match="kind of file"):
        ending_of(name)


@pytest.mark.parametrize("job_id", ["", "..", "../x", "A" * 32, "g" * 32, ID + "/", ID[:-1], f"{ID}\n"])
def test_only_ids_name_folders(data, job_id):
    with pytest.raises(ValueError, match="job id"):
        data.job(job_id)


def test_folders_are_closed_to_other_users(data, tmp_path):
    (tmp_path / "arrived").write_text("x")
    folder = data.take(ID, tmp_path / "arrived", "x.csv")
    for path in (data.root, folder.path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_a_borrowed_upload_stays_where_it_is(data, tmp_path):
    upload = tmp_path / "arrived"
    upload.write_text("id,review\n")
    with data.borrowed(upload, "../some.tsv") as path:
        assert path.name == "upload.tsv"
        assert path.read_text() == "id,review\n"
    assert not path.exists()
    assert upload.read_text() == "id,review\n"


def test_inputs_go_and_results_stay(data, tmp_path):
    (tmp_path / "arrived").write_text("x")
    folder = data.take(ID, tmp_path / "arrived", "x.csv")
    for name in ("work.sqlite", "work.sqlite-wal", "out/results.csv", "out-abc/results.csv"):
        path = folder.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("text")
    folder.drop_inputs()
    assert [p.relative_to(folder.path).as_posix() for p in folder.path.rglob("*") if p.is_file()] == ["out/results.csv"]
    with pytest.raises(StoreError, match="upload is not"):
        _ = folder.upload
    folder.remove()
    assert not folder.path.exists()
    folder.remove()


def test_strays_and_what_passes_are_told_by_their_age(data):
    old, new = data.job("a" * 32).path, data.job("b" * 32).path
    left = [data.root / "tmp" / "left", data.arrivals / "left.csv"]
    for folder in (old, new, left[0]):
        folder.mkdir()
    left[1].write_text("text")
    past = time.time() - 100_000
    for path in (old, *left):
        os.utime(path, (past, past))
    assert list(data.strays(older=3600)) == ["a" * 32]
    data.drop_passing(older=3600)
    assert not any(path.exists() for path in left)


def test_a_folder_that_cannot_be_made_is_a_store_error(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="GAPNLP_DATA_DIR"):
        DataFolder(tmp_path / "file").make()
