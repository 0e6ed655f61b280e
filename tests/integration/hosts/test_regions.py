"""Two regions that hear each other by federation: what crosses, what does not, and a link that is cut."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from broker.bus import Bus, Delivery, Leased
from broker.policies import WAITING, WAITING_BYTES
from broker.server.private import PrivateBroker
from broker.server.settings import USUAL_PORTS, VHOST, Place
from broker.topology import INGEST, node_topology, planner_topology
from dsmt_core.channels import Channel, command_channel
from dsmt_core.events import DEPLOYMENT_STATUS, Doubles, Event, Sender
from dsmt_core.names import CONTAINER_MGR, Host, Slice
from dsmt_core.rights import ORDERS, PSEPR, REGIONS
from lab.network import Host as Machine
from lab.network import Network, Switch
from tests.integration.hosts.company import TTL_S, until
from tests.integration.hosts.conftest import Connect

# With the start of both, which is the first test's.
pytestmark = pytest.mark.timeout(300)

PINGER = Channel("/com/example/pinger/")
MARK = Channel("/com/example/pinger/mark/")
LONG_S = 60.0
# Longer than the link's heartbeat would need to notice nothing, short enough for a test.
CUT_S = 6.0
# The link is tried again every few seconds; the rest is for a machine that many others want.
RECOVERY_S = 45.0


@dataclass
class Region:
    name: str
    machine: Machine
    broker: PrivateBroker


@dataclass
class World:
    """East and west, each on a host, with a link between that can be cut; both are reached besides."""

    network: Network
    link: Switch
    east: Region
    west: Region


@pytest.fixture(scope="module")
def world(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("regions")
    access, link = network.switch("10.77.2"), network.switch("10.77.3")
    regions = []
    with ExitStack() as stack:
        for name in ("east", "west"):
            machine = network.host(name, access, link)
            place = Place(
                address="0.0.0.0",  # noqa: S104 - all interfaces of a name space that nobody else is in
                reached=machine.addresses["10.77.2"],
                enter=machine.enter,
                plugins=("rabbitmq_federation",),
            )
            made = PrivateBroker(folder / name, ports=USUAL_PORTS, place=place)
            stack.callback(made.kill)
            regions.append(Region(name, machine, made))
        stack.enter_context(network.host("client", access).entered())
        with ThreadPoolExecutor() as threads:
            list(threads.map(lambda region: region.broker.start(), regions))
        east, west = regions
        hear(west, east, folder)
        hear(east, west, folder)
        yield World(network, link, east, west)


def hear(region: Region, other: Region, folder: Path) -> None:
    """Have ``region`` hear ``other``, over the link, as docs/how-to/link-regions.md says."""
    file = folder / f"{region.name}.json"
    there = other.broker.url("region").replace(
        other.machine.addresses["10.77.2"], other.machine.addresses["10.77.3"]
    )
    subprocess.run(
        [
            *(sys.executable, "-m", "broker.federation", str(file)),
            *("--name", region.name, "--upstream", f"{other.name}={there}"),
        ],
        check=True,
        capture_output=True,
    )
    region.broker.control("import_definitions", str(file))


@pytest.fixture
async def planners(world: World, connect: Connect) -> list[Bus]:
    """Both planners, with their topology in place."""
    buses = [await connect(region.broker.planner_url) for region in (world.east, world.west)]
    for bus in buses:
        await bus.declare(*planner_topology(60.0))
    return buses


@pytest.fixture
def make() -> Callable[..., Event]:
    """Makes the next event of one sender."""
    sender = Sender("s1_mgr", f"h1.example.org/{uuid.uuid4().hex}", uuid.uuid4().hex)

    def event(channel: Channel, field: str = "status") -> Event:
        return sender.event(channel, field, now=time.time(), id_=uuid.uuid4().hex, ttl=TTL_S)

    return event


async def heard(lease: Leased, wanted: Event) -> list[Delivery]:
    """What a lease hears up to ``wanted``."""
    deliveries: list[Delivery] = []
    async with asyncio.timeout(LONG_S):
        async for delivery in lease:
            deliveries.append(delivery)
            if delivery.event == wanted:
                break
    return deliveries


async def linked(lease: Leased, bus: Bus, make: Callable[..., Event]) -> None:
    """Until what ``bus`` says crosses the link: the plug-in passes on a lease's binding after a moment.

    Only marks of its own count: a lease that hears its own region, too, may still have those of others.
    """
    marks: list[Event] = []
    async with asyncio.timeout(LONG_S):
        while True:
            marks.append(make(MARK))
            await bus.publish(marks[-1])
            with suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    async for delivery in lease:
                        if delivery.exchange == REGIONS and delivery.event in marks:
                            return


async def test_a_lease_in_the_west_hears_the_east_each_with_its_user(
    world: World, planners: list[Bus], connect: Connect, make: Callable[..., Event]
) -> None:
    speaker = await connect(world.east.broker.operator_url)
    monitor = await connect(world.west.broker.operator_url)
    async with monitor.lease(PINGER, exchanges=(PSEPR, REGIONS)) as lease:
        await linked(lease, speaker, make)
        event = make(PINGER)
        await speaker.publish(event)
        delivery = (await heard(lease, event))[-1]
    assert (delivery.exchange, delivery.user_id) == (REGIONS, "operator")


async def test_nothing_comes_back_to_where_it_was_said(
    world: World, planners: list[Bus], connect: Connect, make: Callable[..., Event]
) -> None:
    speaker = await connect(world.east.broker.operator_url)
    there = await connect(world.west.broker.operator_url)
    both = (PSEPR, REGIONS)
    async with speaker.lease(PINGER, exchanges=both) as east, there.lease(PINGER, exchanges=both) as west:
        await linked(west, speaker, make)
        await linked(east, there, make)
        event, last = make(PINGER), make(PINGER)
        await speaker.publish(event)
        await heard(west, event)
        # What the west says afterwards comes over the same link, behind what would come back.
        await there.publish(last)
        deliveries = [one for one in await heard(east, last) if one.event.channel == PINGER]
        assert [(one.event, one.exchange) for one in deliveries] == [(event, PSEPR), (last, REGIONS)]


async def test_neither_orders_nor_reports_cross(
    world: World, planners: list[Bus], connect: Connect, make: Callable[..., Event]
) -> None:
    east, west = planners
    host = Host("h1.example.org")
    for planner in planners:
        await planner.declare(*node_topology(host))
    node = await connect(world.east.broker.node_url)
    monitor = await connect(world.west.broker.operator_url)
    async with monitor.lease(exchanges=(PSEPR, ORDERS, REGIONS)) as lease:
        await linked(lease, await connect(world.east.broker.operator_url), make)
        order = make(command_channel(Slice("s1"), CONTAINER_MGR, host), "do")
        await east.publish(order, exchange=ORDERS)
        report = make(Channel(f"/org/dsmt/ns/deployment/s1/x/status/{host}/"), DEPLOYMENT_STATUS)
        await node.publish(report)
        deliveries = await heard(lease, report)
    # A monitor hears the report, and no order; the west's planner reads neither.
    assert order not in [one.event for one in deliveries]
    own = make(report.channel, DEPLOYMENT_STATUS)
    await (await connect(world.west.broker.node_url)).publish(own)
    async with west.consume(INGEST) as ingest, asyncio.timeout(LONG_S):
        assert (await anext(ingest)).event == own


async def test_a_link_that_was_cut_loses_and_repeats_nothing(
    world: World,
    planners: list[Bus],
    connect: Connect,
    make: Callable[..., Event],
    record_property: Callable[[str, Any], None],
) -> None:
    speaker = await connect(world.east.broker.operator_url)
    monitor = await connect(world.west.broker.operator_url)
    said: list[Event] = []

    async def speak(seconds: float) -> None:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            event = make(PINGER)
            await speaker.publish(event)
            said.append(event)
            await asyncio.sleep(0.02)

    async with monitor.lease(PINGER, exchanges=(PSEPR, REGIONS)) as lease:
        await linked(lease, speaker, make)
        await speak(1.0)
        world.network.cut(world.east.machine, world.link)
        await speak(CUT_S)
        world.network.join(world.east.machine, world.link)
        joined = time.monotonic()
        await speak(1.0)
        doubles = Doubles()
        events = [one.event for one in await heard(lease, said[-1]) if doubles.is_new(one.event)]
        took = time.monotonic() - joined
    record_property("recovered_s", round(took, 1))
    assert [event for event in events if event.channel == PINGER] == said
    assert took < RECOVERY_S


async def test_what_waits_for_a_region_that_is_away_is_bounded(world: World, planners: list[Bus]) -> None:
    def waiting() -> list[dict[str, Any]]:
        queues = world.east.broker.management.queues(VHOST)
        return [queue for queue in queues if queue["name"].startswith("federation: ")]

    # RabbitMQ gives a new queue its policy after it has made it, and shows it some seconds later.
    await until(lambda: any(queue.get("policy") for queue in waiting()), LONG_S)
    queue = next(queue for queue in waiting() if queue.get("policy"))
    assert set(queue["arguments"]) >= {"x-expires", "x-message-ttl"}
    # The east was not told of it by the file of any region: it would be bounded if it heard nobody.
    bounds = world.east.broker.management.request("GET", f"/policies/{VHOST}/{queue['policy']}")[
        "definition"
    ]
    assert (bounds["max-length"], bounds["max-length-bytes"]) == (WAITING, WAITING_BYTES)
    assert bounds["overflow"] == "drop-head"
