"""A work file that processes take over from each other: only the one that claimed it last can write to it.

A process that was given up for lost may still be alive: stopped, swapped out, cut off from the database. When it wakes
up, its next transaction finds another claim in the file and changes nothing. One that was stopped in the middle of a
transaction holds the file's lock for as long as it sleeps: the next run then goes on in a copy of what was finished.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, String, Table, delete, insert, update

from gapnlp.errors import StoreError
from gapnlp.store.repositories import JobRepository, StoreLocked

_METADATA = MetaData()
_CLAIMS = Table("claims", _METADATA, Column("token", String(32), primary_key=True))


class ClaimLost(StoreError):
    """Another run has taken the job over."""


class ClaimedJobRepository(JobRepository):
    """The jobs of one work file, under a claim."""

    def __init__(self, path: Path, token: str) -> None:
        """Open the work file or its latest copy, or make it, and take it over. Raises StoreError."""
        self._token = token
        latest, number = _latest(path)
        try:
            self._take(latest)
        except StoreLocked:
            self.close()
            self._take(_copy(latest, _numbered(path, number + 1), token))

    def _take(self, path: Path) -> None:
        super().__init__(path)
        with self._guarded() as connection:
            _METADATA.create_all(connection)
            connection.execute(delete(_CLAIMS))
            connection.execute(insert(_CLAIMS).values(token=self._token))

    def _hold(self, connection: Connection) -> None:
        """Raise ClaimLost when another run has taken over. An update, since that takes the file's write lock."""
        mine = update(_CLAIMS).where(_CLAIMS.c.token == self._token).values(token=self._token)
        if connection.execute(mine).rowcount != 1:
            raise ClaimLost(f"{self._path.name}: another run has taken this job over")


def _latest(path: Path) -> tuple[Path, int]:
    """Find the copy that the last run made, and its number; 0 is the file itself."""
    number = 0
    while _numbered(path, number + 1).exists():
        number += 1
    return _numbered(path, number), number


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.stem}-{number}{path.suffix}") if number else path


def _copy(source: Path, target: Path, token: str) -> Path:
    """Copy what is finished; readers are not kept out by the lock. The copy appears whole, or not at all."""
    draft = target.with_name(f"{target.name}.{token}")
    try:
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(draft)) as new:
            old.backup(new)
        os.link(draft, target)  # unlike a renaming, it fails when another run was faster
    except FileExistsError:
        raise ClaimLost(f"{source.name}: another run has taken this job over") from None
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{source.name}: is locked and cannot be copied ({type(error).__name__})") from None
    finally:
        with suppress(OSError):
            draft.unlink()
    return target
