"""Promises 1, 2 and 4: confirmed, in order, bounded."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

import pytest

from broker.bus import Bus, Limits
from dsmt_core.channels import (
    Channel,
)
from dsmt_core.errors import Denied, Full, Invalid
from dsmt_core.events import DEPLOYMENT_STATUS
from dsmt_core.rights import ORDERS, PSEPR
from tests.contract.terms import COMMAND, PINGER, STATUS, Make, heard

if TYPE_CHECKING:
    from tests.contract.conftest import Connect


async def test_what_was_confirmed_is_heard_as_it_was_sent(planner: Bus, make: Make) -> None:
    async with planner.lease(PINGER) as lease:
        sent = make(PINGER, "hits", pairs={"count": "3", "text": "a,b=c"}, emit_rate=2.5)
        await planner.publish(sent)
        delivery = await heard(lease)
    assert delivery.event == sent
    assert (delivery.exchange, delivery.user_id, delivery.lost) == (PSEPR, "planner", 0)


async def test_events_arrive_in_the_order_of_their_sending(planner: Bus, make: Make) -> None:
    async with planner.lease(PINGER) as lease:
        events = [make(PINGER) for _ in range(500)]
        await asyncio.gather(*(planner.publish(event) for event in events))
        got = [(await heard(lease)).event.seq for _ in events]
    assert got == [event.seq for event in events]


async def test_many_are_handed_over_in_one_call(connect: Connect, planner: Bus, make: Make) -> None:
    bus = await connect("planner", limits=Limits(unconfirmed=50))
    async with planner.lease(PINGER) as lease:
        await bus.publish_all(make(PINGER) for _ in range(500))
        assert bus.health.unconfirmed == 0
        assert [(await heard(lease)).event.seq for _ in range(500)] == list(range(1, 501))


async def test_of_many_the_first_that_is_not_legal_ends_it(planner: Bus, make: Make) -> None:
    async with planner.lease(PINGER) as lease:
        illegal = replace(make(PINGER), value="\x00")
        with pytest.raises(Invalid):
            await planner.publish_all([make(PINGER, value="before"), illegal, make(PINGER, value="after")])
        await planner.publish(make(PINGER, value="later"))
        assert [(await heard(lease)).event.value for _ in range(2)] == ["before", "later"]
    await planner.publish_all([])


async def test_many_that_nobody_waits_for_any_more_are_given_up(
    connect: Connect, planner: Bus, make: Make
) -> None:
    bus = await connect("planner", limits=Limits(unconfirmed=5))
    async with planner.lease(PINGER) as lease:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await bus.publish_all(make(PINGER) for _ in count())
        assert (await heard(lease)).event.seq == 1
        await bus.publish(make(PINGER))
        assert bus.health.unconfirmed == 0


async def test_the_window_bounds_what_is_unconfirmed(connect: Connect, planner: Bus, make: Make) -> None:
    bus = await connect("planner", limits=Limits(unconfirmed=5, unconfirmed_bytes=100_000))
    async with bus.lease(PINGER) as lease:
        work = [asyncio.create_task(bus.publish(make(PINGER))) for _ in range(50)]
        await asyncio.sleep(0)
        assert bus.health.unconfirmed <= 5
        await asyncio.gather(*work)
        assert bus.health.unconfirmed == 0
        assert [(await heard(lease)).event.seq for _ in work] == list(range(1, 51))


async def test_an_event_larger_than_the_window_still_goes(
    connect: Connect, planner: Bus, make: Make
) -> None:
    bus = await connect("planner", limits=Limits(unconfirmed_bytes=1_000))
    async with bus.lease(PINGER) as lease:
        await asyncio.gather(*(bus.publish(make(PINGER, value="x" * 5_000)) for _ in range(3)))
        assert [len((await heard(lease)).event.value) for _ in range(3)] == [5_000] * 3


async def test_what_a_user_may_not_say_is_refused_before_it_is_sent(
    connect: Connect, planner: Bus, make: Make
) -> None:
    node = await connect("node")
    with pytest.raises(Denied):
        await node.publish(make(COMMAND), exchange=ORDERS)
    with pytest.raises(Denied):
        await node.post(make(COMMAND), exchange=ORDERS)
    await node.publish(make(STATUS))


async def test_what_is_too_large_or_has_no_key_is_refused_and_the_rest_goes_on(
    planner: Bus, make: Make
) -> None:
    with pytest.raises(Full):
        await planner.publish(make(PINGER, value="x" * (1 << 20)))
    deep = Channel(PINGER + "d" * 230 + "/")
    with pytest.raises(Invalid):
        await planner.publish(make(deep, DEPLOYMENT_STATUS, pairs={"status": "s" * 30}))
    await planner.publish(make(PINGER))


async def test_a_publisher_that_is_cancelled_harms_nobody(planner: Bus, make: Make) -> None:
    async with planner.lease(PINGER) as lease:
        task = asyncio.create_task(planner.publish(make(PINGER)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        last = make(PINGER)
        await planner.publish(last)
        while (await heard(lease)).event != last:
            pass
