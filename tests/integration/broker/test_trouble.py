"""A broker in trouble: killed, restarted, blocked, refusing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

import broker
from broker.bus import Bus, Delivery, Link
from broker.management import Management
from broker.server.private import PrivateBroker
from broker.topology import INGEST
from dsmt_core.channels import Channel, facts_channel
from dsmt_core.errors import Denied, Unavailable
from dsmt_core.events import Event
from dsmt_core.names import Host
from tests.integration.broker.conftest import Connect, knows_after_a_kill
from tests.rabbitmq import ALARM, WELL

PINGER = Channel("/com/example/pinger/")
FACTS = facts_channel(Host("h1"))
LONG_S = 60.0

Make = Callable[..., Event]


async def heard(deliveries: AsyncIterator[Delivery]) -> Delivery:
    async with asyncio.timeout(LONG_S):
        return await anext(deliveries)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(LONG_S):
        while not true():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)


async def test_nothing_confirmed_is_lost_when_the_broker_is_killed_while_publishing(
    server: PrivateBroker, planner: Bus, connect: Connect, make: Make
) -> None:
    node: Bus = await connect(server.node_url)
    events = [make(FACTS, "facts") for _ in range(6_000)]
    outcome: dict[int, str] = {}

    async def publish(event: Event) -> None:
        try:
            await node.publish(event)
        except Unavailable:
            outcome[event.seq] = "unknown"
        else:
            outcome[event.seq] = "confirmed"

    # Only what a queue holds that is known again can be asked for: the planner makes another one anew.
    await until(lambda: knows_after_a_kill(server, INGEST))
    async with planner.consume(INGEST) as ingest:
        work = [asyncio.create_task(publish(event)) for event in events]
        await until(lambda: len(outcome) > 500)
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        await asyncio.gather(*work)
        seen: list[int] = []
        while not seen or seen[-1] != events[-1].seq:
            delivery = await heard(ingest)
            delivery.ack()
            mine = delivery.event.boot_id == events[0].boot_id
            if mine and (not seen or delivery.event.seq > max(seen)):
                seen.append(delivery.event.seq)
    confirmed = [seq for seq, state in outcome.items() if state == "confirmed"]
    assert len(confirmed) > 500
    assert set(confirmed) <= set(seen)
    assert seen == sorted(seen)
    assert node.health.connects == 2


async def test_a_killed_broker_is_waited_for_by_leases_and_posts(
    server: PrivateBroker, planner: Bus, make: Make
) -> None:
    async with planner.lease(PINGER) as lease:
        await planner.publish(make(PINGER))
        await heard(lease)
        # Here is no planner that makes a lost queue anew, and the other tests need it.
        await until(lambda: knows_after_a_kill(server, INGEST))
        await asyncio.to_thread(server.kill)
        await until(lambda: planner.health.link is Link.AWAY)
        event = make(PINGER)
        assert await planner.post(event) is False
        await asyncio.to_thread(server.start)
        # At least once: the acknowledgement of the first may have died with the broker.
        while (await heard(lease)).event != event:
            pass


async def test_a_lease_whose_queue_was_deleted_tells_of_a_gap_and_goes_on(
    server: PrivateBroker, planner: Bus, make: Make
) -> None:
    before = await _queues(server)
    async with planner.lease(PINGER) as lease:
        (name,) = [name for name in await _queues(server) - before if name.startswith("lease.")]
        await planner.delete_queue(name)
        await until(lambda: planner.health.lost > 0)
        async with asyncio.timeout(LONG_S):
            while name not in await _queues(server):
                pass
        delivery: Delivery | None = None
        while delivery is None:
            await planner.publish(make(PINGER))
            try:
                delivery = await asyncio.wait_for(anext(lease), 0.5)
            except TimeoutError:
                continue
        assert delivery.lost == 1


async def _queues(server: PrivateBroker) -> set[str]:
    names = 'rabbit_amqqueue:list_names(<<"dsmt">>)'
    asked = f"[binary_to_list(Name) || {{resource, _, queue, Name}} <- {names}]"
    told = await asyncio.to_thread(server.evaluate, asked)
    return set(re.findall(r'"(.+?)"', told))


async def test_a_broker_that_blocks_shows_in_the_health_and_what_is_posted_waits(
    server: PrivateBroker, planner: Bus, make: Make
) -> None:
    async with planner.lease(PINGER) as lease:
        await asyncio.to_thread(server.evaluate, ALARM)
        try:
            assert "memory" in await asyncio.to_thread(server.evaluate, "rabbit_alarm:get_alarms()")
            waiting = asyncio.create_task(planner.publish(make(PINGER)))
            # It is published before the other, also when the broker has blocked already.
            await asyncio.sleep(0)
            await until(lambda: planner.health.link is Link.BLOCKED)
            posted = make(PINGER)
            assert await planner.post(posted) is False
            assert not waiting.done()
        finally:
            await asyncio.to_thread(server.evaluate, WELL)
        await until(lambda: planner.health.link is Link.CONNECTED)
        async with asyncio.timeout(LONG_S):
            await waiting
        assert (await heard(lease)).event.seq == 1
        assert (await heard(lease)).event == posted


@pytest.fixture
def narrow(server: PrivateBroker) -> Iterator[Management]:
    """Nodes may speak of h1 only, which the receiver's own check does not know."""
    management = server.management
    path = "/topic-permissions/dsmt/node"
    known = next(p for p in management.request("GET", path) if p["exchange"] == "psepr")
    pattern = r"^org\.dsmt\.ns\.node\.h1\.facts$"
    management.request("PUT", path, {"exchange": "psepr", "write": pattern, "read": ".*"})
    yield management
    management.request("PUT", path, {key: known[key] for key in ("exchange", "write", "read")})


