"""The service's tables, the same on SQLite and PostgreSQL; `migrations` makes them, a test holds both together."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

# Constraints have names that a later migration can say.
SERVICE_METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)
# Where Alembic notes how far the schema is; of the service's own, beside other applications in one database.
VERSION_TABLE = "gapnlp_schema"


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC; SQLite keeps no zone, so it is put on again when reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn a moment into what the database keeps."""
        if value is None:
            return None
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Give a moment in UTC."""
        if value is None:
            return None
        moment: datetime = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return moment


# claim: token of the run that may write; a later run takes the job over with another one. claimed_rows, stalls: how
# far the job was when it was last claimed, and how many claims in a row found it no further. fingerprint: digest of
# upload and options, to tell a repeated request from another one under the same idempotency key. deleted: being
# deleted; no query shows it any more.
SERVICE_JOBS = Table(
    "gapnlp_jobs",
    SERVICE_METADATA,
    Column("id", String(32), primary_key=True),
    Column("project", String(100), nullable=False),
    Column("state", String(10), nullable=False),
    Column("stage", String(10)),
    Column("file", String(255), nullable=False),
    Column("options", JSON, nullable=False),
    Column("created", UtcTime, nullable=False),
    Column("started", UtcTime),
    Column("finished", UtcTime),
    Column("updated", UtcTime),
    Column("resumed", UtcTime),
    Column("resumed_rows", BigInteger, nullable=False),
    Column("rows_done", BigInteger, nullable=False),
    Column("rows_total", BigInteger),
    Column("counts", JSON, nullable=False),
    Column("error", Text),
    Column("recognitions", JSON, nullable=False),
    Column("failures", JSON, nullable=False),
    Column("claim", String(32)),
    Column("claimed_rows", BigInteger, nullable=False),
    Column("stalls", Integer, nullable=False),
    Column("idempotency_key", String(255)),
    Column("fingerprint", String(64), nullable=False),
    Column("deleted", UtcTime),
    UniqueConstraint("project", "idempotency_key"),
    Index(None, "project", "created", "id"),
    Index(None, "state", "finished"),
)

# hash: SHA-256 of the whole secret, in hexadecimal. scopes: a list of names.
SERVICE_KEYS = Table(
    "gapnlp_keys",
    SERVICE_METADATA,
    Column("prefix", String(16), primary_key=True),
    Column("project", String(100), nullable=False),
    Column("name", String(100), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("created", UtcTime, nullable=False),
    Column("expires", UtcTime),
    Column("revoked", UtcTime),
)

# Processes that run jobs. seen: last sign of life, by the database's clock. rescuer: who is taking its jobs over.
SERVICE_WORKERS = Table(
    "gapnlp_workers",
    SERVICE_METADATA,
    Column("id", String(32), primary_key=True),
    Column("host", String(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started", UtcTime, nullable=False),
    Column("seen", UtcTime, nullable=False),
    Column("rescuer", String(32)),
)

# target: digest of what a correction is about (records.corrections.Correction.target). fingerprint: digest of the
# request, as for jobs.
SERVICE_CORRECTIONS = Table(
    "gapnlp_corrections",
    SERVICE_METADATA,
    Column("id", String(32), primary_key=True),
    Column("project", String(100), nullable=False),
    Column("who", String(100), nullable=False),
    Column("created", UtcTime, nullable=False),
    Column("job", String(32)),
    Column("segment", BigInteger),
    Column("row", BigInteger, nullable=False),
    Column("ticket", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("language", String(8)),
    Column("given", JSON, nullable=False),
    # none_as_null: nothing said is NULL, not the JSON word null.
    Column("model_labels", JSON(none_as_null=True)),
    Column("model_version", String(200)),
    Column("target", String(64), nullable=False),
    Column("idempotency_key", String(255)),
    Column("fingerprint", String(64), nullable=False),
    UniqueConstraint("project", "idempotency_key"),
    Index(None, "project", "created", "id"),
    Index(None, "project", "target"),
    Index(None, "job"),
)
