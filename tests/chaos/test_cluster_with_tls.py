"""Three brokers as one, from the files that ``--cluster --tls`` writes.

What one such host takes and refuses is in tests/integration/hosts/test_tls.py; here they find each other
over TLS, replicate over TLS, and one of them dies and comes back.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import subprocess
import time
import uuid
from collections.abc import Iterator

import pytest

from broker.address import parse, with_authority
from broker.bus import Bus
from broker.server.member import Member
from broker.server.settings import VHOST
from broker.topology import INGEST
from dsmt_core.channels import Channel
from dsmt_core.events import Event, Sender
from dsmt_core.history import Since
from dsmt_core.rights import HISTORY
from lab.network import Host as Machine
from lab.network import Network
from tests.integration.hosts.cluster import START_S, Cluster, clustered, until_spare, until_told
from tests.integration.hosts.company import RECOVERY_S, TTL_S
from tests.integration.hosts.conftest import Connect

pytestmark = pytest.mark.timeout(600)

PINGER = Channel("/com/example/pinger/")
DISTRIBUTION = 25672
# Where replicas of streams are fed from.
REPLICATION = range(6000, 6501)
LONG_S = 120.0


@pytest.fixture(scope="module")
def cluster(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """In the place of the one without TLS."""
    with clustered(network, tmp_path_factory.mktemp("cluster-tls"), tls=True) as made:
        yield made


def only(url: str, member: Member) -> str:
    """``url`` with one of its hosts."""
    address = parse(url)
    return with_authority(address.url(member.endpoint), address.authority)


def said() -> Event:
    sender = Sender("s1_mgr", f"h1.example.org/{uuid.uuid4().hex}", uuid.uuid4().hex)
    return sender.event(PINGER, "status", now=time.time(), id_=uuid.uuid4().hex, ttl=TTL_S)


async def test_what_is_said_at_one_host_is_heard_at_every_other(
    cluster: Cluster, planner: Bus, connect: Connect
) -> None:
    buses = [
        await connect(only(cluster.urls["DSMT_OPERATOR_BROKER"], member)) for member in cluster.members
    ]
    for speaker, listener in zip(buses, [*buses[1:], buses[0]], strict=True):
        event = said()
        async with listener.lease(PINGER) as lease, asyncio.timeout(LONG_S):
            await speaker.publish(event)
            assert (await anext(lease)).event == event


async def test_replicas_are_on_every_host_and_fed_over_tls(cluster: Cluster, planner: Bus) -> None:
    for queue in (INGEST, HISTORY):
        await whole(cluster, queue)
    trusting = ssl.create_default_context(cadata=parse(cluster.urls["DSMT_BROKER"]).authority)
    fed = [line for machine in cluster.machines for line in ports(machine) if line in REPLICATION]
    assert fed, "no replica is fed from another host"
    for member in cluster.members:
        with (
            socket.create_connection((member.endpoint.host, DISTRIBUTION), timeout=5.0) as plain,
            pytest.raises(ssl.SSLError, match=r"(?i)handshake.failure|certificate.required"),
            trusting.wrap_socket(plain, server_hostname=member.endpoint.host) as ended,
        ):
            ended.recv(1)
    told = cluster.members[1].control("eval", "application:get_env(osiris, replication_transport).")
    assert told.strip() == "{ok,ssl}"


async def test_a_host_that_dies_is_done_without_and_comes_back(
    cluster: Cluster, planner: Bus, connect: Connect
) -> None:
    speaker = await connect(cluster.urls["DSMT_OPERATOR_BROKER"])
    first = said()
    await speaker.publish(first)
    victim = cluster.members[2]
    await until_spare(victim)
    victim.kill()
    began = time.monotonic()
    second = said()
    await speaker.post(second)
    heard: list[Event] = []
    async with asyncio.timeout(LONG_S), planner.replay(Since(), channel=PINGER) as deliveries:
        async for delivery in deliveries:
            heard.append(delivery.event)
            if delivery.event == second:
                break
    assert first in heard
    assert time.monotonic() - began < RECOVERY_S
    victim.begin()
    await asyncio.to_thread(victim.wait, START_S)
    await whole(cluster, HISTORY)


async def whole(cluster: Cluster, queue: str) -> None:
    """Until every host has a replica that is online; RabbitMQ is asked beside the loop."""
    nodes = sorted(member.node for member in cluster.members)
    await until_told(lambda: online(cluster, queue) == nodes, LONG_S)


def online(cluster: Cluster, queue: str) -> list[str]:
    told = cluster.ask("list_queues", "-p", VHOST, "name", "online", "--formatter", "json")
    return sorted(next(row["online"] for row in json.loads(told) if row["name"] == queue))


def ports(machine: Machine) -> list[int]:
    """The ports to which a host has connections."""
    told = subprocess.run(
        [*machine.enter, "ss", "-Htn", "state", "established"], capture_output=True, text=True, check=True
    )
    return [int(line.split()[3].rpartition(":")[2]) for line in told.stdout.splitlines()]
