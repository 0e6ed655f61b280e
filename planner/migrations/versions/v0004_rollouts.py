"""Roll-outs: the latest of each application, with those before it as history.

Revision ID: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "rollouts",
        sa.Column("slice", sa.String(40), primary_key=True),
        sa.Column("application", sa.String(64), primary_key=True),
        sa.Column("number", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["slice"], ["slices.slice"], name=op.f("fk_rollouts_slice"), ondelete="CASCADE"
        ),
    )


def downgrade() -> None:
    """Each host keeps what it has until the slice's version is ordered."""
    op.drop_table("rollouts")
