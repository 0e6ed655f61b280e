"""The tables of passages, beside the others of `planner.store.tables`."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Float, Index, Integer, String, Table

from planner.store.tables import METADATA

# As `planner.past.passages` has them. Neither host nor slice refers to its row: what is gone has a past.
PASSAGES: Final = Table(
    "passages",
    METADATA,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False),
    Column("host", String(128), nullable=False),
    Column("slice", String(40), nullable=False),
    Column("part", String(120), nullable=False),
    Column("state", String(20), nullable=False),
    Column("reason", Integer),
    Index(None, "at"),
    Index("ix_passages_place", "host", "slice", "part", "number"),
)
# Each text once: most passages have none, and most others one of a few.
REASONS: Final = Table(
    "passage_reasons",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("text", String(160), nullable=False, unique=True),
    Column("last", Float, nullable=False),
)
