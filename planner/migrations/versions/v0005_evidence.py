"""Evidence: what counts against nodes, for all slices or for one, outlives the planner.

Revision ID: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "evidence",
        sa.Column("host", sa.String(128), primary_key=True),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["host"], ["nodes.host"], name=op.f("fk_evidence_host"), ondelete="CASCADE"
        ),
    )

    op.create_table(
        "misfits",
        sa.Column("slice", sa.String(40), primary_key=True),
        sa.Column("host", sa.String(128), primary_key=True),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["slice"], ["slices.slice"], name=op.f("fk_misfits_slice"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["host"], ["nodes.host"], name=op.f("fk_misfits_host"), ondelete="CASCADE"),
    )


def downgrade() -> None:
    """How often nodes failed is forgotten."""
    op.drop_table("misfits")
    op.drop_table("evidence")
