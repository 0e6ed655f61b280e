"""Guard rails of a slice.

Revision ID: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the column."""
    op.add_column("slices", sa.Column("guard", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    """No slice has guard rails any more."""
    op.drop_column("slices", "guard")
