"""GET /v1/events: filters, the history, what holds now, and what comes afterwards."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

import broker
from broker.bus import Bus
from dsmt_core.channels import Channel
from dsmt_core.events import ATTRIBUTE, Event, Sender
from dsmt_core.last_values import LastValues
from dsmt_core.leases import LEASE
from planner.config import PlannerConfig
from planner.service import replays
from planner.service.planner import Planner
from planner.service.tap import Filter
from tests.unit.planner_act.conftest import Api, until

PINGER = Channel("/com/example/pinger/")
BELOW = "channel=/com/example/pinger/"


@pytest.fixture
async def operator(planner: Planner, config: PlannerConfig) -> AsyncIterator[Bus]:
    """A program of an operator, that publishes."""
    bus = broker.connect(config.operator_broker, name="operator")
    await bus.start(wait_s=5)
    yield bus
    await bus.close()


@pytest.fixture
def sender() -> Sender:
    return Sender("pinger", "h/pinger", secrets.token_hex(4))


async def _say(bus: Bus, sender: Sender, field: str = "f", **more: Any) -> Event:
    event = sender.event(PINGER, field, now=time.time(), id_=secrets.token_hex(4), **more)
    await bus.publish(event)
    return event


async def _lines(api: Api, query: str) -> list[dict[str, Any]]:
    answer = await api.client.get(f"/v1/events?{query}")
    assert answer.is_success, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


async def _heard(planner: Planner, count: int) -> None:
    async def all_there() -> bool:
        return len(planner.tap.recent(Filter(channel=PINGER), 1_000)) >= count

    await until(all_there)


async def test_since_answers_the_history_to_the_present(api: Api, operator: Bus, sender: Sender) -> None:
    said = [await _say(operator, sender, value=str(number)) for number in range(5)]
    lines = await _lines(api, f"{BELOW}&since=first")
    assert [line["seq"] for line in lines] == [event.seq for event in said]
    offsets = [line["offset"] for line in lines]
    assert offsets == sorted(set(offsets))
    again = await _lines(api, f"{BELOW}&since={offsets[3]}")
    assert [line["seq"] for line in again] == [4, 5]
    assert await _lines(api, f"{BELOW}&since={time.time() + 60:.3f}") == []
    assert len(await _lines(api, f"{BELOW}&since=1h&count=2")) == 2


async def test_a_followed_replay_goes_on_with_all_that_comes(
    api: Api, operator: Bus, sender: Sender, planner: Planner
) -> None:
    said = [await _say(operator, sender) for _ in range(3)]
    following = asyncio.create_task(_lines(api, f"{BELOW}&since=first&follow=1&count=6"))
    await until_running(planner)
    said += [await _say(operator, sender) for _ in range(3)]
    async with asyncio.timeout(10):
        lines = await following
    assert [line["seq"] for line in lines] == [event.seq for event in said]
    assert all("offset" in line for line in lines)


async def test_a_followed_replay_also_hears_what_is_not_kept(api: Api, planner: Planner) -> None:
    sender = Sender("s1_mgr", "h/agent", "b")
    channel = Channel("/org/dsmt/ns/other/")
    following = asyncio.create_task(_lines(api, f"channel={channel}&since=first&follow=1&count=1"))

    async def attached() -> bool:
        repeated = sender.event(channel, "status", now=time.time(), id_="i", emit_rate=5.0)
        await planner.bus.publish(repeated)
        return following.done()

    await until(attached)
    line = following.result()[0]
    assert (line["field"], "offset" in line) == ("status", False)


async def test_a_snapshot_has_what_holds_and_then_the_changes(
    api: Api, operator: Bus, sender: Sender, planner: Planner
) -> None:
    await _say(operator, sender, "round-trip", value="1")
    last = await _say(operator, sender, "round-trip", value="2")
    loss = await _say(operator, sender, "loss", value="0")
    await _say(operator, sender, "over", expiry=0.0)
    await _heard(planner, 4)
    lines = await _lines(api, f"{BELOW}&snapshot=1")
    assert [(line["seq"], line["snapshot"]) for line in lines] == [(last.seq, True), (loss.seq, True)]
    following = asyncio.create_task(_lines(api, f"{BELOW}&snapshot=1&follow=1&count=3"))
    async with asyncio.timeout(10):
        while not following.done():
            await _say(operator, sender, "round-trip", value="3")
    assert [line.get("snapshot", False) for line in following.result()] == [True, True, False]


async def test_the_last_values_are_read_again_from_the_history(
    api: Api, operator: Bus, sender: Sender, planner: Planner
) -> None:
    said = await _say(operator, sender, "round-trip", value="1")
    await _heard(planner, 1)
    values = LastValues()
    filling = asyncio.create_task(planner.history.remember(values))

    async def back() -> bool:
        held = values.holding(planner.clock(), lambda event: event.channel == PINGER)
        return said in [value.event for value in held]

    await until(back)
    filling.cancel()


async def test_type_and_service_filter(api: Api, operator: Bus, planner: Planner) -> None:
    one, two = Sender("one", "i", "b"), Sender("two", "i", "c")
    await _say(operator, one, payload="http://psepr.org/xs/payload/attribute")
    await _say(operator, two)
    await _say(operator, two, payload=LEASE)
    await _heard(planner, 3)
    for since in ("", "&since=first"):
        attributes = await _lines(api, f"{BELOW}&type={ATTRIBUTE}{since}")
        assert [line["service"] for line in attributes] == ["one", "two"]
        assert [line["payload"] for line in await _lines(api, f"{BELOW}&type={LEASE}{since}")] == [LEASE]
        assert len(await _lines(api, f"{BELOW}&service=two{since}")) == 2


async def test_wrong_questions_are_told(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    status, message, hint = await api.refused("GET", "/events?since=yesterday")
    assert (status, "yesterday" in message, "10m" in hint) == (422, True, True)
    assert (await api.refused("GET", "/events?since=first&snapshot=1"))[0] == 422
    status, message, hint = await api.refused("GET", "/events?since=999999&follow=1")
    assert (status, "before 999999" in message, "first" in hint) == (422, True, True)
    monkeypatch.setattr(replays, "REPLAYS", 0)
    assert (await api.refused("GET", "/events?since=first"))[0] == 507


async def until_running(planner: Planner) -> None:
    async def running() -> bool:
        return bool(planner.replays._running)

    await until(running)
