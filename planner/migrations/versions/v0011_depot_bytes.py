"""Quotas: of each slice how much it may keep in its depot.

Revision ID: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the column: the planner's default holds for all."""
    op.add_column("slices", sa.Column("depot_bytes", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """No slice has a bound of its own any more."""
    op.drop_column("slices", "depot_bytes")
