"""A quorum queue that a killed RabbitMQ brings back without a leader: it is told, and can be made anew."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest

from broker.bus import Bus, Limits, Link
from broker.server.private import PrivateBroker
from broker.topology import Binding, Queue
from dsmt_core.channels import facts_channel
from dsmt_core.errors import DeadlinePassed
from dsmt_core.events import Event
from dsmt_core.names import Host
from dsmt_core.rights import PSEPR
from tests.integration.broker.conftest import LIMITS, Connect, knows_after_a_kill
from tests.rabbitmq import ALARM, WELL

FACTS = facts_channel(Host("h1"))
# A machine that many others want lets a queue with a leader be silent for some seconds, too.
SURE = replace(LIMITS, consume_s=10.0)
# Two silences, and 5 s that RabbitMQ needs to delete a queue without a leader.
TOLD_S = 60.0
MADE_ANEW_S = 80.0
# Whoever publishes has to outwait both.
PATIENT = replace(LIMITS, confirm_s=TOLD_S + MADE_ANEW_S)

Make = Callable[..., Event]


def quorum(name: str) -> tuple[list[Queue], list[Binding]]:
    return [Queue(name, {"x-queue-type": "quorum"})], [Binding(name, PSEPR, "org.dsmt.ns.node.#")]


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)


def is_back(bus: Bus, before: int) -> bool:
    return bus.health.connects > before and bus.health.link is Link.CONNECTED


async def leaderless(server: PrivateBroker, bus: Bus) -> str:
    """The name of a queue that the broker, killed right after its declaration, has come back with."""
    for number in itertools.count():
        name = f"dsmt.test.{number}"
        connects = bus.health.connects
        await bus.declare(*quorum(name))
        await asyncio.to_thread(server.kill)
        lost = not knows_after_a_kill(server, name)
        await asyncio.to_thread(server.start)
        await until(lambda bus=bus, before=connects: is_back(bus, before))  # type: ignore[misc]
        if lost:
            return name
        # The names were just being written: once more.
        await bus.delete_queue(name)
    raise AssertionError


async def test_a_queue_without_a_leader_is_told_and_made_anew_and_nobody_waits_for_it_any_more(
    server: PrivateBroker, connect: Connect, make: Make
) -> None:
    planner: Bus = await connect(server.planner_url, limits=SURE)
    node: Bus = await connect(server.node_url, limits=PATIENT)
    name = await leaderless(server, planner)
    await until(lambda: is_back(node, 1))
    events = [make(FACTS, "facts") for _ in range(20)]
    waiting = [
        asyncio.create_task(node.post(event) if n % 2 else node.publish(event))
        for n, event in enumerate(events)
    ]
    with pytest.raises(DeadlinePassed, match=name):
        async with asyncio.timeout(TOLD_S), planner.consume(name) as deliveries:
            await anext(deliveries)
    # A connection that ended meanwhile leaves posts in the outbox (False); nothing is confirmed.
    assert not [task for task in waiting if task.done() and task.result() is not False]
    async with asyncio.timeout(MADE_ANEW_S):
        await planner.renew(*quorum(name))
        await asyncio.gather(*waiting)
        # What reaches RabbitMQ between the end of the one and the bindings of the other is confirmed and
        # lost, all or nothing; on a busy machine that happens. What is sent from now on arrives, in order.
        after = [make(FACTS, "facts") for _ in range(20)]
        await asyncio.gather(*(node.publish(event) for event in after))
        numbers = [event.seq for event in after]
        async with planner.consume(name) as deliveries:
            seen: list[int] = []
            while not seen or seen[-1] != numbers[-1]:
                delivery = await anext(deliveries)
                delivery.ack()
                seen.append(delivery.event.seq)
    assert [seq for seq in seen if seq in numbers] == numbers
    assert {*seen} - {*numbers} <= {event.seq for event in events}
    await planner.delete_queue(name)


async def test_a_broker_that_blocks_is_not_a_queue_without_a_leader(
    server: PrivateBroker, connect: Connect, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus: Bus = await connect(server.planner_url, limits=_hasty())
    await bus.declare(*quorum("dsmt.test.blocked"))
    await asyncio.to_thread(server.evaluate, ALARM)
    try:
        async with asyncio.timeout(60):
            while bus.health.link is not Link.BLOCKED:
                bus.hint(make(FACTS, "facts"), exchange=PSEPR)
                await asyncio.sleep(0.05)
        async with bus.consume("dsmt.test.blocked") as deliveries:
            heard = asyncio.ensure_future(anext(deliveries))
            done, _ = await asyncio.wait({heard}, timeout=10 * _hasty().consume_s)
            assert not done
            # How long a queue may be silent once nothing blocks is not what is asked here.
            monkeypatch.setattr("broker.rabbit.reader._SILENCES", 1_000)
            await asyncio.to_thread(server.evaluate, WELL)
            await until(lambda: bus.health.link is Link.CONNECTED)
            async with asyncio.timeout(60):
                await bus.publish(make(FACTS, "facts"))
                await heard
    finally:
        await asyncio.to_thread(server.evaluate, WELL)
        await bus.delete_queue("dsmt.test.blocked")


def _hasty() -> Limits:
    return replace(LIMITS, consume_s=0.3)
