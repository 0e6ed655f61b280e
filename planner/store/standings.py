"""What people want of nodes: a row for each node that is, or will be, out of service."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, bindparam, delete, insert, select

from dsmt_core.names import Host
from planner.standing import IN_SERVICE, Standing, Standings, Wish, read_standing, wished, written_standing
from planner.store.nodes import no_node
from planner.store.tables import NODES, STANDINGS


def load_standings(connection: Connection) -> dict[Host, Standing]:
    """The standing of every node of which something is wanted."""
    rows = connection.execute(select(STANDINGS).order_by(STANDINGS.c.host))
    return {Host(row.host): read_standing(row.value) for row in rows}


def wish(connection: Connection, hosts: Collection[Host], said: Wish, *, now: float) -> Standings:
    """Store what a verb makes of the standing of some nodes: of all of them, or of none.

    Returns:
        The standing of every node afterwards.

    Raises:
        NotFound: one of the nodes is not there.
        Invalid, Full, Conflict: of `planner.standing.wished`.
    """
    joined = set(connection.execute(select(NODES.c.host)).scalars())
    for host in sorted(hosts):
        if host not in joined:
            raise no_node(host)
    before = load_standings(connection)
    after = {host: wished(before.get(host, IN_SERVICE), said, now) for host in sorted(hosts)}
    if after:
        keys = [{"of_host": host} for host in after]
        connection.execute(delete(STANDINGS).where(STANDINGS.c.host == bindparam("of_host")), keys)
    rows = [{"host": host, "value": written_standing(one)} for host, one in after.items() if one]
    if rows:
        connection.execute(insert(STANDINGS), rows)
    return {host: one for host, one in {**before, **after}.items() if one}
