"""Making queues and bindings."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

import pytest

from broker.bus import Bus
from broker.topology import Binding, Queue
from dsmt_core.channels import (
    agent_orders_binding,
)
from dsmt_core.errors import Conflict, Denied
from dsmt_core.rights import ORDERS
from tests.contract.terms import COMMAND, HOST, PINGER, SLICE, Make, heard

if TYPE_CHECKING:
    from tests.contract.conftest import Connect, Place


async def test_doing_it_again_changes_nothing(planner: Bus, make: Make, orders: str) -> None:
    await planner.publish(make(COMMAND), exchange=ORDERS)
    for _ in range(2):
        key = agent_orders_binding(SLICE, HOST)
        await planner.declare([Queue(orders)], [Binding(orders, ORDERS, key)])
    async with planner.consume(orders) as deliveries:
        await heard(deliveries)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(deliveries), 0.2)


async def test_a_queue_with_other_arguments_is_a_conflict_and_the_rest_goes_on(
    planner: Bus, make: Make, orders: str
) -> None:
    with pytest.raises(Conflict):
        await planner.declare([Queue(orders, {"x-max-length": 5})], [])
    await planner.declare([Queue(orders)], [])
    await planner.publish(make(PINGER))


async def test_only_the_planner_declares(connect: Connect, planner: Bus, orders: str) -> None:
    for user in ("node", "operator"):
        bus = await connect(user)
        with pytest.raises(Denied):
            await bus.declare([Queue(f"dsmt.node.1.{secrets.token_hex(4)}")], [])
        with pytest.raises(Denied):
            await bus.delete_queue(orders)


async def test_a_missing_exchange_is_made_again_and_told(place: Place, planner: Bus, make: Make) -> None:
    assert not await planner.declare([], [])
    await place.delete_exchange(ORDERS)
    assert await planner.declare([], [])
    assert not await planner.declare([], [])
    await planner.publish(make(COMMAND), exchange=ORDERS)


async def test_an_exchange_that_a_queue_misses_is_made_again_and_told(
    place: Place, planner: Bus, make: Make, orders: str
) -> None:
    await planner.declare([], [])
    await place.delete_exchange(ORDERS)
    bound = [Binding(orders, ORDERS, agent_orders_binding(SLICE, HOST))]
    assert await planner.declare([Queue(orders)], bound)
    assert not await planner.declare([Queue(orders)], bound)
    await planner.publish(make(COMMAND), exchange=ORDERS)
    async with planner.consume(orders) as deliveries:
        await heard(deliveries)
