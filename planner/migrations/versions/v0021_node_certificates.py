"""Of each node its certificate, and its last lives, so that a copy is noticed; invitations that replace.

Nodes of before get a certificate when they join again. Invitations of before replace nobody.

Revision ID: 0021
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the columns."""
    op.add_column("nodes", sa.Column("trust", sa.JSON(), nullable=True))
    op.add_column("join_tokens", sa.Column("replaces", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Forget them."""
    op.drop_column("join_tokens", "replaces")
    op.drop_column("nodes", "trust")
