"""The catalogue, silences and publishing with a planner process on a real broker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from broker.bus import Bus
from broker.server.private import PrivateBroker
from dsmt_core.channels import ROOT, Channel, facts_channel, status_channel
from dsmt_core.events import Event, Sender
from dsmt_core.health import HEALTH, Condition, health_pairs
from dsmt_core.names import DEPLOYMENT_AGENT, Slice
from dsmt_core.services import SERVICE_DESCRIPTION, Description, Use, description_pairs
from tests.integration.planner.conftest import Api, Node

PINGER = Channel("/com/example/pinger/")
S1 = Slice("s1")
PATIENCE_S = 60.0


class Ear:
    """All events on a lease, and a wait for some of them."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    async def wait(self, wanted: Callable[[Event], bool], count: int = 1) -> list[Event]:
        deadline = time.monotonic() + PATIENCE_S
        while len(found := [event for event in self.events if wanted(event)]) < count:
            assert time.monotonic() < deadline, [(one.field, dict(one.pairs)) for one in self.events]
            await asyncio.sleep(0.02)
        return found


@asynccontextmanager
async def hearing(bus: Bus) -> AsyncIterator[Ear]:
    ear, ready = Ear(), asyncio.Event()

    async def hear() -> None:
        async with bus.lease(ROOT) as deliveries:
            ready.set()
            async for delivery in deliveries:
                ear.events.append(delivery.event)

    task = asyncio.create_task(hear())
    try:
        await ready.wait()
        yield ear
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(api: Api, path: str, holds: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while not holds(answer := await api("GET", path)):
        assert time.monotonic() < deadline, answer
        await asyncio.sleep(0.15)
    return answer


def is_silent(status: str, about: str = "") -> Callable[[Event], bool]:
    return lambda event: (
        event.field == "silent" and (event.pairs["status"], event.pairs["about"]) == (status, about)
    )


async def test_a_service_that_describes_itself_is_held_to_it(api: Api, operator: Bus) -> None:
    pinger = Sender("pinger", "host/pinger", "b1")
    use = Use(channel=PINGER, field="round-trip", least_s=0.5, greatest_s=60)
    pairs = description_pairs(Description(service="pinger", text="times", uses=(use,)))

    async def say(field: str, at: float, **pairs: str) -> None:
        await operator.publish(pinger.event(PINGER, field, now=at, id_=f"{field}{at}", pairs=pairs))

    async with hearing(operator) as ear:
        began = time.time()
        await say(SERVICE_DESCRIPTION, began, **pairs)
        await say("round-trip", began, ms="7")
        await say("round-trip", began + 0.01, ms="7")
        await say("surprise", began + 1)
        broken = await ear.wait(lambda event: event.field == "description-broken", 2)
    assert sorted(event.pairs["kind"] for event in broken) == ["too-often", "undescribed"]
    shown = await api("GET", "/services")
    (service,) = [one for one in shown["services"] if one["service"] == "pinger"]
    assert (service["described_by"], service["events"]) == ("operator", 4)
    assert {each["kind"] for each in shown["breaches"]} == {"too-often", "undescribed"}
    channels = await api("GET", f"/channels?below={PINGER}")
    assert channels["channels"][0]["fields"] == ["round-trip", SERVICE_DESCRIPTION, "surprise"]


async def test_a_broker_that_is_away_makes_nobody_silent(
    api: Api, operator: Bus, server: PrivateBroker
) -> None:
    pinger = Sender("pinger", "host/pinger", "b1")

    async def say(about: str, period: float) -> None:
        event = pinger.event(
            PINGER, "round-trip", now=time.time(), id_=about, pairs={"managed": about}, emit_rate=period
        )
        await operator.publish(event)

    async with hearing(operator) as ear:
        await say("a", 1.0)
        (raised,) = await ear.wait(is_silent("raised", "a"))
        assert raised.pairs["channel"] == PINGER
        await say("a", 1000.0)
        await ear.wait(is_silent("cleared", "a"))
    # Longer than its patience nobody can be heard, and what speaks again at once was not silent.
    before = (await api("GET", f"/channels?below={PINGER}"))["channels"][0]["events"]
    await say("b", 4.0)
    # What is on its way when the broker dies was not heard.
    await until(api, f"/channels?below={PINGER}", lambda now: now["channels"][0]["events"] > before)
    await asyncio.to_thread(server.kill)
    await asyncio.sleep(6)
    await asyncio.to_thread(server.start)
    await until(api, "/health", lambda health: health["broker"] == "connected")
    shown = await api("GET", f"/channels?below={PINGER}")
    assert shown["silences"] == []
    # It never spoke again: now it is.
    await until(api, f"/channels?below={PINGER}", lambda shown: len(shown["silences"]) == 1)


async def test_the_health_of_a_node_and_of_an_agent_is_shown_where_it_matters(api: Api, node: Node) -> None:
    await api("POST", "/slices", {"slice": "s1", "plan": "all_nodes"})
    node.slivers = {S1: 1}
    await node.hold()
    agent = status_channel(S1, DEPLOYMENT_AGENT, node.host)
    await node.say(agent, "holdings", hostname=node.host, slice=S1)
    for channel in (facts_channel(node.host), agent):
        await node.say(channel, HEALTH, **health_pairs(Condition(connects=1)))
        await node.say(channel, HEALTH, **health_pairs(Condition(connects=1, dropped=3)))
    status = await until(
        api, "/slices/s1/status", lambda shown: shown["hosts"] and len(shown["hosts"][0]["unwell"]) == 2
    )
    assert status["hosts"][0]["unwell"] == [
        "container manager: 3 events dropped while the broker was away",
        "agent: 3 events dropped while the broker was away",
    ]
    assert status["planner"]["link"] == "connected"
    (shown,) = await api("GET", "/nodes")
    assert (shown["health"]["dropped"], len(shown["unwell"])) == (3, 1)


async def test_what_the_parts_say_is_what_they_describe(api: Api, node: Node) -> None:
    await api("POST", "/slices", {"slice": "s1", "plan": "all_nodes"})
    await until(
        api, "/channels", lambda shown: any("/command/" in one["channel"] for one in shown["channels"])
    )
    assert (await api("GET", "/services"))["breaches"] == []
