"""How often the users of a node, or of a slice's members, were withdrawn from the broker.

What is withdrawn comes back with another password.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, insert, select, update

from dsmt_core.names import Host, Slice
from planner.store.tables import WITHDRAWALS

# No host has such a name.
_SLICE: Final = "/slice/"


def load(connection: Connection) -> dict[Host, int]:
    """How often, for each node of which it was at all."""
    rows = connection.execute(select(WITHDRAWALS.c.host, WITHDRAWALS.c.count))
    return {Host(row[0]): int(row[1]) for row in rows if not row[0].startswith(_SLICE)}


def left(connection: Connection) -> dict[Slice, int]:
    """How often a member left, for each slice that one has left."""
    asked = select(WITHDRAWALS.c.host, WITHDRAWALS.c.count).where(WITHDRAWALS.c.host.startswith(_SLICE))
    return {Slice(row[0].removeprefix(_SLICE)): int(row[1]) for row in connection.execute(asked)}


def leaves(connection: Connection, slice_: Slice, *, at: float) -> None:
    """A member leaves the slice, at ``at`` (seconds since the epoch)."""
    _count(connection, f"{_SLICE}{slice_}", at=at)


def withdraw(connection: Connection, host: Host, *, at: float) -> int:
    """Count once more, at ``at`` (seconds since the epoch); how often it was then."""
    return _count(connection, host, at=at)


def _count(connection: Connection, name: str, *, at: float) -> int:
    mine = WITHDRAWALS.c.host == name
    before = connection.execute(select(WITHDRAWALS.c.count).where(mine)).scalar()
    if before is None:
        connection.execute(insert(WITHDRAWALS).values(host=name, count=1, at=at))
        return 1
    connection.execute(update(WITHDRAWALS).where(mine).values(count=before + 1, at=at))
    return int(before) + 1
