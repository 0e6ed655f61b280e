"""Restraint: what the planner stopped by its own idea, and what people agreed to.

Revision ID: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the column."""
    op.add_column("slices", sa.Column("restraint", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    """Agreements that are not carried out yet are lost."""
    op.drop_column("slices", "restraint")
