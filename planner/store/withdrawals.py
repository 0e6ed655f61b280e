"""How often the users of a node were withdrawn from the broker; what is withdrawn comes back as another."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from dsmt_core.names import Host
from planner.store.tables import WITHDRAWALS


def load(connection: Connection) -> dict[Host, int]:
    """How often, for each node of which it was at all."""
    rows = connection.execute(select(WITHDRAWALS.c.host, WITHDRAWALS.c.count))
    return {Host(row[0]): int(row[1]) for row in rows}


def withdraw(connection: Connection, host: Host, *, at: float) -> int:
    """Count once more, at ``at`` (seconds since the epoch); how often it was then."""
    mine = WITHDRAWALS.c.host == host
    before = connection.execute(select(WITHDRAWALS.c.count).where(mine)).scalar()
    if before is None:
        connection.execute(insert(WITHDRAWALS).values(host=host, count=1, at=at))
        return 1
    connection.execute(update(WITHDRAWALS).where(mine).values(count=before + 1, at=at))
    return int(before) + 1
