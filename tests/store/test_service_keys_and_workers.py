"""Access keys and signs of life in the service's database, on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gapnlp.errors import NotFound
from gapnlp.records.service import ApiKey
from gapnlp.store.service_database import Duplicate, ServiceDatabase, read_url
from gapnlp.store.service_keys import ServiceKeys
from gapnlp.store.service_workers import ServiceWorkers

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def database(database_url, tmp_path):
    opened = ServiceDatabase(read_url(database_url, folder=tmp_path, name="service.sqlite"))
    opened.migrate()
    yield opened
    opened.close()


def test_a_key_comes_back_as_it_was(database):
    keys = ServiceKeys(database)
    first = ApiKey("aa", "shop", "zendesk", ("classify", "jobs"), NOW, expires=NOW + timedelta(days=9))
    second = ApiKey("bb", "other", "ops", ("admin",), NOW + timedelta(seconds=1))
    keys.insert(second, hashed="h2")
    keys.insert(first, hashed="h1")
    assert keys.find("aa") == (first, "h1")
    assert keys.find("cc") is None
    assert keys.all() == (first, second)
    with pytest.raises(Duplicate):
        keys.insert(first, hashed="h3")


def test_revoking_twice_keeps_the_first_date(database):
    keys = ServiceKeys(database)
    keys.insert(ApiKey("aa", "shop", "zendesk", ("jobs",), NOW), hashed="h")
    revoked = keys.revoke("aa")
    assert revoked.revoked is not None and revoked.revoked.tzinfo is not None
    assert keys.revoke("aa") == revoked == keys.all()[0]
    with pytest.raises(NotFound, match="keys list"):
        keys.revoke("bb")


def test_signs_of_life(database):
    workers = ServiceWorkers(database)
    workers.beat("a", host="h", pid=1)
    workers.beat("b", host="h", pid=2)
    (other,) = workers.others("a")
    assert (other.id, other.host, other.pid, other.rescuer) == ("b", "h", 2, None)
    assert timedelta(0) <= other.silent < timedelta(minutes=1)


def test_of_several_rescuers_one_is_told_yes(database):
    workers = ServiceWorkers(database)
    for name in ("lost", "a", "b"):
        workers.beat(name, host="h", pid=1)
    lost = next(w for w in workers.others("a") if w.id == "lost")
    assert workers.begin_rescue(lost, "a")
    assert not workers.begin_rescue(lost, "b")
    seen = next(w for w in workers.others("b") if w.id == "lost")
    assert seen.rescuer == "a"
    assert workers.begin_rescue(seen, "b")  # when a is gone as well
    workers.remove("lost")
    assert {w.id for w in workers.others("a")} == {"b"}


def test_a_process_that_was_given_up_enters_itself_again(database):
    workers = ServiceWorkers(database)
    workers.beat("a", host="h", pid=1)
    workers.remove("a")
    workers.beat("a", host="h", pid=1)
    assert [w.id for w in workers.others("b")] == ["a"]
