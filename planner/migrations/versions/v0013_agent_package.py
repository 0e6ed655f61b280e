"""Agents of others: which package a slice's agent comes in.

Revision ID: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the column: every slice has the default agent."""
    op.add_column("slices", sa.Column("agent_package", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    """Every slice has the default agent again."""
    op.drop_column("slices", "agent_package")
