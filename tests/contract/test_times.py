"""Promise 9: an event's delivery time-to-live, by the broker's clock."""

from __future__ import annotations

import asyncio

import pytest

from broker.bus import Bus
from broker.topology import INGEST, planner_topology
from dsmt_core.channels import facts_channel
from dsmt_core.events import ONCE
from dsmt_core.rights import ORDERS
from tests.contract.terms import COMMAND, HOST, PINGER, Make, heard

BRIEF_S = 0.3
AN_HOUR_S = 3_600.0


async def test_what_nobody_took_in_time_is_not_delivered(planner: Bus, make: Make, orders: str) -> None:
    await planner.publish(make(COMMAND, "late", ttl=BRIEF_S), exchange=ORDERS)
    await planner.publish(make(COMMAND, "lasting", ttl=AN_HOUR_S), exchange=ORDERS)
    await asyncio.sleep(3 * BRIEF_S)
    async with planner.consume(orders) as deliveries:
        assert (await heard(deliveries)).event.field == "lasting"


async def test_in_the_queue_of_the_planner_too_and_what_is_said_once_outlasts_its_absence(
    planner: Bus, make: Make
) -> None:
    await planner.declare(*planner_topology(1.0))
    await planner.publish(make(facts_channel(HOST), "once", **ONCE))
    await planner.publish(make(facts_channel(HOST), "late", ttl=BRIEF_S))
    await planner.publish(make(facts_channel(HOST), "lasting", ttl=AN_HOUR_S))
    await asyncio.sleep(3 * BRIEF_S)
    async with planner.consume(INGEST) as deliveries:
        assert [(await heard(deliveries)).event.field for _ in range(2)] == ["once", "lasting"]


@pytest.mark.parametrize("ttl", [AN_HOUR_S, ONCE["ttl"], 1e15])
async def test_however_long_it_may_take_it_is_delivered(planner: Bus, make: Make, ttl: float) -> None:
    async with planner.lease(PINGER) as lease:
        event = make(PINGER, ttl=ttl)
        await planner.publish(event)
        assert (await heard(lease)).event == event
