"""What the planner knows of itself: its id, its secret, and the fencing epoch.

The epoch counts the planners that opened this database. Each carries the number it got and writes only
while the database still shows it: one that was cut off and replaced can store nothing more.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, column, insert, inspect, select, table, update

from dsmt_core.errors import Conflict
from planner.store.tables import SETTINGS

EPOCH: Final = "epoch"
AUTHORITY: Final = "authority"
CLIENTS: Final = "authority_of_clients"
PLANNER_ID: Final = "planner_id"
SIGNING_SECRET: Final = "signing_secret"  # noqa: S105 - the name of the setting, not its value
# Alembic's own.
_REVISIONS: Final = table("alembic_version", column("version_num"))


def revision(connection: Connection) -> str:
    """The last migration that was applied to this database; empty when none was."""
    if not inspect(connection).has_table(_REVISIONS.name):
        return ""
    return str(connection.execute(select(_REVISIONS.c.version_num)).scalar() or "")


def get(connection: Connection, name: str) -> str:
    """The value of a setting; empty when it was never set."""
    found = connection.execute(select(SETTINGS.c.value).where(SETTINGS.c.name == name)).scalar()
    return str(found or "")


def put(connection: Connection, name: str, value: str) -> None:
    """Set it."""
    changed = connection.execute(update(SETTINGS).where(SETTINGS.c.name == name).values(value=value))
    if changed.rowcount == 0:
        connection.execute(insert(SETTINGS).values(name=name, value=value))


def once(connection: Connection, name: str, value: str) -> str:
    """The setting; ``value`` becomes it if there is none yet."""
    known = get(connection, name)
    if known:
        return known
    put(connection, name, value)
    return value


def next_epoch(connection: Connection) -> int:
    """Take over: every planner with an older epoch is fenced off from here on."""
    epoch = int(get(connection, EPOCH) or "0") + 1
    put(connection, EPOCH, str(epoch))
    return epoch


def check_epoch(connection: Connection, epoch: int) -> None:
    """Refuse to go on when another planner has taken over.

    Raises:
        Conflict: the database belongs to a later planner.
    """
    # Held until the end of the transaction: nobody takes over between this look and the change.
    asked = select(SETTINGS.c.value).where(SETTINGS.c.name == EPOCH).with_for_update(read=True)
    if connection.execute(asked).scalar() != str(epoch):
        raise Conflict(
            "another planner has taken over this database",
            hint="end this one; only one planner may run on a database",
        )
