"""Standing: what people want of nodes; and the disruption budget of slices.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, and the column."""
    op.create_table(
        "standings",
        sa.Column("host", sa.String(128), primary_key=True),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["host"], ["nodes.host"], name=op.f("fk_standings_host"), ondelete="CASCADE"
        ),
    )
    op.add_column("slices", sa.Column("budget", sa.String(32), nullable=False, server_default=""))


def downgrade() -> None:
    """Every node is in service again, and every slice has the default budget."""
    op.drop_table("standings")
    op.drop_column("slices", "budget")
