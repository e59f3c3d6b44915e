"""The service's schema: migrations up, down and at the same time, on both databases, and in step with the tables."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from gapnlp.errors import InputError, StoreError
from gapnlp.store.service_database import ServiceDatabase, read_url
from gapnlp.store.service_tables import SERVICE_METADATA, VERSION_TABLE

TABLES = {"gapnlp_corrections", "gapnlp_jobs", "gapnlp_keys", "gapnlp_workers"}


@pytest.fixture
def database(database_url, tmp_path):
    opened = ServiceDatabase(read_url(database_url, folder=tmp_path, name="service.sqlite"))
    yield opened
    opened.close()


def tables(database: ServiceDatabase) -> set[str]:
    with database.reading() as connection:
        return set(inspect(connection).get_table_names())


def differences(database: ServiceDatabase) -> list:
    with database.reading() as connection:
        options = {"version_table": VERSION_TABLE, "compare_type": True, "compare_server_default": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), SERVICE_METADATA)


def test_migrations_make_the_tables_that_the_code_works_with(database):
    assert differences(database) != []
    database.migrate()
    assert differences(database) == []
    database.check()


def test_migrations_go_down_and_up_again(database):
    database.migrate()
    assert tables(database) >= TABLES
    database.migrate("base")
    assert not tables(database) & TABLES
    with pytest.raises(StoreError, match="another schema"):
        database.check()
    database.migrate()
    assert differences(database) == []
    database.check()


def test_migrating_twice_changes_nothing(database):
    database.migrate()
    database.migrate()
    database.check()


def test_processes_that_start_together_migrate_one_after_the_other(database_url, tmp_path):
    url = read_url(database_url, folder=tmp_path, name="service.sqlite")
    databases = [ServiceDatabase(url) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(ServiceDatabase.migrate, databases))
    for database in databases:
        database.check()
        database.close()


def test_a_migration_that_breaks_off_leaves_nothing_behind(database, monkeypatch):
    from alembic import op

    made = op.create_table

    def break_off(name: str, *columns: object) -> None:
        if name == "gapnlp_workers":
            raise KeyboardInterrupt
        made(name, *columns)

    monkeypatch.setattr(op, "create_table", break_off)
    with pytest.raises(KeyboardInterrupt):
        database.migrate()
    assert tables(database) == set()
    monkeypatch.undo()
    database.migrate()
    database.check()


def test_errors_hold_no_values(database):
    from sqlalchemy import insert

    from gapnlp.store.service_tables import SERVICE_KEYS

    database.migrate()
    with pytest.raises(StoreError) as caught, database.writing() as connection:
        connection.execute(insert(SERVICE_KEYS).values(prefix="sesame"))
    assert "sesame" not in str(caught.value)


def test_a_database_that_is_not_there_is_a_store_error(tmp_path):
    away = ServiceDatabase(read_url("postgresql://nobody@127.0.0.1:9/nothing", folder=tmp_path, name="x"))
    with pytest.raises(StoreError, match="running and reachable"):
        away.migrate()
    closed = ServiceDatabase(read_url(None, folder=tmp_path / "missing", name="x.sqlite"))
    with pytest.raises(StoreError):
        closed.check()


@pytest.mark.parametrize(
    ("given", "drivername"),
    [
        ("postgresql://u:p@h/d", "postgresql+psycopg"),
        ("postgres://u:p@h/d", "postgresql+psycopg"),
        ("postgresql+psycopg2://u:p@h/d", "postgresql+psycopg"),
        ("sqlite:///some.sqlite", "sqlite"),
        (None, "sqlite"),
        ("", "sqlite"),
    ],
)
def test_urls(given, drivername, tmp_path):
    url = read_url(given, folder=tmp_path, name="service.sqlite")
    assert url.drivername == drivername
    if drivername == "sqlite":
        assert Path(url.database).is_absolute()


@pytest.mark.parametrize("given", ["mysql://u:secret@h/d", "not a url", "sqlite://", "sqlite:///:memory:"])
def test_other_databases_are_refused_without_showing_the_url(given, tmp_path):
    with pytest.raises(InputError, match="GAPNLP_DATABASE_URL") as caught:
        read_url(given, folder=tmp_path, name="x")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("given", ["", "?options=-c%20statement_timeout%3D70000"])
def test_a_process_that_sleeps_in_a_transaction_holds_its_locks_for_a_while_only(
    postgres, tmp_path, monkeypatch, given
):
    monkeypatch.setattr("gapnlp.store.service_database.IDLE_TRANSACTION_SECONDS", 0.3)
    url = read_url(postgres.url(postgres.new_database()) + given, folder=tmp_path, name="x")
    asleep, awake = ServiceDatabase(url), ServiceDatabase(url)
    awake.migrate()
    with pytest.raises(StoreError), asleep.writing() as connection:  # noqa: PT012 - it is ended where it sleeps
        connection.execute(text("LOCK TABLE gapnlp_jobs"))
        with awake.writing() as other:
            other.execute(text("LOCK TABLE gapnlp_jobs"))
            shown = other.execute(text("SHOW statement_timeout")).scalar_one()
    assert shown == ("70s" if given else "0")
    for database in (asleep, awake):
        database.check()
        database.close()
