"""What the tracker knows of nodes from before: written behind, and taken up again by the next start."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, delete, insert, select

from dsmt_core.names import Host
from planner.failed_nodes.misfit import Misfit, Place, misfit_value, places
from planner.failed_nodes.records import Past, past_value, read_past
from planner.store.tables import EVIDENCE, MISFITS, NODES, SLICES


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
    if rows:
        gone = delete(EVIDENCE).where(EVIDENCE.c.host == bindparam("of_host"))
        connection.execute(gone, [{"of_host": row["host"]} for row in rows])
        connection.execute(insert(EVIDENCE), rows)


def load_misfits(connection: Connection) -> dict[Place, Misfit]:
    """Which hosts do not suit which slices."""
    rows = connection.execute(select(MISFITS.c.slice, MISFITS.c.host, MISFITS.c.value))
    return dict(places((row.slice, row.host, row.value) for row in rows))


def write_misfits(connection: Connection, misfits: Mapping[Place, Misfit | None]) -> None:
    """Store these, and delete those that are None; of slices and nodes that are gone nothing is kept."""
    if not misfits:
        return
    gone = delete(MISFITS).where(
        MISFITS.c.slice == bindparam("of_slice"), MISFITS.c.host == bindparam("of_host")
    )
    connection.execute(gone, [{"of_slice": slice_, "of_host": host} for slice_, host in misfits])
    slices = set(connection.execute(select(SLICES.c.slice)).scalars())
    hosts = set(connection.execute(select(NODES.c.host)).scalars())
    rows = [
        {"slice": slice_, "host": host, "value": misfit_value(one)}
        for (slice_, host), one in misfits.items()
        if one is not None and slice_ in slices and host in hosts
    ]
    if rows:
        connection.execute(insert(MISFITS), rows)
