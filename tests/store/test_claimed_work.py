"""Work files that are taken over: whoever claimed last writes, whoever was given up finds out and changes nothing."""

from __future__ import annotations

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
