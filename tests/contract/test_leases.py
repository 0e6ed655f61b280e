"""Leases: what they hear, and promise 7."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from broker.bus import Bus, Limits, Link
from dsmt_core.channels import (
    Channel,
    status_channel,
)
from dsmt_core.errors import Denied
from dsmt_core.events import DEPLOYMENT_STATUS
from dsmt_core.names import DEPLOYMENT_AGENT, Host
from dsmt_core.rights import ORDERS, PSEPR
from dsmt_core.wire import MSGPACK, encode
from tests.contract.terms import COMMAND, PINGER, SLICE, STATUS, Make, heard, until

if TYPE_CHECKING:
    from tests.contract.conftest import Connect, Place


async def test_a_lease_hears_its_channel_and_all_below_and_nothing_else(planner: Bus, make: Make) -> None:
    async with planner.lease(PINGER) as lease:
        for text in ("/com/example/pingers/", "/com/example/", "/com/other/", "/org/x/"):
            await planner.publish(make(Channel(text)))
        await planner.publish(make(PINGER))
        await planner.publish(make(Channel("/com/example/pinger/a/b.c/")))
        assert (await heard(lease)).event.channel == PINGER
        assert (await heard(lease)).event.channel == "/com/example/pinger/a/b.c/"


async def test_a_lease_on_the_root_hears_orders_too(planner: Bus, make: Make) -> None:
    async with planner.lease() as lease:
        await planner.publish(make(PINGER))
        await planner.publish(make(COMMAND), exchange=ORDERS)
        assert [(await heard(lease)).exchange for _ in range(2)] == [PSEPR, ORDERS]


async def test_a_lease_with_a_state_hears_only_that_state(planner: Bus, make: Make) -> None:
    channel = Channel("/org/dsmt/ns/deployment/s1/")
    async with planner.lease(channel, state="failed") as lease:
        for state in ("running", "failed"):
            await planner.publish(make(STATUS, DEPLOYMENT_STATUS, pairs={"status": state}))
        await planner.publish(make(STATUS, "status"))
        other = status_channel(SLICE, DEPLOYMENT_AGENT, Host("h2"))
        await planner.publish(make(other, DEPLOYMENT_STATUS, pairs={"status": "failed"}))
        got = [(await heard(lease)).event for _ in range(2)]
    assert [(event.channel, event.state) for event in got] == [(STATUS, "failed"), (other, "failed")]


async def test_once_entered_nothing_is_missed(connect: Connect, planner: Bus, make: Make) -> None:
    operator = await connect("operator")
    for _ in range(10):
        async with operator.lease(PINGER) as lease:
            event = make(PINGER)
            await planner.publish(event)
            assert (await heard(lease)).event == event


async def test_each_lease_hears_for_itself(connect: Connect, planner: Bus, make: Make) -> None:
    operator = await connect("operator")
    async with operator.lease(PINGER) as one, operator.lease() as two, planner.lease(PINGER) as three:
        event = make(PINGER)
        await planner.publish(event)
        assert [(await heard(lease)).event for lease in (one, two, three)] == [event] * 3


async def test_a_slow_reader_is_told_how_many_it_lost(connect: Connect, planner: Bus, make: Make) -> None:
    bus = await connect("operator", limits=Limits(lease_buffer=10))
    async with bus.lease(PINGER) as lease:
        events = [make(PINGER) for _ in range(50)]
        await asyncio.gather(*(planner.publish(event) for event in events))
        await until(lambda: bus.health.lost == 40)
        first = await heard(lease)
        assert (first.lost, first.event.seq) == (40, events[40].seq)
        rest = [await heard(lease) for _ in range(9)]
        assert [delivery.lost for delivery in rest] == [0] * 9


async def test_what_is_published_while_the_reader_is_away_is_heard_afterwards(
    place: Place, connect: Connect, planner: Bus, make: Make
) -> None:
    """Only where the broker outlives the connection; the embedded one tells of a loss instead."""
    async with planner.lease(PINGER) as lease:
        await place.cut()
        await until(lambda: planner.health.link is Link.AWAY)
        event = make(PINGER)
        await place.inject("planner", (PSEPR, event.key), encode(event), MSGPACK)
        await place.restore()
        delivery = await heard(lease)
        assert delivery.event == event


async def test_a_node_may_not_lease(connect: Connect, planner: Bus) -> None:
    node = await connect("node")
    with pytest.raises(Denied):
        async with node.lease(PINGER):
            pytest.fail("it was entered")
