"""Users of the broker for each party: which slice of its name one is, and how often a node was withdrawn.

Revision ID: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make column and table: slices of before have the life 0, and no node was withdrawn."""
    op.add_column("slices", sa.Column("life", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_table(
        "withdrawals",
        sa.Column("host", sa.String(128), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("host", name="pk_withdrawals"),
    )


def downgrade() -> None:
    """Forget both."""
    op.drop_table("withdrawals")
    op.drop_column("slices", "life")
