"""Quotas: what all slices of a site may use together; what it has is for each of them, as it was.

Revision ID: 0020
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the column."""
    op.add_column("sites", sa.Column("together", sa.String(200), nullable=False, server_default=""))


def downgrade() -> None:
    """Forget it."""
    op.drop_column("sites", "together")
