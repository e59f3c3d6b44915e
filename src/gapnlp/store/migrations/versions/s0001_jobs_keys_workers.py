"""Jobs, access keys and workers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# As written here it stays: later changes of the tables are later migrations.
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    _make_jobs()
    op.create_table(
        "gapnlp_keys",
        sa.Column("prefix", sa.String(16), nullable=False),
        sa.Column("project", sa.String(100), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("expires", _TIME),
        sa.Column("revoked", _TIME),
        sa.PrimaryKeyConstraint("prefix", name="pk_gapnlp_keys"),
    )
    op.create_table(
        "gapnlp_workers",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started", _TIME, nullable=False),
        sa.Column("seen", _TIME, nullable=False),
        sa.Column("rescuer", sa.String(32)),
        sa.PrimaryKeyConstraint("id", name="pk_gapnlp_workers"),
    )


def downgrade() -> None:
    """Remove the tables."""
    op.drop_table("gapnlp_workers")
    op.drop_table("gapnlp_keys")
    op.drop_table("gapnlp_jobs")


def _make_jobs() -> None:
    op.create_table(
        "gapnlp_jobs",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("project", sa.String(100), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("stage", sa.String(10)),
        sa.Column("file", sa.String(255), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("started", _TIME),
        sa.Column("finished", _TIME),
        sa.Column("updated", _TIME),
        sa.Column("resumed", _TIME),
        sa.Column("resumed_rows", sa.BigInteger(), nullable=False),
        sa.Column("rows_done", sa.BigInteger(), nullable=False),
        sa.Column("rows_total", sa.BigInteger()),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("recognitions", sa.JSON(), nullable=False),
        sa.Column("failures", sa.JSON(), nullable=False),
        sa.Column("claim", sa.String(32)),
        sa.Column("claimed_rows", sa.BigInteger(), nullable=False),
        sa.Column("stalls", sa.Integer(), nullable=False),
        sa.Column("idempotency_key", sa.String(255)),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("deleted", _TIME),
        sa.PrimaryKeyConstraint("id", name="pk_gapnlp_jobs"),
        sa.UniqueConstraint("project", "idempotency_key", name="uq_gapnlp_jobs_project_idempotency_key"),
    )
    op.create_index("ix_gapnlp_jobs_project_created_id", "gapnlp_jobs", ["project", "created", "id"])
    op.create_index("ix_gapnlp_jobs_state_finished", "gapnlp_jobs", ["state", "finished"])
