"""Which installation this is: its id is made at the first start, and stays."""

from __future__ import annotations

import secrets

from sqlalchemy import Connection

from dsmt_core.errors import Conflict
from planner.config import PlannerConfig
from planner.store import accounts, settings


def identity(connection: Connection, config: PlannerConfig) -> str:
    """The id of the installation.

    Raises:
        Conflict: there is no account yet.
    """
    if not accounts.count(connection):
        raise not_initialised(config)
    return settings.once(connection, settings.PLANNER_ID, secrets.token_hex(8))


def not_initialised(config: PlannerConfig) -> Conflict:
    """The error for a planner that has no account yet."""
    return Conflict(
        f"{config.data} is not initialised: there is no account yet",
        hint=f"dsmt-planner init --data {config.data} --admin ACCOUNT",
    )
