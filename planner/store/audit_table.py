"""The table of the audit log, beside the others of `planner.store.tables`."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, String, Table, Text

from planner.store.tables import METADATA

# Entries as `dsmt_core.audit` writes them; triggers refuse to change or remove them (migration 0015).
AUDIT: Final = Table(
    "audit",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("account", String(200), nullable=False),
    Column("role", String(16), nullable=False),
    Column("origin", String(80), nullable=False),
    Column("act", String(80), nullable=False),
    Column("about", String(220), nullable=False),
    Column("slice", String(80), nullable=False),
    Column("outcome", String(300), nullable=False),
    Column("change", Text, nullable=False),
    Column("before", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Index(None, "at_ms"),
    Index(None, "slice"),
    Index(None, "account"),
)
