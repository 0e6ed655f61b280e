"""Promise 9: closing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

import broker
from broker.bus import Bus, Link
from dsmt_core.errors import Invalid, Unavailable
from tests.contract.conftest import LIMITS
from tests.contract.terms import PINGER, SOON_S, Make, heard, until

if TYPE_CHECKING:
    from tests.contract.conftest import Connect, Place


async def test_it_may_be_closed_twice_and_its_iterators_end(
    connect: Connect, planner: Bus, make: Make, orders: str
) -> None:
    bus = await connect("planner")
    async with bus.consume(orders) as deliveries, bus.lease(PINGER) as lease:
        await bus.close()
        await bus.close()
        for iterator in (deliveries, lease):
            with pytest.raises(StopAsyncIteration):
                await heard(iterator)
    assert bus.health.link is Link.CLOSED
    with pytest.raises(Unavailable):
        await bus.publish(make(PINGER))
    with pytest.raises(Unavailable):
        await bus.start(wait_s=1)


async def test_what_was_published_before_closing_is_confirmed(
    connect: Connect, planner: Bus, make: Make
) -> None:
    async with planner.lease(PINGER) as lease:
        bus = await connect("planner", limits=replace(LIMITS, close_s=SOON_S))
        work = [asyncio.create_task(bus.publish(make(PINGER))) for _ in range(100)]
        await asyncio.sleep(0)
        await bus.close()
        await asyncio.gather(*work)
        for _ in work:
            await heard(lease)


async def test_a_bus_that_was_never_started_can_be_closed(place: Place) -> None:
    bus = broker.connect(place.url("planner"))
    await bus.close()
    assert bus.health.link is Link.CLOSED


async def test_no_task_is_left(place: Place, planner: Bus, make: Make, orders: str) -> None:
    before = asyncio.all_tasks()
    bus = broker.connect(place.url("planner"))
    await bus.start(wait_s=SOON_S)
    async with bus.lease(PINGER):
        await bus.publish(make(PINGER))
    await bus.close()
    await until(lambda: not asyncio.all_tasks() - before - {asyncio.current_task()})


async def test_a_url_of_another_kind_is_refused() -> None:
    with pytest.raises(Invalid):
        broker.connect("http://127.0.0.1/")
