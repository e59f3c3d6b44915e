"""Alembic's entry: runs on the connection that `ServiceDatabase.migrate` hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

from gapnlp.store.service_tables import SERVICE_METADATA, VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SERVICE_METADATA,
    version_table=VERSION_TABLE,
    render_as_batch=True,
    compare_type=True,
)
context.run_migrations()
