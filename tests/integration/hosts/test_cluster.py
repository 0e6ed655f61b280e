"""A cluster forms, queues are spread over it, and it goes on without the host of the leader.

What happens when that host comes back, and one that is killed, stands in tests/chaos: it takes minutes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from broker.bus import Bus
from broker.server.settings import VHOST
from broker.topology import INGEST, node_topology
from dsmt_core.names import Host
from tests.integration.hosts.cluster import Cluster, staff, until_spare
from tests.integration.hosts.company import until
from tests.integration.hosts.conftest import Connect

pytestmark = pytest.mark.timeout(900)

# A cut-off leader is noticed after seconds; so long only on a machine that has no time for three brokers.
GOES_ON_S = 120.0


async def test_queues_are_spread_and_all_go_on_without_the_host_of_the_leader(
    cluster: Cluster, planner: Bus, connect: Connect, record_property: Callable[[str, Any], None]
) -> None:
    for number in range(9):
        await planner.declare(*node_topology(Host(f"spread{number}.example.org")))
    queues = cluster.queues()
    homes = {home for name, home in queues.items() if "spread" in name}
    assert homes == {member.node for member in cluster.members}
    told = cluster.members[0].control("list_queues", "-p", VHOST, "name", "members", "--formatter", "json")
    members = {row["name"]: row["members"] for row in json.loads(told)}
    assert sorted(members[INGEST]) == sorted(member.node for member in cluster.members)
    assert cluster.members[1].control("eval", "net_kernel:get_net_ticktime().").strip() == "8"

    victim = cluster.index(queues[INGEST])
    await until_spare(cluster.members[victim])
    async with staff(cluster, planner, connect, "cut") as all_:
        cluster.network.cut(cluster.machines[victim], cluster.lan)
        before = all_.confirmed
        await until(lambda: all_.confirmed > before + 30, GOES_ON_S)
        record_property("recovered_cut_off_s", round(await all_.recovered(GOES_ON_S), 1))
    assert not all_.missed(all_.reader)
    assert all_.lessee.lost or not all_.missed(all_.lessee)
