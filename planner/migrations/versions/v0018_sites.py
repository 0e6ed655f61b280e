"""Sites: to which slices, nodes and accounts belong, with roles there; what a slice is for, and until when.

Everything of before belongs to the home site, and the roles of before hold everywhere.

Revision ID: 0018
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def _site() -> sa.Column[str]:
    return sa.Column("site", sa.String(20), nullable=False, server_default="")


def upgrade() -> None:
    """Make the tables and columns, and the home site."""
    sites = op.create_table(
        "sites",
        sa.Column("site", sa.String(20), primary_key=True),
        sa.Column("description", sa.Text(), nullable=False, server_default=""),
        sa.Column("quota", sa.String(200), nullable=False, server_default=""),
        sa.Column("home", sa.Boolean(), nullable=False),
    )
    op.create_table(
        "site_roles",
        sa.Column("site", sa.String(20), sa.ForeignKey("sites.site", ondelete="CASCADE"), primary_key=True),
        sa.Column(
            "account",
            sa.String(64),
            sa.ForeignKey("accounts.account", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("roles", sa.JSON(), nullable=False),
    )
    op.bulk_insert(sites, [{"site": "home", "description": "", "quota": "", "home": True}])
    for table in ("slices", "nodes", "join_tokens", "accounts"):
        op.add_column(table, _site())
    op.add_column("slices", sa.Column("description", sa.Text(), nullable=False, server_default=""))
    op.add_column("slices", sa.Column("url", sa.Text(), nullable=False, server_default=""))
    op.add_column("slices", sa.Column("quota", sa.String(200), nullable=False, server_default=""))
    op.add_column("slices", sa.Column("expires_at", sa.Float(), nullable=True))


def downgrade() -> None:
    """Forget them."""
    for column in ("expires_at", "quota", "url", "description"):
        op.drop_column("slices", column)
    for table in ("slices", "nodes", "join_tokens", "accounts"):
        op.drop_column(table, "site")
    op.drop_table("site_roles")
    op.drop_table("sites")
