"""The work file: what was finished is there after any interruption, and nothing half of it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from gapnlp.errors import StoreError
from gapnlp.store.repositories import JobRepository, Progress


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "scored.csv.gapnlp-work"


def test_a_new_job_begins_at_nothing(path):
    assert JobRepository(path).resume("a") == Progress(0, 0, None)


def test_finished_chunks_are_there_after_opening_again(path):
    first = JobRepository(path)
    first.resume("a")
    first.finish("a", Progress(1, 500), [(0, b"zero")])
    first.finish("a", Progress(2, 900), [(1, b"one")])
    first.close()
    second = JobRepository(path)
    assert second.resume("a") == Progress(2, 900, None)
    assert list(second.payloads("a")) == [b"zero", b"one"]


def test_a_snapshot_is_kept_without_chunks(path):
    job = JobRepository(path)
    job.resume("a")
    job.finish("a", Progress(7, 3500, b"tally\x00\xff"), [])
    assert JobRepository(path).resume("a") == Progress(7, 3500, b"tally\x00\xff")
    assert list(job.payloads("a")) == []


def test_another_key_drops_what_was_there(path):
    job = JobRepository(path)
    job.resume("a")
    job.finish("a", Progress(1, 500, b"t"), [(0, b"zero")])
    assert job.resume("b") == Progress(0, 0, None)
    assert list(job.payloads("a")) == []
    assert job.resume("a") == Progress(0, 0, None)


def test_payloads_come_by_number_not_by_time(path):
    job = JobRepository(path)
    job.resume("a")
    job.finish("a", Progress(1, 1), [(10, b"ten"), (2, b"two")])
    job.finish("a", Progress(2, 2), [(0, b"zero"), (9, b"nine"), (100, b"hundred")])
    assert list(job.payloads("a")) == [b"zero", b"two", b"nine", b"ten", b"hundred"]


def test_many_payloads_stream_in_order(path):
    job = JobRepository(path)
    job.resume("a")
    job.finish("a", Progress(50, 50), [(n, bytes([n]) * 1000) for n in reversed(range(50))])
    assert [p[0] for p in job.payloads("a")] == list(range(50))


def test_a_second_reader_sees_whole_transactions_only(path):
    job = JobRepository(path)
    job.resume("a")
    job.finish("a", Progress(1, 500), [(0, b"zero")])
    # What a kill leaves behind: the second chunk's transaction was begun and never ended.
    killed = sqlite3.connect(path, isolation_level=None)
    killed.execute("BEGIN")
    killed.execute("INSERT INTO chunks (job, number, payload) VALUES ('a', 1, x'00')")
    assert list(JobRepository(path).payloads("a")) == [b"zero"]
    killed.close()
    after = JobRepository(path)
    assert after.resume("a") == Progress(1, 500, None)
    assert list(after.payloads("a")) == [b"zero"]


def test_a_chunk_and_its_progress_fail_together(path):
    job = JobRepository(path)
    job.resume("a")
    job.finish("a", Progress(1, 500), [(0, b"zero")])
    with pytest.raises(StoreError):
        job.finish("a", Progress(3, 1500), [(1, b"one"), (0, b"again")])
    assert JobRepository(path).resume("a") == Progress(1, 500, None)
    assert list(job.payloads("a")) == [b"zero"]


def test_remove_leaves_nothing(path):
    job = JobRepository(path)
    job.resume("a")
    job.finish("a", Progress(1, 1), [(0, b"x")])
    job.remove()
    assert list(path.parent.iterdir()) == []
    job.remove()  # a second time is no error


@pytest.mark.parametrize(
    "content", [b"this is no database, whatever its name says" * 40, b"SQLite format 3\x00" + b"\xff" * 600]
)
def test_what_is_no_work_file_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"gapnlp-work: cannot be read or written .*delete it"):
        JobRepository(path).resume("a")
    assert path.read_bytes() == content


def test_a_database_of_something_else_is_refused(path):
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE jobs (name TEXT)")
    other.commit()
    other.close()
    with pytest.raises(StoreError, match="delete it to start afresh"):
        JobRepository(path).resume("a")


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(StoreError, match="cannot be read or written"):
        JobRepository(tmp_path / "no" / "x.gapnlp-work")


@pytest.mark.parametrize("name", ["what?now.csv", "a#b.csv", "100%25.csv", "zażółć 评论.csv", "with 'quotes'.csv"])
def test_any_file_name_will_do(tmp_path, name):
    job = JobRepository(tmp_path / name)
    job.resume("a")
    job.close()
    assert (tmp_path / name).is_file()
