"""Publishers: whose packages a slice takes, and who signed those of its depot.

Slices of before take any package.

Revision ID: 0022
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the columns."""
    op.add_column("slices", sa.Column("publishers", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("packages", sa.Column("signatures", sa.JSON(), nullable=False, server_default="[]"))


def downgrade() -> None:
    """Forget them."""
    op.drop_column("packages", "signatures")
    op.drop_column("slices", "publishers")
