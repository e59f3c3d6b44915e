"""Corrections of labels."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLE = "gapnlp_corrections"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        _TABLE,
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("project", sa.String(100), nullable=False),
        sa.Column("who", sa.String(100), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("job", sa.String(32)),
        sa.Column("segment", sa.BigInteger()),
        sa.Column("row", sa.BigInteger(), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("language", sa.String(8)),
        sa.Column("given", sa.JSON(), nullable=False),
        sa.Column("model_labels", sa.JSON()),
        sa.Column("model_version", sa.String(200)),
        sa.Column("target", sa.String(64), nullable=False),
        sa.Column("idempotency_key", sa.String(255)),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_gapnlp_corrections"),
        sa.UniqueConstraint("project", "idempotency_key", name="uq_gapnlp_corrections_project_idempotency_key"),
    )
    op.create_index("ix_gapnlp_corrections_project_created_id", _TABLE, ["project", "created", "id"])
    op.create_index("ix_gapnlp_corrections_project_target", _TABLE, ["project", "target"])
    op.create_index("ix_gapnlp_corrections_job", _TABLE, ["job"])


def downgrade() -> None:
    """Remove the table."""
    op.drop_table(_TABLE)
