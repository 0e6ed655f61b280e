"""Three brokers as one, a host each, from the files that ``--cluster`` writes; and those who use them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from broker.address import PORTS, Endpoint
from broker.bus import Bus
from broker.server.member import Member
from broker.server.settings import VHOST
from dsmt_core.names import Slice
from lab.network import Host as Machine
from lab.network import Network, Switch
from tests.integration.hosts.company import Company, company, until

HEARTBEAT_S = 60.0
HISTORY_S = 3600.0
HISTORY_BYTES = 64 << 20
# Three Erlangs that start at once, on a busy machine.
START_S = 240.0
# Until the replicas of a host that has come back have joined in.
SPARE_S = 180.0
POLL_S = 0.2


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
        serving = next(member for member in self.members if member.serves())
        return serving.control(*arguments)

    def index(self, node: str) -> int:
        return [member.node for member in self.members].index(node)


@contextmanager
def clustered(network: Network, folder: Path, *, tls: bool = False) -> Iterator[Cluster]:
    """The cluster; this thread is on a host of its own beside it."""
    lan = network.switch("10.77.1")
    port = PORTS["amqps" if tls else "amqp"]
    machines = [network.host(f"mq{number}", lan) for number in (1, 2, 3)]
    addresses = [machine.address for machine in machines]
    made = subprocess.run(
        [
            *(sys.executable, "-m", "broker.definitions", str(folder / "set-up")),
            *("--address", ",".join(addresses), "--cluster", *(["--tls"] if tls else [])),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    urls = dict(line.split("=", 1) for line in (folder / "set-up/broker.env").read_text().splitlines())
    members = [
        Member(folder / machine.name, Endpoint(machine.address, port), machine.enter)
        for machine in machines
    ]
    with ExitStack() as stack:
        stack.enter_context(network.host("client", lan).entered())
        for member in members:
            stack.callback(member.kill)
            member.install(folder / "set-up" / f"{member.endpoint.host}.tar")
            member.begin()
        for member in members:
            member.wait(START_S)
        members[0].control("await_online_nodes", "3")
        members[0].control("import_definitions", str(folder / "set-up/definitions.json"))
        yield Cluster(lan, network, machines, members, urls)


@asynccontextmanager
async def staff(
    cluster: Cluster, planner: Bus, connect: Callable[..., Any], slice_: str
) -> AsyncIterator[Company]:
    """Six publishers on three connections, and those who hear them; well under way."""
    speaking = [await connect(cluster.urls["DSMT_NODE_BROKER"]) for _ in range(3)]
    monitor = await connect(cluster.urls["DSMT_OPERATOR_BROKER"])
    async with company(speaking, planner, monitor, Slice(slice_)) as all_:
        await until(lambda: all_.confirmed > 60)
        yield all_


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
