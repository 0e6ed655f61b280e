"""Configurations: of each application what is wanted, of each placement the digest.

Revision ID: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the columns: nothing is configured."""
    op.add_column(
        "applications", sa.Column("configuration", sa.JSON(), nullable=False, server_default="{}")
    )
    op.add_column(
        "placements", sa.Column("configuration", sa.String(16), nullable=False, server_default="")
    )


def downgrade() -> None:
    """Nothing is configured any more."""
    op.drop_column("placements", "configuration")
    op.drop_column("applications", "configuration")
