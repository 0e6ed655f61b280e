"""When nodes, layers and wishes passed from one state to another.

What was before is not known: the first start writes how everything is.

Revision ID: 0023
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "passages",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("host", sa.String(128), nullable=False),
        sa.Column("slice", sa.String(40), nullable=False),
        sa.Column("part", sa.String(120), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
    )
    op.create_index("ix_passages_at", "passages", ["at"])
    op.create_index("ix_passages_place", "passages", ["host", "slice", "part", "number"])


def downgrade() -> None:
    """Forget it."""
    op.drop_table("passages")