async def test_one_refused_by_the_broker_harms_none_of_those_beside_it(
    server: PrivateBroker, planner: Bus, connect: Connect, make: Make, narrow: Management
) -> None:
    node: Bus = await connect(server.node_url)
    channels = [facts_channel(Host("h2" if n in {40, 41, 80} else "h1")) for n in range(120)]
    events = [make(channel, "facts") for channel in channels]
    async with planner.lease(FACTS) as lease:
        done = await asyncio.gather(*(node.publish(e) for e in events), return_exceptions=True)
        assert [n for n, error in enumerate(done) if isinstance(error, Denied)] == [40, 41, 80]
        assert [error for error in done if error is not None and not isinstance(error, Denied)] == []
        seen: list[int] = []
        while not seen or seen[-1] != events[-1].seq:
            seq = (await heard(lease)).event.seq
            if not seen or seq > seen[-1]:
                seen.append(seq)
    assert seen == [e.seq for n, e in enumerate(events) if n not in {40, 41, 80}]


async def test_an_exchange_that_is_not_there_yet_is_waited_for_by_posts_only(
    server: PrivateBroker, connect: Connect, make: Make
) -> None:
    await asyncio.to_thread(server.management.make_vhost, "empty")
    node: Bus = await connect(server.url("node", "empty"))
    with pytest.raises(Unavailable, match="psepr"):
        await node.publish(make(FACTS, "facts"))
    assert await node.post(make(FACTS, "facts")) is False
    planner: Bus = await connect(server.url("planner", "empty"))
    await planner.declare([], [])
    await until(lambda: node.health.outbox == 0)
    await node.publish(make(FACTS, "facts"))


async def test_a_bus_that_is_closed_in_the_middle_of_the_greetings_says_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    spoken_to = asyncio.Event()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(4)
        spoken_to.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(mute, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        bus = broker.connect(f"amqp://u:p@127.0.0.1:{port}/x", name="test")
        await bus.start()
        async with asyncio.timeout(LONG_S):
            await spoken_to.wait()
            await bus.close()
        # What pika would say, it says in a later turn of the loop.
        for _ in range(10):
            await asyncio.sleep(0)
    assert [record.getMessage() for record in caplog.records] == []
