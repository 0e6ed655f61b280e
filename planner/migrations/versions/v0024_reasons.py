"""Why something entered a state: the texts, each once, and which of them a passage has.

Passages of before have none.

Revision ID: 0024
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and the column."""
    op.create_table(
        "passage_reasons",
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("text", sa.String(160), nullable=False, unique=True),
        sa.Column("last", sa.Float(), nullable=False),
    )
    op.add_column("passages", sa.Column("reason", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Forget them."""
    op.drop_column("passages", "reason")
    op.drop_table("passage_reasons")
