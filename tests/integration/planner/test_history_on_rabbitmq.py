"""The history over a real broker and a real planner: late comers, followed replays, and what is killed."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from typing import Any

import httpx
import pytest

import broker
from broker.application import Application
from broker.bus import Bus
from broker.server.private import PrivateBroker
from broker.topology import HISTORY_AGE_S, history_topology
from dsmt_core.channels import Channel, status_channel
from dsmt_core.commands import Verb
from dsmt_core.errors import Unavailable
from dsmt_core.events import DEPLOYMENT_STATUS, ONCE, Sender
from dsmt_core.history import Since
from dsmt_core.names import DEPLOYMENT_AGENT, Slice
from dsmt_core.rights import HISTORY
from planner.service.replays import REPLAYS
from tests.integration.planner.conftest import Api, Node, Site, joined

PINGER = Channel("/com/example/pinger/")
SOON_S = 60.0


class Pinger:
    """An application that numbers what it says, and says it again until the broker confirms."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._sender = Sender("pinger", "h/pinger", secrets.token_hex(8))
        self.said: list[int] = []

    async def say(self, count: int) -> None:
        for _ in range(count):
            event = self._sender.event(PINGER, "count", now=time.time(), id_=secrets.token_hex(8))
            deadline = time.monotonic() + SOON_S
            while True:
                try:
                    await self._bus.publish(event)
                except Unavailable:
                    assert time.monotonic() < deadline
                    await asyncio.sleep(0.15)
                else:
                    break
            self.said.append(event.seq)


@pytest.fixture
def pinger(operator: Bus) -> Pinger:
    return Pinger(operator)


async def _replayed(api: Api, query: str) -> AsyncIterator[dict[str, Any]]:
    path = f"/v1/events?channel={PINGER}&{query}"
    async with api.client.stream("GET", path, timeout=SOON_S) as answer:
        assert answer.is_success, await answer.aread()
        async for line in answer.aiter_lines():
            yield json.loads(line)


