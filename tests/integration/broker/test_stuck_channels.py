"""A channel on which RabbitMQ confirms nothing, or refuses: another one of the connection may do better.

In a cluster both happen when a host is lost (`test_cluster.py`). Here the broker's own process of a channel
is stopped, and a queue is full.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from broker.bus import Bus, Delivery
from broker.server.private import PrivateBroker
from broker.topology import Binding, Queue
from dsmt_core.channels import Channel, binding_key
from dsmt_core.events import Doubles, Event
from dsmt_core.rights import PSEPR
from tests.integration.broker.conftest import LIMITS, Connect

PINGER = Channel("/com/example/pinger/")
# Nothing but the channel keeps a broker of this machine so long from confirming.
SETTLE_S = 2.0
LONG_S = 60.0

Make = Callable[..., Event]


async def heard(lease: AsyncIterator[Delivery], doubles: Doubles, last: Event) -> list[Event]:
    """What is heard up to ``last``, as a reader takes it."""
    events: list[Event] = []
    async with asyncio.timeout(LONG_S):
        async for delivery in lease:
            if doubles.is_new(delivery.event):
                events.append(delivery.event)
            if delivery.event == last:
                break
    return events


async def published(bus: Bus, events: list[Event]) -> None:
    async with asyncio.timeout(LONG_S):
        await asyncio.gather(*(bus.publish(event) for event in events))


def confirming(server: PrivateBroker, then: str) -> str:
    """The broker's process ``P`` for the channel on which the operator publishes, after doing ``then``."""
    told = server.evaluate(
        f"[begin {then}, P end || P <- rabbit_channel:list(), "
        'rabbit_channel:info(P, [user, confirm]) == [{user, <<"operator">>}, {confirm, true}]]',
    )
    assert "<" in told
    return told


@asynccontextmanager
async def stopped(server: PrivateBroker) -> AsyncIterator[None]:
    """That process takes nothing; what it was sent it does afterwards."""
    await asyncio.to_thread(confirming, server, "sys:suspend(P)")
    try:
        yield
    finally:
        await asyncio.to_thread(server.evaluate, "[sys:resume(P) || P <- rabbit_channel:list()]")


async def test_a_channel_that_confirms_nothing_is_left_and_all_is_sent_again_in_order(
    server: PrivateBroker, planner: Bus, connect: Connect, make: Make
) -> None:
    speaker: Bus = await connect(server.operator_url, replace(LIMITS, settle_s=SETTLE_S))
    async with planner.lease(PINGER) as lease:
        doubles = Doubles()
        await published(speaker, [first := make(PINGER)])
        assert await heard(lease, doubles, first) == [first]
        async with stopped(server):
            events = [make(PINGER) for _ in range(50)]
            await published(speaker, events)
            assert await heard(lease, doubles, events[-1]) == events
            assert "without confirm" in speaker.health.last_error
        # What that channel does late are doubles, and what it confirms is asked by nobody.
        more = [make(PINGER) for _ in range(50)]
        await published(speaker, more)
        assert await heard(lease, doubles, more[-1]) == more
    assert speaker.health.connects == 1
    assert speaker.health.unconfirmed == 0


async def test_what_a_full_queue_refuses_is_sent_again_on_a_new_channel_until_it_is_taken(
    server: PrivateBroker, planner: Bus, connect: Connect, make: Make
) -> None:
    full = Queue("dsmt.full.1", {"x-max-length": 1, "x-overflow": "reject-publish"})
    await planner.declare([full], [Binding(full.name, PSEPR, binding_key(PINGER))])
    speaker: Bus = await connect(server.operator_url)
    async with planner.lease(PINGER) as lease:
        before = await asyncio.to_thread(confirming, server, "ok")
        events = [make(PINGER) for _ in range(50)]
        work = asyncio.create_task(published(speaker, events))
        async with asyncio.timeout(LONG_S):
            while "refused" not in speaker.health.last_error:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)
        assert not work.done()
        await planner.delete_queue(full.name)
        await work
        assert await asyncio.to_thread(confirming, server, "ok") != before
        assert await heard(lease, Doubles(), events[-1]) == events
