"""Reading the queues of the topology."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from broker.bus import Bus
from broker.topology import INGEST, Binding, Queue, planner_topology
from dsmt_core.channels import (
    agent_orders_binding,
    facts_channel,
    heartbeat_channel,
)
from dsmt_core.errors import Denied
from dsmt_core.events import DEPLOYMENT_STATUS
from dsmt_core.rights import NODES, ORDERS
from tests.contract.terms import COMMAND, HOST, SLICE, STATUS, Make, heard, until

if TYPE_CHECKING:
    from tests.contract.conftest import Connect


async def test_what_is_not_acknowledged_is_delivered_again_in_order(
    planner: Bus, make: Make, orders: str
) -> None:
    events = [make(COMMAND) for _ in range(4)]
    for event in events:
        await planner.publish(event, exchange=ORDERS)
    async with planner.consume(orders) as deliveries:
        first = await heard(deliveries)
        first.ack()
        again = [await heard(deliveries) for _ in range(2)]
        assert not any(delivery.redelivered for delivery in again)
    async with planner.consume(orders) as deliveries:
        rest = [await heard(deliveries) for _ in range(3)]
        assert [delivery.event for delivery in rest] == events[1:]
        assert rest[0].redelivered
        for delivery in reversed(rest):
            delivery.ack()
            delivery.ack()
    async with planner.consume(orders) as deliveries:
        last = make(COMMAND)
        await planner.publish(last, exchange=ORDERS)
        assert (await heard(deliveries)).event == last


async def test_the_prefetch_bounds_what_is_unacknowledged(planner: Bus, make: Make, orders: str) -> None:
    for _ in range(10):
        await planner.publish(make(COMMAND), exchange=ORDERS)
    async with planner.consume(orders, prefetch=3) as deliveries:
        got = [await heard(deliveries) for _ in range(3)]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(deliveries), 0.3)
        got[1].ack()
        assert (await heard(deliveries)).event.seq == 4


async def test_a_second_reader_waits_until_the_first_is_gone(
    connect: Connect, planner: Bus, make: Make, orders: str
) -> None:
    node, other = await connect("node"), await connect("node")
    async with node.consume(orders) as first:
        await planner.publish(make(COMMAND), exchange=ORDERS)
        (await heard(first)).ack()
        async with other.consume(orders) as second:
            await until(lambda: other.health.last_error != "")
            await planner.publish(make(COMMAND), exchange=ORDERS)
            (await heard(first)).ack()
            await asyncio.sleep(0.05)
            await node.close()
            await planner.publish(make(COMMAND), exchange=ORDERS)
            assert (await heard(second)).event.seq == 3


async def test_a_queue_that_does_not_exist_yet_is_waited_for(
    connect: Connect, planner: Bus, make: Make
) -> None:
    node = await connect("node")
    queue = f"dsmt.agent.1.{SLICE}.{HOST}"
    async with node.consume(queue) as deliveries:
        await until(lambda: node.health.last_error != "")
        key = agent_orders_binding(SLICE, HOST)
        await planner.declare([Queue(queue)], [Binding(queue, ORDERS, key)])
        await planner.publish(make(COMMAND), exchange=ORDERS)
        assert (await heard(deliveries)).event.channel == COMMAND


async def test_a_queue_deleted_under_its_reader_is_read_again_when_it_is_back(
    connect: Connect, planner: Bus, make: Make, orders: str
) -> None:
    node = await connect("node")
    async with node.consume(orders) as deliveries:
        await planner.publish(make(COMMAND), exchange=ORDERS)
        (await heard(deliveries)).ack()
        await planner.delete_queue(orders)
        await planner.delete_queue(orders)
        key = agent_orders_binding(SLICE, HOST)
        await planner.declare([Queue(orders)], [Binding(orders, ORDERS, key)])
        await planner.publish(make(COMMAND), exchange=ORDERS)
        assert (await heard(deliveries)).event.seq == 2


async def test_a_queue_that_the_user_may_not_read_ends_the_iterator(connect: Connect, planner: Bus) -> None:
    await planner.declare(*planner_topology(1.0))
    node = await connect("node")
    async with node.consume(INGEST) as deliveries:
        with pytest.raises(Denied):
            await heard(deliveries)


async def test_the_planner_reads_what_its_topology_gathers(
    connect: Connect, planner: Bus, make: Make
) -> None:
    await planner.declare(*planner_topology(60.0))
    node = await connect("node")
    async with planner.consume(INGEST) as ingest, planner.consume("dsmt.heartbeats.2.60000") as beats:
        await node.publish(make(facts_channel(HOST), "facts"))
        await node.publish(make(STATUS, DEPLOYMENT_STATUS, pairs={"status": "running"}))
        node.hint(make(heartbeat_channel(HOST), "heartbeat"), exchange=NODES)
        assert [(await heard(ingest)).event.field for _ in range(2)] == ["facts", DEPLOYMENT_STATUS]
        delivery = await heard(beats)
        assert (delivery.event.field, delivery.user_id) == ("heartbeat", "node")
