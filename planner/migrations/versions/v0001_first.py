"""The first tables.

Revision ID: 0001
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them all."""
    _people()
    _slices()
    _of_slices()
    _running()
    _nodes()


def downgrade() -> None:
    """There is nothing before the first."""
    raise NotImplementedError


def _people() -> None:
    op.create_table("settings", _key("name", 40), _text("value"))
    op.create_table(
        "accounts",
        _key("account", 64),
        _text("password_hash"),
        _json("roles"),
        sa.Column("made_at", sa.Float(), nullable=False),
    )
    op.create_table(
        "tokens",
        _key("token_hash", 64),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.account"], name=op.f("fk_tokens_account"), ondelete="CASCADE"
        ),
    )
    op.create_index(op.f("ix_tokens_account"), "tokens", ["account"])
    op.create_index(op.f("ix_tokens_expires_at"), "tokens", ["expires_at"])


def _slices() -> None:
    op.create_table(
        "slices",
        _key("slice", 40),
        _string("owner", 64),
        sa.Column("managed", sa.Boolean(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        _string("agent", 64),
        _json("agent_parameters"),
        _string("plan", 64),
        _json("plan_parameters"),
        sa.Column("status_period", sa.Float(), nullable=False),
    )
    op.create_table("members", _key("slice", 40), _key("account", 64), _belongs("members"))
    op.create_table(
        "plans",
        _key("slice", 40),
        _key("plan", 64),
        _string("base", 64),
        _json("parameters"),
        _belongs("plans"),
    )


def _of_slices() -> None:
    op.create_table(
        "packages",
        _key("slice", 40),
        _key("filename", 200),
        _string("digest", 64),
        sa.Column("size", sa.BigInteger(), nullable=False),
        _string("kind", 8),
        _string("name", 128),
        _string("version", 128),
        _string("arch", 32),
        _json("requires"),
        _json("provides"),
        _string("application", 64),
        sa.Column("put_at", sa.Float(), nullable=False),
        _belongs("packages"),
    )
    op.create_index(op.f("ix_packages_digest"), "packages", ["digest"])
    op.create_table(
        "applications",
        _key("slice", 40),
        _key("application", 64),
        _string("wrapper", 128),
        _string("version", 128),
        _json("packages"),
        _text("missing"),
        _string("run", 16),
        sa.Column("restarts", sa.BigInteger(), nullable=False),
        _belongs("applications"),
    )


def _running() -> None:
    op.create_table(
        "slivers",
        _key("slice", 40),
        _key("host", 128),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        _belongs("slivers"),
    )
    op.create_table(
        "placements",
        _key("slice", 40),
        _key("host", 128),
        _key("application", 64),
        _string("version", 128),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        _string("run", 16),
        sa.Column("restarts", sa.BigInteger(), nullable=False),
        _belongs("placements"),
    )


def _nodes() -> None:
    op.create_table(
        "nodes",
        _key("host", 128),
        _string("claim_hash", 64),
        _string("boot_id", 64),
        sa.Column("joined_at", sa.Float(), nullable=False),
    )
    op.create_table(
        "seen",
        _key("host", 128),
        _key("slice", 40),
        _json("value"),
        sa.ForeignKeyConstraint(["host"], ["nodes.host"], name=op.f("fk_seen_host"), ondelete="CASCADE"),
    )
    op.create_table(
        "join_tokens",
        _key("token_hash", 64),
        _string("made_by", 64),
        sa.Column("expires_at", sa.Float(), nullable=False),
    )


def _key(name: str, length: int) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length), primary_key=True)


def _string(name: str, length: int) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length), nullable=False)


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=False)


def _json(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON(), nullable=False)


def _belongs(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["slice"], ["slices.slice"], name=op.f(f"fk_{table}_slice"), ondelete="CASCADE"
    )
