"""From settings to an open database."""

from __future__ import annotations

from gapnlp.service.folders import DataFolder
from gapnlp.settings import Settings
from gapnlp.store.service_database import ServiceDatabase, prepare_sqlite_file, read_url

_SERVICE_FILE = "gapnlp.sqlite"
_ENGINE_FILE = "engine.sqlite"


def open_database(settings: Settings) -> ServiceDatabase:
    """Open the service's database and bring its schema up to date. Raises StoreError, InputError, MissingExtra."""
    DataFolder(settings.data_dir).make()
    database = ServiceDatabase(read_url(_given(settings), folder=settings.data_dir, name=_SERVICE_FILE))
    database.migrate()
    return database


def is_shared(settings: Settings) -> bool:
    """Tell whether the database is one that workers on their own can use: PostgreSQL."""
    return read_url(_given(settings), folder=settings.data_dir, name=_SERVICE_FILE).get_backend_name() == "postgresql"


def engine_url(settings: Settings) -> str:
    """Name the engine's database: the service's own on PostgreSQL, else a second SQLite file beside it.

    Two files, because SQLite has one writer at a time and the engine holds its own for longer.
    """
    url = read_url(_given(settings), folder=settings.data_dir, name=_SERVICE_FILE)
    if url.get_backend_name() == "sqlite":
        DataFolder(settings.data_dir).make()
        path = settings.data_dir.absolute() / _ENGINE_FILE
        prepare_sqlite_file(path)
        url = url.set(database=str(path))
    return url.render_as_string(hide_password=False)


def _given(settings: Settings) -> str | None:
    return settings.database_url.get_secret_value() if settings.database_url else None
