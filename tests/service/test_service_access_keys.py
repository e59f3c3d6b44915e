"""Access keys: shown once, stored as hashes, refused when unknown, changed, expired or revoked."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from gapnlp.errors import InputError, NotFound
from gapnlp.service import keys as keys_module
from gapnlp.service.keys import KeyService
from gapnlp.settings import read_settings


@pytest.fixture
def keys(database_url, tmp_path):
    service = KeyService(read_settings(data_dir=tmp_path, database_url=database_url))
    yield service
    service.close()


def test_a_new_key_opens_its_project(keys):
    assert not keys.any()
    key, secret = keys.create("shop", "zendesk", ["jobs", "classify", "jobs"])
    assert re.fullmatch(r"gapnlp_[0-9a-f]{10}_[\w-]{43}", secret)
    assert key.scopes == ("classify", "jobs")
    assert keys.check(secret) == key == keys.list()[0]
    assert keys.any()


def test_secrets_are_not_stored(keys, tmp_path):
    _, secret = keys.create("shop", "zendesk", ["jobs"])
    random_part = secret.rpartition("_")[2].encode()
    with keys._database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM gapnlp_keys").all()
    assert random_part.decode() not in str(rows)
    assert all(random_part not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_two_keys_are_never_the_same(keys):
    made = [keys.create("shop", f"k{n}", ["jobs"]) for n in range(20)]
    assert len({key.prefix for key, _ in made}) == len({secret for _, secret in made}) == 20
    assert all(keys.check(secret) == key for key, secret in made)


def test_other_secrets_open_nothing(keys):
    (one, first), (_, second) = keys.create("shop", "a", ["jobs"]), keys.create("other", "b", ["jobs"])
    swapped = f"gapnlp_{one.prefix}_{second.rpartition('_')[2]}"
    changed = first[:-1] + ("A" if first[-1] != "A" else "B")
    unknown = first.replace(one.prefix, "0" * 10)
    for wrong in (
        "",
        "gapnlp",
        one.prefix,
        swapped,
        changed,
        unknown,
        first + "A",
        first + "\n",
        f" {first}",
        "é" * 60,
    ):
        assert keys.check(wrong) is None
    assert keys.check(first) == one


def test_revoked_keys_open_nothing_and_do_not_open_the_server(keys):
    key, secret = keys.create("shop", "a", ["jobs"])
    assert keys.revoke(key.prefix).revoked is not None
    assert keys.check(secret) is None
    assert keys.any()
    with pytest.raises(NotFound):
        keys.revoke("0000000000")


def test_expired_keys_open_nothing(keys, monkeypatch):
    key, secret = keys.create("shop", "a", ["jobs"], expires=datetime.now(UTC) + timedelta(days=1))
    assert keys.check(secret) == key

    class Later(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(days=1, seconds=1)

    monkeypatch.setattr(keys_module, "datetime", Later)
    assert keys.check(secret) is None


def test_a_hash_is_compared_even_for_unknown_keys(keys, monkeypatch):
    compared = []
    real = keys_module.hmac.compare_digest
    monkeypatch.setattr(keys_module.hmac, "compare_digest", lambda a, b: compared.append(a) or real(a, b))
    for secret in ("", "gapnlp_0000000000_" + "A" * 43):
        assert keys.check(secret) is None
    assert len(compared) == 2


@pytest.mark.parametrize(
    ("project", "name", "scopes", "expires", "word"),
    [
        ("", "n", ["jobs"], None, "project"),
        ("../etc", "n", ["jobs"], None, "project"),
        ("x" * 101, "n", ["jobs"], None, "project"),
        ("shop", " ", ["jobs"], None, "name"),
        ("shop", "a\nb", ["jobs"], None, "name"),
        ("shop", "n", [], None, "scopes"),
        ("shop", "n", ["root"], None, "scopes"),
        ("shop", "n", ["jobs"], datetime(2020, 1, 1, tzinfo=UTC), "expires"),
        ("shop", "n", ["jobs"], datetime(2999, 1, 1), "expires"),
    ],
)
def test_wrong_keys_are_not_made(tmp_path, project, name, scopes, expires, word):
    service = KeyService(read_settings(data_dir=tmp_path))
    with pytest.raises(InputError, match=word):
        service.create(project, name, scopes, expires)
    assert not service.any()
    service.close()
