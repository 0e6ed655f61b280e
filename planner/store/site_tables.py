"""The tables of sites, and of the roles that accounts have there."""

from __future__ import annotations

from typing import Final

from sqlalchemy import JSON, Boolean, Column, ForeignKey, String, Table, Text

from planner.store.tables import METADATA

SITES: Final = Table(
    "sites",
    METADATA,
    Column("site", String(20), primary_key=True),
    Column("description", Text, nullable=False, server_default=""),
    # What each of its slices may use, as `planner.quota` writes it; empty for no bound.
    Column("quota", String(200), nullable=False, server_default=""),
    # What all of them may use together.
    Column("together", String(200), nullable=False, server_default=""),
    Column("home", Boolean, nullable=False),
)

# The roles that an account has at a site only.
SITE_ROLES: Final = Table(
    "site_roles",
    METADATA,
    Column("site", String(20), ForeignKey("sites.site", ondelete="CASCADE"), primary_key=True),
    Column("account", String(64), ForeignKey("accounts.account", ondelete="CASCADE"), primary_key=True),
    Column("roles", JSON, nullable=False),
)
