"""Scripts: of each package which scripts the depot found in it.

Revision ID: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the column: of what was put before nothing is told."""
    op.add_column("packages", sa.Column("scripts", sa.JSON(), nullable=False, server_default="[]"))


def downgrade() -> None:
    """Nothing is told any more."""
    op.drop_column("packages", "scripts")
