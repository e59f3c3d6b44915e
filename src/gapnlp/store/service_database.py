"""The service's database: SQLite or PostgreSQL behind one set of transactions, and its schema kept up to date."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, select, text
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError
from sqlalchemy.sql.functions import func

from gapnlp.errors import InputError, MissingExtra, StoreError
from gapnlp.store.service_tables import VERSION_TABLE

MIGRATIONS = Path(__file__).with_name("migrations")
# Seconds that a SQLite writer waits for another one, and that a PostgreSQL server may take to answer a connection.
_BUSY_SECONDS = 30
_CONNECT_SECONDS = 5
# A process that is stopped or cut off in the middle of a transaction holds its locks no longer than this.
IDLE_TRANSACTION_SECONDS = 10.0
# Held while the schema is changed, so that processes starting together do it one after the other ("gapnlp").
_MIGRATION_LOCK = 0x6761706E6C70


class Duplicate(StoreError):
    """A row with this key is already there."""


def read_url(given: str | None, *, folder: Path, name: str) -> URL:
    """Make the URL of a database: the given one, or of a SQLite file in a folder.

    Raises InputError for a database that is neither SQLite nor PostgreSQL, MissingExtra without the driver.
    """
    if not given:
        return URL.create("sqlite", database=str(folder.absolute() / name))
    try:
        url = make_url(given)
    except ArgumentError:
        raise InputError("GAPNLP_DATABASE_URL is no database URL; give postgresql://user@host/name") from None
    backend = "postgresql" if url.drivername == "postgres" else url.drivername.partition("+")[0]
    if backend == "sqlite" and url.database not in (None, "", ":memory:"):
        return URL.create("sqlite", database=str(Path(str(url.database)).absolute()))
    if backend != "postgresql":
        raise InputError("GAPNLP_DATABASE_URL: only PostgreSQL and SQLite files are known; give postgresql://...")
    if find_spec("psycopg") is None:
        raise MissingExtra("PostgreSQL needs psycopg; run: pip install 'gapnlp[api]'")
    return url.set(drivername="postgresql+psycopg")


class ServiceDatabase:
    """Connections to the service's database; every error becomes a StoreError without values in it."""

    def __init__(self, url: URL) -> None:
        """Prepare connections to a URL as `read_url` gives it; nothing is opened yet."""
        self.url = url
        self._engine = _make_engine(url)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the database."""
        with _plain_errors(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a transaction that is committed at the end, or undone on any error. Raises Duplicate, StoreError."""
        with _plain_errors(), self._engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield connection

    def check(self) -> None:
        """Raise StoreError when the database does not answer or its schema is not this version's."""
        with self.reading() as connection:
            if _schema_of(connection) != newest_schema():
                raise StoreError("the service's database has another schema than this version; start it anew")

    def migrate(self, revision: str = "head") -> None:
        """Bring the schema up to date; processes that do so at the same time wait for each other."""
        with self.writing() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            if revision == "head" and _schema_of(connection) == newest_schema():
                return
            config = _alembic_config(connection)
            if revision == "head":
                command.upgrade(config, revision)
            else:
                command.downgrade(config, revision)

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()


def clock(connection: Connection) -> datetime:
    """Tell the time by the clock that all processes on this database share."""
    if connection.dialect.name != "postgresql":
        return datetime.now(UTC)
    moment: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return moment.astimezone(UTC)


@cache
def newest_schema() -> str | None:
    """Name the schema that this version works with."""
    return ScriptDirectory(str(MIGRATIONS)).get_current_head()


def prepare_sqlite_file(path: Path) -> None:
    """Set a SQLite file that another library opens to its write-ahead log, where readers never wait for a writer.

    Raises StoreError when it cannot be opened.
    """
    try:
        with closing(sqlite3.connect(path, timeout=_BUSY_SECONDS)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.Error as error:
        raise StoreError(f"{path.name}: cannot be opened in the data folder ({error}); check the folder") from None


def _schema_of(connection: Connection) -> str | None:
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


def _alembic_config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _make_engine(url: URL) -> Engine:
    # hide_parameters: errors name statements, never the values in them.
    if url.get_backend_name() == "postgresql":
        patience = f"-c idle_in_transaction_session_timeout={round(1_000 * IDLE_TRANSACTION_SECONDS)}"
        options = " ".join((patience, *url.normalized_query.get("options", ())))
        arguments = {"connect_timeout": _CONNECT_SECONDS, "application_name": "gapnlp", "options": options}
        return create_engine(url, hide_parameters=True, pool_pre_ping=True, pool_size=10, connect_args=arguments)
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": _BUSY_SECONDS})
    event.listen(engine, "connect", _tune_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _tune_sqlite(connection: Any, _record: object) -> None:
    """Leave transactions to `_begin_sqlite`, changes of schema included: a kill leaves whole ones only."""
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")


def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock at once where something will be written: a read that becomes a write can fail."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise Duplicate("a row with this key is already in the service's database") from None
    except SQLAlchemyError as error:
        reason = type(getattr(error, "orig", None) or error).__name__
        raise StoreError(f"the service's database cannot be used ({reason}); is it running and reachable?") from None
