"""Promises 3, 5 and 8: with the broker away."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

import broker
from broker.bus import Bus, Limits, Link
from dsmt_core.channels import (
    heartbeat_channel,
)
from dsmt_core.errors import Unavailable
from dsmt_core.rights import NODES, ORDERS
from tests.contract.conftest import LIMITS
from tests.contract.terms import COMMAND, HOST, PINGER, SOON_S, Make, heard, until

if TYPE_CHECKING:
    from tests.contract.conftest import Connect, Place


async def test_publishing_fails_at_once(place: Place, planner: Bus, make: Make) -> None:
    await place.cut()
    await until(lambda: planner.health.link is Link.AWAY)
    with pytest.raises(Unavailable):
        # Long before a confirm would be given up.
        async with asyncio.timeout(LIMITS.confirm_s / 3):
            await planner.publish(make(PINGER))


async def test_what_is_posted_waits_and_is_heard_in_order_afterwards(
    place: Place, connect: Connect, planner: Bus, make: Make
) -> None:
    async with planner.lease(PINGER) as lease:
        await place.cut()
        await until(lambda: planner.health.link is Link.AWAY)
        events = [make(PINGER) for _ in range(20)]
        for event in events:
            assert await planner.post(event) is False
        assert planner.health.outbox == 20
        await place.restore()
        assert [(await heard(lease)).event.seq for _ in events] == [event.seq for event in events]
        await until(lambda: planner.health.outbox == 0)


async def test_the_outbox_drops_the_oldest_and_counts_them(
    place: Place, connect: Connect, planner: Bus, make: Make
) -> None:
    bus = await connect("planner", limits=Limits(outbox=3, retry_first_s=0.05, retry_most_s=0.5))
    async with planner.lease(PINGER) as lease:
        await place.cut()
        await until(lambda: bus.health.link is Link.AWAY)
        events = [make(PINGER) for _ in range(8)]
        for event in events:
            await bus.post(event)
        assert (bus.health.outbox, bus.health.dropped) == (3, 5)
        await place.restore()
        got = [(await heard(lease)) for _ in range(3)]
        assert [delivery.event.seq for delivery in got] == [event.seq for event in events[5:]]


async def test_a_hint_never_waits(place: Place, connect: Connect, planner: Bus, make: Make) -> None:
    node = await connect("node")
    async with planner.lease(exchanges=(NODES,)) as lease:
        beat = make(heartbeat_channel(HOST), "heartbeat")
        assert node.hint(beat, exchange=NODES) is True
        assert (await heard(lease)).event == beat
        await place.cut()
        await until(lambda: node.health.link is Link.AWAY)
        assert node.hint(make(heartbeat_channel(HOST), "heartbeat"), exchange=NODES) is False
        assert node.health.outbox == 0


async def test_it_comes_back_by_itself_with_its_consumers_and_tells(
    place: Place, planner: Bus, make: Make, orders: str
) -> None:
    told = asyncio.Event()

    async def note() -> None:
        told.set()

    planner.on_connected(note)
    async with planner.consume(orders) as deliveries, planner.lease(PINGER) as lease:
        await place.cut()
        await until(lambda: planner.health.link is Link.AWAY)
        await place.restore()
        async with asyncio.timeout(SOON_S):
            await told.wait()
        assert planner.health.link is Link.CONNECTED
        assert planner.health.connects == 2
        await planner.publish(make(COMMAND), exchange=ORDERS)
        await planner.publish(make(PINGER))
        await heard(deliveries)
        await heard(lease)


async def test_starting_says_so_and_goes_on_trying(place: Place, planner: Bus) -> None:
    await place.cut()
    bus = broker.connect(place.url("planner"), limits=Limits(retry_first_s=0.05, retry_most_s=0.2))
    try:
        with pytest.raises(Unavailable):
            await bus.start(wait_s=0.5)
        await place.restore()
        await until(lambda: bus.health.link is Link.CONNECTED)
    finally:
        await bus.close()


async def test_an_error_in_what_is_called_after_connecting_ends_nothing(
    place: Place, planner: Bus, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> None:
        raise ValueError("of somebody else")

    planner.on_connected(fail)
    await place.cut()
    await until(lambda: planner.health.link is Link.AWAY)
    await place.restore()
    await until(lambda: "of somebody else" in caplog.text)
    await planner.publish(make(PINGER))
