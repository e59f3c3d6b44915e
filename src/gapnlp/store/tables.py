"""The tables: one job, its finished chunks, and the tally over them."""

from __future__ import annotations

from sqlalchemy import Column, Integer, LargeBinary, MetaData, String, Table

METADATA = MetaData()

# key: digest of everything that the results depend on. done: chunks finished. tally: snapshot after `done` chunks.
JOBS = Table(
    "jobs",
    METADATA,
    Column("key", String(64), primary_key=True),
    Column("done", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("tally", LargeBinary, nullable=True),
)

CHUNKS = Table(
    "chunks",
    METADATA,
    Column("job", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("payload", LargeBinary, nullable=False),
)