async def _take(lines: AsyncIterator[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    taken: list[dict[str, Any]] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(SOON_S):
            while len(taken) < count:
                taken.append(await anext(lines))
    assert len(taken) == count, f"{len(taken)} of {count}, by number {[line['seq'] for line in taken]}"
    return taken


async def test_a_late_comer_gets_what_was_said_and_what_holds(
    api: Api, node: Node, pinger: Pinger, site: Site
) -> None:
    await api("POST", "/slices", {"slice": "s1"})
    await pinger.say(3)
    channel = status_channel(Slice("s1"), DEPLOYMENT_AGENT, node.host)
    await _report(node, channel, "initialized", "running")
    lines = [line async for line in _replayed(api, "since=first")]
    assert [line["seq"] for line in lines] == pinger.said
    assert [line["field"] for line in await _held(api, "/com/")] == ["count"]
    held = await _held(api, str(channel))
    assert [line["pairs"]["status"] for line in held] == ["running"]
    # An application is told over the bus.
    async with broker.connected(site.urls("application")) as bus:
        me = Application(bus, "monitor")
        async with me.view("/com/") as view:
            async for now in view.changes():
                if now.filled:
                    break
            assert view.by_instance("count")["h/pinger"].seq == pinger.said[-1]


async def _report(node: Node, channel: Channel, *states: str) -> None:
    """As an agent does: once for each change, and not repeated."""
    agent = Sender("s1_mgr", f"{node.host}/agent", secrets.token_hex(8))
    for state in states:
        pairs = {"managed": "pinger", "status": state}
        event = agent.event(channel, DEPLOYMENT_STATUS, now=time.time(), id_=state, pairs=pairs, **ONCE)
        await node.bus.publish(event)


async def _held(api: Api, channel: str) -> list[dict[str, Any]]:
    deadline = time.monotonic() + SOON_S
    while True:
        answer = await api.client.get(f"/v1/events?snapshot=1&channel={channel}")
        lines = [json.loads(line) for line in answer.text.splitlines()]
        if lines and lines[-1]["pairs"].get("status") != "initialized":
            return lines
        assert time.monotonic() < deadline
        await asyncio.sleep(0.15)


async def test_a_followed_replay_survives_a_broker_that_is_killed(
    api: Api, pinger: Pinger, server: PrivateBroker
) -> None:
    await pinger.say(200)
    lines = _replayed(api, "since=first&follow=1")
    got = await _take(lines, 150)
    # Killed within 3 s of its first stream RabbitMQ would know none again: see the next test.
    await asyncio.to_thread(server.evaluate, "[dets:sync(Table) || Table <- dets:all()]")
    speaking = asyncio.create_task(pinger.say(200))
    await asyncio.to_thread(server.kill)
    before = set(pinger.said)
    await asyncio.to_thread(server.start)
    async with asyncio.timeout(SOON_S):
        await speaking
    # A stream comes up after the broker's listener: what it confirms in between may be kept nowhere.
    meanwhile = set(pinger.said) - before
    await _kept_again(api)
    await pinger.say(100)
    while got[-1]["seq"] != pinger.said[-1]:
        got += await _take(lines, 1)
    assert [line["seq"] for line in got] == [seq for seq in pinger.said if seq in {g["seq"] for g in got}]
    assert set(pinger.said) - {line["seq"] for line in got} <= meanwhile
    offsets = [line["offset"] for line in got]
    assert offsets == sorted(set(offsets))


async def _kept_again(api: Api) -> None:
    """Wait until what is said is kept: the planner finds the present, which it marks itself."""
    deadline = time.monotonic() + SOON_S
    while not (await api.client.get("/v1/events?since=first&count=1")).is_success:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


async def test_a_planner_works_without_a_history_that_the_broker_cannot_bring_back(
    site: Site, api: Api, server: PrivateBroker, vhost: str
) -> None:
    # As after a kill within the first second of its first stream: the coordinator's name was not on disk.
    name = "ra_directory:uid_of(coordination, rabbit_stream_coordinator)"
    server.evaluate(f"ra_directory:unregister_name(coordination, {name})")
    server.evaluate("dets:sync(ra_coordination_directory_reverse)")
    site.processes[-1].kill()
    await asyncio.to_thread(site.processes[-1].wait)
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)
    process = await asyncio.to_thread(site.start)
    async with joined(api) as node:
        await api("POST", "/slices", {"slice": "s1"})
        await api("PUT", "/slices/s1/plan", {"plan": "all_nodes"})
        await node.ordered(Verb.CREATE, "s1")
    assert not (await api.client.get("/v1/events?since=first")).is_success
    # As docs/how-to/run-it-for-real.md has it.
    queue = f'rabbit_misc:r(<<"{vhost}">>, queue, <<"{HISTORY}">>)'
    server.evaluate(f'rabbit_amqqueue:internal_delete({queue}, <<"dsmt">>)')
    await _kept_again(api)
    process.terminate()
    assert process.stderr is not None
    said = await asyncio.to_thread(process.stderr.read)
    assert said.count("events are not kept") == 1


async def test_a_replay_goes_on_at_its_offset_with_the_next_planner(
    site: Site, api: Api, pinger: Pinger
) -> None:
    await pinger.say(100)
    lines = _replayed(api, "since=first&follow=1")
    got = await _take(lines, 60)
    speaking = asyncio.create_task(pinger.say(100))
    site.processes[-1].kill()
    await asyncio.to_thread(site.processes[-1].wait)
    with suppress(httpx.HTTPError):
        async for line in lines:
            got.append(line)
    await asyncio.to_thread(site.start)
    async with asyncio.timeout(SOON_S):
        await speaking
    again = _replayed(api, f"since={got[-1]['offset'] + 1}&follow=1")
    got += await _take(again, 200 - len(got))
    assert [line["seq"] for line in got] == pinger.said


async def test_replays_are_few_and_end_when_their_clients_go_away(api: Api, pinger: Pinger) -> None:
    await pinger.say(1)
    async with AsyncExitStack() as clients:
        for _ in range(REPLAYS):
            stream = api.client.stream("GET", f"/v1/events?channel={PINGER}&since=first&follow=1")
            assert (await clients.enter_async_context(stream)).is_success
        refused = await api.client.get("/v1/events?since=first")
        assert (refused.status_code, refused.json()["code"]) == (507, "full")
    deadline = time.monotonic() + SOON_S
    while (await api.client.get("/v1/events?since=first&count=1")).status_code != 200:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
    beyond = await api.client.get("/v1/events?since=999999")
    assert (beyond.status_code, "before 999999" in beyond.json()["message"]) == (422, True)


async def test_what_holds_is_known_again_after_a_restart(site: Site, api: Api, node: Node) -> None:
    await api("POST", "/slices", {"slice": "s1"})
    channel = status_channel(Slice("s1"), DEPLOYMENT_AGENT, node.host)
    await _report(node, channel, "running")
    before = await _held(api, str(channel))
    site.processes[-1].kill()
    await asyncio.to_thread(site.processes[-1].wait)
    await asyncio.to_thread(site.start)
    assert await _held(api, str(channel)) == before


async def test_a_history_that_is_too_large_loses_its_beginning(planner_bus: Bus) -> None:
    queues, bindings = history_topology(HISTORY_AGE_S, 1_000_000)
    await planner_bus.declare(queues, bindings)
    sender = Sender("planner", "i", "b")
    for _ in range(60):
        await planner_bus.publish(sender.event(PINGER, "f", now=time.time(), id_="i", value="x" * 100_000))
    deadline = time.monotonic() + SOON_S
    while True:
        async with planner_bus.replay(Since()) as replay:
            first = (await anext(replay)).event
        # Whole segments go, at the latest when the next one begins.
        if 60 - first.seq <= 20:
            return
        assert time.monotonic() < deadline, first.seq
        await planner_bus.publish(sender.event(PINGER, "f", now=time.time(), id_="i"))


async def test_a_history_with_other_bounds_is_kept(site: Site, planner_bus: Bus) -> None:
    await planner_bus.declare(*history_topology(3_600.0, 5_000_000))
    pinger = Pinger(planner_bus)
    await pinger.say(1)
    process = await asyncio.to_thread(site.start)
    async with planner_bus.replay(Since()) as replay:
        assert (await anext(replay)).event.seq == 1
    process.terminate()
    assert process.stderr is not None
    said = await asyncio.to_thread(process.stderr.read)
    assert said.count("the history keeps the bounds that it was made with") == 1
    assert HISTORY in said


@pytest.fixture
async def planner_bus(site: Site) -> AsyncIterator[Bus]:
    """A connection in the planner's name, besides the planner."""
    import broker

    bus = broker.connect(site.urls("planner"), name="test")
    await bus.start(wait_s=60)
    yield bus
    await bus.close()
