"""Limits of slivers, of each slice.

Revision ID: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the column: nothing is limited."""
    op.add_column("slices", sa.Column("limits", sa.String(200), nullable=False, server_default=""))


def downgrade() -> None:
    """Nothing is limited any more."""
    op.drop_column("slices", "limits")
