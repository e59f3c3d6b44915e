"""Work files that are taken over: whoever claimed last writes, whoever was given up finds out and changes nothing."""

from __future__ import annotations

import sqlite3

import pytest

from gapnlp.errors import StoreError
from gapnlp.store.claimed_work import ClaimedJobRepository, ClaimLost
from gapnlp.store.repositories import Progress


def test_a_later_run_goes_on_where_the_earlier_one_stopped(tmp_path):
    first = ClaimedJobRepository(tmp_path / "work.sqlite", "first")
    first.resume("key")
    first.finish("key", Progress(1, 500), [(0, b"chunk 0")])
    second = ClaimedJobRepository(tmp_path / "work.sqlite", "second")
    assert second.resume("key") == Progress(1, 500)
    second.finish("key", Progress(2, 800), [(1, b"chunk 1")])
    assert list(second.payloads("key")) == [b"chunk 0", b"chunk 1"]


def test_an_earlier_run_that_wakes_up_changes_nothing(tmp_path):
    first = ClaimedJobRepository(tmp_path / "work.sqlite", "first")
    first.resume("key")
    second = ClaimedJobRepository(tmp_path / "work.sqlite", "second")
    second.resume("key")
    with pytest.raises(ClaimLost):
        first.finish("key", Progress(1, 500), [(0, b"late")])
    with pytest.raises(ClaimLost):
        first.resume("another key")  # would delete what the second has done
    second.finish("key", Progress(1, 500), [(0, b"chunk 0")])
    assert list(second.payloads("key")) == [b"chunk 0"]
    assert second.resume("key") == Progress(1, 500)


def test_another_key_starts_afresh(tmp_path):
    work = ClaimedJobRepository(tmp_path / "work.sqlite", "first")
    work.resume("old")
    work.finish("old", Progress(1, 500), [(0, b"of an old version")])
    assert work.resume("new") == Progress()
    assert list(work.payloads("new")) == []


def test_a_folder_that_is_gone_is_a_store_error(tmp_path):
    with pytest.raises(StoreError):
        ClaimedJobRepository(tmp_path / "deleted" / "work.sqlite", "first")


def test_a_run_that_sleeps_in_a_transaction_does_not_stop_the_next_one(tmp_path):
    path = tmp_path / "work.sqlite"
    first = ClaimedJobRepository(path, "first")
    first.resume("a")
    first.finish("a", Progress(1, 10), [(0, b"zero")])
    first.close()
    asleep = sqlite3.connect(path, isolation_level=None)
    asleep.execute("BEGIN IMMEDIATE")
    asleep.execute("UPDATE jobs SET done = 7")
    second = ClaimedJobRepository(path, "second")
    assert second.resume("a") == Progress(1, 10)
    second.finish("a", Progress(2, 20), [(1, b"one")])
    second.close()
    asleep.execute("COMMIT")
    asleep.close()
    third = ClaimedJobRepository(path, "third")
    assert third.resume("a") == Progress(2, 20)
    assert list(third.payloads("a")) == [b"zero", b"one"]
    third.close()
    assert not list(tmp_path.glob("*.second"))


def test_of_two_runs_that_copy_one_goes_on(tmp_path, monkeypatch):
    path = tmp_path / "work.sqlite"
    ClaimedJobRepository(path, "first").close()
    asleep = sqlite3.connect(path, isolation_level=None)
    asleep.execute("BEGIN IMMEDIATE")

    def slower(draft, target):
        target.touch()
        raise FileExistsError

    monkeypatch.setattr("gapnlp.store.claimed_work.os.link", slower)
    with pytest.raises(ClaimLost):
        ClaimedJobRepository(path, "second")
    asleep.close()
