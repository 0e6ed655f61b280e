"""The audit log, with what keeps it as it was written.

Revision ID: 0015
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_PRUNED: Final = (
    "COALESCE((SELECT CAST(value AS BIGINT) FROM settings WHERE name = 'audit_anchor_number'), 0)"
)
_SQLITE: Final = (
    """CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is not changed'); END""",
    f"""CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit WHEN OLD.number > {_PRUNED}
    BEGIN SELECT RAISE(ABORT, 'the audit log is not removed'); END""",
)
_POSTGRESQL: Final = (
    """CREATE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'the audit log is not changed or removed'; END $$""",
    f"""CREATE FUNCTION audit_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF OLD.number > {_PRUNED} THEN RAISE EXCEPTION 'the audit log is not removed'; END IF;
    RETURN OLD; END $$""",
    "CREATE TRIGGER audit_stays BEFORE UPDATE ON audit FOR EACH ROW EXECUTE FUNCTION audit_stays()",
    "CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_is_kept()",
    "CREATE TRIGGER audit_is_whole BEFORE TRUNCATE ON audit EXECUTE FUNCTION audit_stays()",
)


def upgrade() -> None:
    """Make the table and its guards."""
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("account", sa.String(200), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("origin", sa.String(80), nullable=False),
        sa.Column("act", sa.String(80), nullable=False),
        sa.Column("about", sa.String(220), nullable=False),
        sa.Column("slice", sa.String(80), nullable=False),
        sa.Column("outcome", sa.String(300), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("before", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
    )
    op.create_index("ix_audit_at_ms", "audit", ["at_ms"])
    op.create_index("ix_audit_slice", "audit", ["slice"])
    op.create_index("ix_audit_account", "audit", ["account"])
    guards = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}
    for guard in guards.get(op.get_context().dialect.name, ()):
        op.execute(guard)


def downgrade() -> None:
    """Forget it."""
    op.drop_table("audit")
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_stays(), audit_is_kept()")
