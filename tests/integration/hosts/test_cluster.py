"""Three brokers as one, each on a host of its own, from the files that ``--cluster`` writes.

The hosts are cut off and killed, while publishers, the planner's reader and a lease go on over one URL.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from broker.address import Endpoint
from broker.bus import Bus
from broker.server.member import Member
from broker.server.program import speaks_amqp
from broker.server.settings import VHOST
from broker.standins import names
from broker.topology import INGEST, history_topology, node_queue, node_topology, planner_topology
from dsmt_core.names import Host, Slice
from lab.network import Host as Machine
from lab.network import Network, Switch
from tests.integration.hosts.chronicle import Chronicle, chronicle
from tests.integration.hosts.company import RECOVERY_S, Company, company, until
from tests.integration.hosts.conftest import Connect
from tests.integration.hosts.orders import Ordered

# With the start of the three, which is the first test's: a minute and a half on a machine under load.
pytestmark = pytest.mark.timeout(300)

HEARTBEAT_S = 60.0
HISTORY_S = 3600.0
HISTORY_BYTES = 64 << 20
# Until a host that is cut off has given up the others (`net_ticktime` and a quarter), and pauses itself.
PAUSED_S = 40.0
# Asking RabbitMQ starts an Erlang of its own, which takes seconds of a busy machine.
POLL_S = 0.2
SPARE_S = 60.0
GONE_S = 45.0


@dataclass
class Cluster:
    """Three hosts with a RabbitMQ each, and the URLs by which all are reached."""

    lan: Switch
    network: Network
    machines: list[Machine]
    members: list[Member]
    urls: dict[str, str]

    def queues(self) -> dict[str, str]:
        """The node that each queue lives on, or its leader."""
        told = self.ask("list_queues", "-p", VHOST, "name", "pid", "leader", "--no-table-headers")
        rows = (line.split("\t") for line in told.splitlines())
        return {name: leader or pid.strip("<>").rsplit(".", 3)[0] for name, pid, leader in rows}

    def ask(self, *arguments: str) -> str:
        """Ask a host that serves."""
        serving = next(
            member for member in self.members if speaks_amqp(member.endpoint.host, member.endpoint.port)
        )
        return serving.control(*arguments)

    def index(self, node: str) -> int:
        return [member.node for member in self.members].index(node)


@pytest.fixture(scope="module")
def cluster(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The cluster; this thread is on a host of its own beside it."""
    folder = tmp_path_factory.mktemp("cluster")
    lan = network.switch("10.77.1")
    machines = [network.host(f"mq{number}", lan) for number in (1, 2, 3)]
    addresses = [machine.address for machine in machines]
    made = subprocess.run(
        [
            *(sys.executable, "-m", "broker.definitions", str(folder / "set-up")),
            *("--address", ",".join(addresses), "--cluster"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    urls = dict(line.split("=", 1) for line in (folder / "set-up/broker.env").read_text().splitlines())
    members = [
        Member(folder / machine.name, Endpoint(machine.address, 5672), machine.enter)
        for machine in machines
    ]
    with ExitStack() as stack:
        stack.enter_context(network.host("client", lan).entered())
        for member in members:
            stack.callback(member.kill)
            member.install(folder / "set-up" / f"{member.endpoint.host}.tar")
            member.begin()
        for member in members:
            member.wait(90)
        members[0].control("await_online_nodes", "3")
        members[0].control("import_definitions", str(folder / "set-up/definitions.json"))
        yield Cluster(lan, network, machines, members, urls)


@pytest.fixture
async def planner(cluster: Cluster, connect: Connect) -> Bus:
    """The planner's bus, with its topology in place."""
    bus: Bus = await connect(cluster.urls["DSMT_BROKER"])
    await bus.declare(*planner_topology(HEARTBEAT_S))
    await bus.declare(*history_topology(HISTORY_S, HISTORY_BYTES))
    return bus


async def test_queues_are_spread_and_ingest_is_on_every_host(cluster: Cluster, planner: Bus) -> None:
    for number in range(9):
        await planner.declare(*node_topology(Host(f"spread{number}.example.org")))
    queues = cluster.queues()
    homes = {home for name, home in queues.items() if "spread" in name}
    assert homes == {member.node for member in cluster.members}
    told = cluster.members[0].control("list_queues", "-p", VHOST, "name", "members", "--formatter", "json")
    members = {row["name"]: row["members"] for row in json.loads(told)}
    assert sorted(members[INGEST]) == sorted(member.node for member in cluster.members)
    assert cluster.members[1].control("eval", "net_kernel:get_net_ticktime().").strip() == "8"


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
        await until(lambda: speaks_amqp(endpoint.host, endpoint.port))
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


@asynccontextmanager
async def staff(cluster: Cluster, planner: Bus, connect: Connect, slice_: str) -> AsyncIterator[Company]:
    """Six publishers on three connections, and those who hear them; well under way."""
    speaking = [await connect(cluster.urls["DSMT_NODE_BROKER"]) for _ in range(3)]
    monitor = await connect(cluster.urls["DSMT_OPERATOR_BROKER"])
    async with company(speaking, planner, monitor, Slice(slice_)) as all_:
        await until(lambda: all_.confirmed > 60)
        yield all_


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


async def until_spare(member: Member) -> None:
    """Until no quorum queue needs ``member`` for its majority, as an operator waits before he stops a host.

    A host that has come back may serve before its replicas have joined in; with another one gone, nothing
    would then be confirmed. ``rabbitmq-queues check_if_node_is_quorum_critical`` asks the same function.
    """
    ask = "rabbit_quorum_queue:list_with_minimum_quorum_for_cli()."
    await until_told(lambda: member.control("eval", ask).strip() == "[]", SPARE_S)


async def until_told(holds: Callable[[], bool], within_s: float) -> None:
    """Wait until RabbitMQ says so; it is asked beside the loop, in which those at work go on."""
    async with asyncio.timeout(within_s):
        while not await asyncio.to_thread(holds):  # noqa: ASYNC110 - see `until`
            await asyncio.sleep(POLL_S)


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
