"""A work file that processes take over from each other: only the one that claimed it last can write to it.

A process that was given up for lost may still be alive: stopped, swapped out, cut off from the database. When it wakes
up, its next transaction finds another claim in the file and changes nothing.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, String, Table, delete, insert, update

from gapnlp.errors import StoreError
from gapnlp.store.repositories import JobRepository

_METADATA = MetaData()
_CLAIMS = Table("claims", _METADATA, Column("token", String(32), primary_key=True))


class ClaimLost(StoreError):
    """Another run has taken the job over."""


class ClaimedJobRepository(JobRepository):
    """The jobs of one work file, under a claim."""

    def __init__(self, path: Path, token: str) -> None:
        """Open the work file, or make it, and take it over. Raises StoreError."""
        super().__init__(path)
        self._token = token
        with self._guarded() as connection:
            _METADATA.create_all(connection)
            connection.execute(delete(_CLAIMS))
            connection.execute(insert(_CLAIMS).values(token=token))

    def _hold(self, connection: Connection) -> None:
        """Raise ClaimLost when another run has taken over. An update, since that takes the file's write lock."""
        mine = update(_CLAIMS).where(_CLAIMS.c.token == self._token).values(token=self._token)
        if connection.execute(mine).rowcount != 1:
            raise ClaimLost(f"{self._path.name}: another run has taken this job over")
