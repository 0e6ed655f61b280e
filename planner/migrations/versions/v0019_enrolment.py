"""Enrolment: for how many nodes and which hosts an invitation is, and the key of a node.

Invitations of before let in any number; nodes of before have no key until they join again.

Revision ID: 0019
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the columns."""
    op.add_column("join_tokens", sa.Column("uses", sa.Integer(), nullable=True))
    op.add_column("join_tokens", sa.Column("hosts", sa.String(200), nullable=False, server_default=""))
    op.add_column("nodes", sa.Column("node_key", sa.String(400), nullable=False, server_default=""))


def downgrade() -> None:
    """Forget them."""
    op.drop_column("nodes", "node_key")
    op.drop_column("join_tokens", "hosts")
    op.drop_column("join_tokens", "uses")
