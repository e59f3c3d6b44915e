"""Access keys in the service's database: their hashes, never their secrets."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, func, insert, literal, select, update

from gapnlp.errors import NotFound
from gapnlp.records.service import ApiKey
from gapnlp.store.service_database import ServiceDatabase, clock
from gapnlp.store.service_tables import SERVICE_KEYS as KEYS


class ServiceKeys:
    """All access keys."""

    def __init__(self, database: ServiceDatabase) -> None:
        """Work on a database."""
        self._database = database

    def insert(self, key: ApiKey, *, hashed: str) -> None:
        """Add a key. Raises Duplicate when its prefix is taken."""
        values = {"prefix": key.prefix, "project": key.project, "name": key.name, "scopes": list(key.scopes)}
        times = {"created": key.created, "expires": key.expires, "revoked": key.revoked}
        with self._database.writing() as connection:
            connection.execute(insert(KEYS).values(**values, **times, hash=hashed))

    def find(self, prefix: str) -> tuple[ApiKey, str] | None:
        """Find a key by its prefix, with its hash."""
        with self._database.reading() as connection:
            row = connection.execute(select(KEYS).where(KEYS.c.prefix == prefix)).one_or_none()
        return (_read(row), row.hash) if row else None

    def all(self) -> tuple[ApiKey, ...]:
        """All keys, oldest first."""
        with self._database.reading() as connection:
            return tuple(_read(row) for row in connection.execute(select(KEYS).order_by(KEYS.c.created, KEYS.c.prefix)))

    def revoke(self, prefix: str) -> ApiKey:
        """Revoke a key for good; one that is revoked keeps its date. Raises NotFound."""
        with self._database.writing() as connection:
            at = func.coalesce(KEYS.c.revoked, literal(clock(connection), KEYS.c.revoked.type))
            query = update(KEYS).where(KEYS.c.prefix == prefix).values(revoked=at).returning(KEYS)
            row = connection.execute(query).one_or_none()
        if row is None:
            raise NotFound(f"there is no key {prefix}; `gapnlp keys list` shows all of them")
        return _read(row)


def _read(row: Row[Any]) -> ApiKey:
    times = {"created": row.created, "expires": row.expires, "revoked": row.revoked}
    return ApiKey(prefix=row.prefix, project=row.project, name=row.name, scopes=tuple(row.scopes), **times)
