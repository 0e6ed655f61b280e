"""Keys of accounts; and tokens that are renewed by use, or have a name and stay.

Revision ID: 0017
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and the columns; tokens of before end when they would have."""
    op.create_table(
        "account_keys",
        sa.Column(
            "account",
            sa.String(64),
            sa.ForeignKey("accounts.account", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("comment", sa.String(128), nullable=False),
        sa.Column("added_at", sa.Float(), nullable=False),
    )
    op.add_column("tokens", sa.Column("name", sa.String(64), nullable=False, server_default=""))
    op.add_column("tokens", sa.Column("made_at", sa.Float(), nullable=False, server_default="0"))
    op.add_column("tokens", sa.Column("renewed_until", sa.Float(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Forget them."""
    op.drop_table("account_keys")
    for column in ("name", "made_at", "renewed_until"):
        op.drop_column("tokens", column)
