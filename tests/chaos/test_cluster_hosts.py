"""Hosts of a cluster are cut off and killed, and come back, while all go on over one URL."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from broker.bus import Bus
from broker.server.member import Member
from broker.server.program import speaks_amqp
from broker.standins import names
from broker.topology import INGEST, node_queue, node_topology
from dsmt_core.names import Host
from tests.integration.hosts.chronicle import Chronicle, chronicle
from tests.integration.hosts.cluster import Cluster, staff, until_spare, until_told
from tests.integration.hosts.company import RECOVERY_S, Company, until
from tests.integration.hosts.conftest import Connect
from tests.integration.hosts.orders import Ordered

pytestmark = pytest.mark.timeout(900)

# Until a host that is cut off has given up the others (`net_ticktime` and a quarter), and pauses itself.
PAUSED_S = 90.0
GONE_S = 90.0
# A RabbitMQ that paused stops and starts whole applications one by one; on a busy machine for long.
STARTED_S = 240.0


async def test_the_host_of_the_leader_is_cut_off_and_comes_back(
    cluster: Cluster, planner: Bus, connect: Connect, record_property: Callable[[str, Any], None]
) -> None:
    victim = cluster.index(cluster.queues()[INGEST])
    endpoint = cluster.members[victim].endpoint
    await until_spare(cluster.members[victim])
    async with staff(cluster, planner, connect, "cut") as all_:
        cluster.network.cut(cluster.machines[victim], cluster.lan)
        # It is to come back as one that was given up: what pauses only later would disturb what follows.
        await until_told(lambda: has_paused(cluster.members[victim]), PAUSED_S)
        # The greater part has gone on without it.
        before = all_.confirmed
        await until(lambda: all_.confirmed > before + 30)
        cluster.network.join(cluster.machines[victim], cluster.lan)
        took = await all_.recovered()
        # What paused starts again, and that is felt by nobody.
        await until(lambda: speaks_amqp(endpoint.host, endpoint.port), STARTED_S)
        again = await all_.recovered()
    told(all_, record_property, cut_off=took, member_again=again)


async def test_a_host_is_killed_and_comes_back(
    cluster: Cluster, planner: Bus, connect: Connect, record_property: Callable[[str, Any], None]
) -> None:
    # The worst of them: it leads ingest, and the node's queue lives on it.
    victim = cluster.members[cluster.index(cluster.queues()[INGEST])]
    crew = await ordered(cluster, planner, connect, victim)
    await until(lambda: knows_its_leaders(victim))
    await until_spare(victim)
    async with (
        chronicle(cluster.urls["DSMT_BROKER"], victim.endpoint) as story,
        staff(cluster, planner, connect, "killed") as all_,
        crew,
    ):
        await crew.hears()
        # The history is read over the victim, too.
        await until(lambda: len(story.lines) > 30)
        victim.kill()
        stood_in_s = await crew.hears()
        took = await all_.recovered()
        stand_in = names(node_queue(crew.host))[1]
        assert stand_in in await asyncio.to_thread(cluster.queues)
        await asyncio.to_thread(start, victim)
        again = await all_.recovered()
        # The planner has the queue itself again, and the node reads that one.
        await until_told(lambda: stand_in not in cluster.queues(), GONE_S)
        await crew.hears()
        await without_gap_or_repeat(story, cluster)
    assert stood_in_s < RECOVERY_S
    told(all_, record_property, killed=took, member_again=again)
    record_property("orders_through_a_stand_in_s", round(stood_in_s, 1))


async def without_gap_or_repeat(story: Chronicle, cluster: Cluster) -> None:
    """What was read on the way is what the history holds."""
    last = story.lines[-1][0]
    async with chronicle(cluster.urls["DSMT_BROKER"], cluster.members[0].endpoint) as afterwards:
        assert await story.reaches(last) == await afterwards.reaches(last)
    assert (story.lost, story.bus.health.connects) == (0, 2)


def told(all_: Company, record_property: Callable[[str, Any], None], **recovery: float) -> None:
    """Nothing that was confirmed is lost; a lease may miss what it then tells."""
    figures = {f"recovered_{name}_s": round(took, 1) for name, took in recovery.items()}
    figures["longest_confirm_s"] = round(max(speaker.longest_s for speaker in all_.speakers), 1)
    for name, figure in figures.items():
        record_property(name, figure)
    assert max(recovery.values()) < RECOVERY_S, figures
    assert not all_.missed(all_.reader)
    assert all_.lessee.lost or not all_.missed(all_.lessee)


def start(member: Member) -> None:
    member.begin()
    member.wait()


def has_paused(member: Member) -> bool:
    return member.control("eval", "rabbit:is_running().").strip() == "false"


def knows_its_leaders(member: Member) -> bool:
    """Whether it would find its quorum queues after a kill: RabbitMQ 3.10 writes their names 3 s late."""
    found = next((member.folder / "data").glob("*/quorum/*/names.dets"), None)
    return found is not None and INGEST.encode() in found.read_bytes()


async def ordered(cluster: Cluster, planner: Bus, connect: Connect, home: Member) -> Ordered:
    """A node whose queue lives on ``home``."""
    hosts = [Host(f"{uuid.uuid4().hex[:8]}.example.org") for _ in range(6)]
    for host in hosts:
        await planner.declare(*node_topology(host))
    queues = cluster.queues()
    host = next(host for host in hosts if queues[node_queue(host)] == home.node)
    return Ordered(planner, await connect(cluster.urls["DSMT_NODE_BROKER"]), host)
