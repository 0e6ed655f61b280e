"""Watches: of each application how it is checked and restarted.

Revision ID: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the column: all are watched as usual."""
    op.add_column("applications", sa.Column("watch", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    """All are watched as usual again."""
    op.drop_column("applications", "watch")
