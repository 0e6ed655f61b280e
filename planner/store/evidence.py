"""What the tracker knows of nodes from before: written behind, and taken up again by the next start."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, delete, insert, select

from dsmt_core.names import Host
from planner.failed_nodes.records import Past, past_value, read_past
from planner.store.tables import EVIDENCE, NODES


def load(connection: Connection) -> dict[Host, Past]:
    """What is known of each node."""
    rows = connection.execute(select(EVIDENCE.c.host, EVIDENCE.c.value))
    return {Host(row.host): read_past(row.value) for row in rows}


def write_behind(connection: Connection, pasts: Mapping[Host, Past]) -> None:
    """Store what is known of these nodes; of one that never joined, or was forgotten, nothing is kept."""
    if not pasts:
        return
    known = set(connection.execute(select(NODES.c.host)).scalars())
    rows = [{"host": host, "value": past_value(past)} for host, past in pasts.items() if host in known]
    for row in rows:
        connection.execute(delete(EVIDENCE).where(EVIDENCE.c.host == row["host"]))
    if rows:
        connection.execute(insert(EVIDENCE), rows)
