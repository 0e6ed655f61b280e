"""The history: what is kept, and that a replay has all of it, in order, once, from where it begins."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from broker.bus import Bus, Delivery, Link
from broker.topology import HISTORY_AGE_S, history_topology
from dsmt_core.channels import Channel, facts_channel, heartbeat_channel
from dsmt_core.errors import Denied
from dsmt_core.events import DEPLOYMENT_STATUS
from dsmt_core.history import Since
from dsmt_core.rights import HISTORY, NODES, ORDERS, PSEPR
from dsmt_core.wire import XML
from tests.contract.terms import COMMAND, HOST, PINGER, STATUS, Make, heard, until

if TYPE_CHECKING:
    from tests.contract.conftest import Connect, Place

MARKER = Channel("/org/dsmt/ns/planner/present/")


@pytest.fixture
async def history(planner: Bus) -> Bus:
    """The planner's bus, with the history in place."""
    await planner.declare(*history_topology(HISTORY_AGE_S, 64 << 20))
    return planner


async def _seqs(replay: AsyncIterator[Delivery], count: int) -> list[int]:
    return [(await heard(replay)).event.seq for _ in range(count)]


async def test_a_replay_has_what_was_kept_and_goes_on_as_it_grows(history: Bus, make: Make) -> None:
    events = [make(PINGER) for _ in range(5)]
    for event in events:
        await history.publish(event)
    async with history.replay(Since()) as replay:
        got = [await heard(replay) for _ in events]
        assert [delivery.event for delivery in got] == events
        assert [delivery.offset for delivery in got] == list(range(5))
        later = make(PINGER)
        await history.publish(later, content_type=XML)
        last = await heard(replay)
    assert (last.event, last.offset) == (later, 5)


async def test_kept_is_what_is_said_once_and_not_what_the_parts_repeat(
    connect: Connect, history: Bus, make: Make
) -> None:
    node = await connect("node")
    repeated = [
        make(STATUS, "status", emit_rate=10.0),
        make(facts_channel(HOST), "facts"),
        make(facts_channel(HOST), "holdings"),
    ]
    for event in repeated:
        await node.publish(event)
    assert node.hint(make(heartbeat_channel(HOST), "heartbeat"), exchange=NODES)
    state = make(STATUS, DEPLOYMENT_STATUS, pairs={"status": "running"})
    order, figure = make(COMMAND), make(PINGER, "round-trip", emit_rate=10.0)
    assert await node.post(state)
    await history.publish(order, exchange=ORDERS)
    await history.publish(figure)
    async with history.replay(Since()) as replay:
        assert await _seqs(replay, 3) == [state.seq, order.seq, figure.seq]


async def test_a_replayed_event_still_says_who_sent_it_and_where(
    connect: Connect, history: Bus, make: Make
) -> None:
    operator = await connect("operator")
    await operator.publish(make(PINGER))
    await history.publish(make(COMMAND), exchange=ORDERS)
    async with history.replay(Since()) as replay:
        got = [await heard(replay) for _ in range(2)]
    assert [(one.user_id, one.exchange) for one in got] == [("operator", PSEPR), ("planner", ORDERS)]


async def test_a_replay_begins_at_an_offset(history: Bus, make: Make) -> None:
    events = [make(PINGER) for _ in range(20)]
    await asyncio.gather(*(history.publish(event) for event in events))
    async with history.replay(Since(offset=13)) as replay:
        got = [await heard(replay) for _ in range(7)]
    assert [delivery.offset for delivery in got] == list(range(13, 20))
    assert [delivery.event for delivery in got] == events[13:]


async def test_a_replay_begins_at_a_time_exactly(history: Bus, make: Make) -> None:
    now = time.time()
    events = [replace(make(PINGER), sent_at=now - 10 + number) for number in range(10)]
    for event in events:
        await history.publish(event)
    async with history.replay(Since(time=now - 4)) as replay:
        assert await _seqs(replay, 4) == [event.seq for event in events[6:]]


async def test_a_replay_of_a_channel_has_what_lies_below_and_all_marks(history: Bus, make: Make) -> None:
    below, mark = make(Channel(f"{PINGER}a/")), make(MARKER)
    for event in (make(Channel("/com/example/pingers/")), make(Channel("/com/other/")), below):
        await history.publish(event)
    await history.publish(mark, exchange=HISTORY)
    async with history.replay(Since(), channel=PINGER) as replay:
        got = [await heard(replay) for _ in range(2)]
    assert [delivery.event for delivery in got] == [below, mark]
    assert [delivery.exchange for delivery in got] == [PSEPR, HISTORY]


async def test_after_a_reconnect_nothing_is_missing_and_nothing_comes_twice(
    place: Place, connect: Connect, history: Bus, make: Make
) -> None:
    events = [make(PINGER) for _ in range(300)]
    await asyncio.gather(*(history.publish(event) for event in events[:200]))
    async with history.replay(Since()) as replay:
        seqs = await _seqs(replay, 50)
        await place.cut()
        await until(lambda: history.health.link is Link.AWAY)
        await place.restore()
        await until(lambda: history.health.link is Link.CONNECTED)
        await asyncio.gather(*(history.publish(event) for event in events[200:]))
        seqs += await _seqs(replay, 250)
    assert seqs == [event.seq for event in events]


async def test_a_slow_reader_of_large_events_gets_all_of_them(history: Bus, make: Make) -> None:
    """More than may wait in its process: it is read again from where it was."""
    events = [make(PINGER, value="x" * 900_000) for _ in range(25)]
    for event in events:
        await history.publish(event)
    async with history.replay(Since()) as replay:
        first = await heard(replay)
        # Time for the broker to send far more than fits.
        await asyncio.sleep(0.5)
        rest = await _seqs(replay, 24)
    assert [first.event.seq, *rest] == [event.seq for event in events]


async def test_only_the_planner_reads_the_history_and_marks_places(
    connect: Connect, history: Bus, make: Make
) -> None:
    for user in ("operator", "node"):
        other = await connect(user)
        with pytest.raises(Denied):
            async with other.replay(Since()):
                pytest.fail("it was entered")
        with pytest.raises(Denied):
            await other.publish(make(MARKER), exchange=HISTORY)


async def test_a_replay_ends_with_its_bus(connect: Connect, history: Bus, make: Make) -> None:
    bus = await connect("planner")
    await bus.publish(make(PINGER))
    async with bus.replay(Since()) as replay:
        await heard(replay)
        await bus.close()
        with pytest.raises(StopAsyncIteration):
            await heard(replay)


async def test_a_history_that_was_deleted_is_told_as_a_loss_and_the_next_is_read(
    place: Place, history: Bus, make: Make
) -> None:
    if place.url("planner").startswith("memory:"):
        pytest.skip("the history of the embedded broker is no queue, and cannot be deleted")
    for _ in range(3):
        await history.publish(make(PINGER))
    async with history.replay(Since()) as replay:
        await _seqs(replay, 3)
        await history.delete_queue(HISTORY)
        await until(lambda: "no queue" in history.health.last_error)
        await history.declare(*history_topology(HISTORY_AGE_S, 64 << 20))
        event = make(PINGER)
        await history.publish(event)
        next_one = await heard(replay)
    assert (next_one.event, next_one.offset, next_one.lost) == (event, 0, 1)
