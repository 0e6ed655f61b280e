"""Labels: what people say of a node, for plans to choose by.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "labels",
        sa.Column("host", sa.String(128), primary_key=True),
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["host"], ["nodes.host"], name=op.f("fk_labels_host"), ondelete="CASCADE"),
    )


def downgrade() -> None:
    """Labels are lost."""
    op.drop_table("labels")
