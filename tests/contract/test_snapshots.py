"""A view begins with what holds already: the planner's answer over each adapter."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest

import broker.view
from broker.application import Application
from broker.asking import snapshot
from broker.bus import Bus
from dsmt_core.channels import Channel
from dsmt_core.errors import Denied
from dsmt_core.events import Event
from dsmt_core.last_values import LastValues
from dsmt_core.rights import ASKED, SNAPSHOTS
from dsmt_core.snapshots import answers_to
from planner.service.clock import SteadyClock
from planner.service.snapshots import Snapshots
from tests.contract.terms import SOON_S, Make, heard, until

if TYPE_CHECKING:
    from tests.contract.conftest import Connect, Place

PINGER = "/com/example/pinger/"


class Present:
    """The part of the planner that hears everything, and answers."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.clock = SteadyClock()
        self.values = LastValues()
        self.snapshots = Snapshots(bus, self.values, self.clock)
        self._tasks: list[asyncio.Task[None]] = []

    async def begin(self) -> None:
        listening = asyncio.Event()
        self._tasks = [
            asyncio.create_task(self._listen(listening)),
            asyncio.create_task(self.snapshots.run()),
        ]
        async with asyncio.timeout(SOON_S):
            await listening.wait()

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _listen(self, listening: asyncio.Event) -> None:
        async with self.bus.lease() as deliveries:
            listening.set()
            async for delivery in deliveries:
                self.values.hear(delivery.event, self.clock())
                self.snapshots.heard(delivery)


@pytest.fixture
async def present(planner: Bus) -> AsyncIterator[Present]:
    made = Present(planner)
    await made.begin()
    yield made
    await made.end()


@pytest.fixture
async def pair(connect: Connect, planner: Bus) -> list[Application]:
    return [Application(await connect("application"), "s1_mgr", instance=name) for name in ("one", "two")]


async def test_a_late_comer_sees_what_holds_when_it_enters(
    present: Present, pair: list[Application]
) -> None:
    one, late = pair
    said = [
        await one.publish(PINGER, "rtt", "1"),
        await one.publish(PINGER, "rtt", "2"),
        await one.post(PINGER + "below/", "state", pairs={"managed": "a", "is": "up"}),
        await one.publish("/com/example/other/", "rtt", "3"),
        await one.publish(PINGER, "rtt", "for you", to_service="s1_mgr", to_instance="two"),
        await one.publish(PINGER, "secret", "for others", to_service="other"),
    ]
    await until(lambda: len(present.values) == 4)
    async with late.view(PINGER) as view:
        await until(lambda: view.filled)
        held = {(key.channel, key.field, key.managed): event.text for key, event in view.items()}
        assert held == {
            (PINGER, "rtt", ""): "for you",
            (f"{PINGER}below/", "state", "a"): "managed=a,is=up",
        }
        assert view[PINGER, "one", "rtt"] == said[4]


async def test_a_value_out_of_a_snapshot_ends_when_it_would_have(
    present: Present, pair: list[Application], make: Make
) -> None:
    short, long = (
        make(Channel(PINGER), field, expiry=90.0 * n) for n, field in ((1, "short"), (10, "long"))
    )
    for event in (short, long):
        present.values.hear(event, present.clock() - 60.0)
    async with pair[1].view(PINGER) as view:
        await until(lambda: view.filled)
        assert {key.field for key in view} == {"short", "long"}
        left_s = view._values.next_end - asyncio.get_running_loop().time()
        assert left_s <= 30.0


async def test_many_values_come_in_parts(present: Present, pair: list[Application]) -> None:
    one, late = pair
    await one.publish_all(f"{PINGER}many/", "f", ({"managed": str(n), "x": "y" * 500} for n in range(600)))
    await until(lambda: len(present.values) == 600)
    async with late.view(PINGER) as view:
        await until(lambda: view.filled)
        assert {key.managed for key in view} == {str(n) for n in range(600)}


async def test_without_a_planner_a_view_begins_empty_and_fills_once_there_is_one(
    planner: Bus, pair: list[Application], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker.view, "FILL_S", 0.1)
    monkeypatch.setattr("broker.asking.ANSWER_S", 1.0)
    one, late = pair
    event = await one.publish(PINGER, "rtt", "1")
    async with late.view(PINGER) as view:
        assert (view.current, view.filled, len(view)) == (True, False, 0)
        present = Present(planner)
        present.values.hear(event, present.clock())
        await present.begin()
        await until(lambda: view.filled)
        assert view.by_instance("rtt")["one"] == event
        await present.end()


async def test_after_the_broker_was_away_it_asks_again(
    place: Place, present: Present, pair: list[Application]
) -> None:
    late = pair[1]
    async with late.view(PINGER) as view:
        await until(lambda: view.filled)
        await place.cut()
        await until(lambda: not view.current)
        # Said while nobody could hear it; the planner has it from its history.
        event = Event(
            channel=Channel(PINGER), service="s", instance="i", boot_id="b", seq=1, id="x", sent_at=0.0,
            field="rtt", value="meanwhile",
        )  # fmt: skip
        present.values.hear(event, present.clock())
        await place.restore()
        await until(lambda: "i" in view.by_instance("rtt"))


async def test_who_loses_again_and_again_asks_seldom(present: Present, pair: list[Application]) -> None:
    view = pair[1].view(PINGER)
    asked: list[Event] = []
    say = view._say

    def counted(channel: Channel, pairs: Any) -> Event:
        asked.append(say(channel, pairs))
        return asked[-1]

    view._say = counted
    begun_at = asyncio.get_running_loop().time()
    async with view:
        await until(lambda: view.filled)
        for _ in range(20):
            view._fill(pair[1].bus)
            await asyncio.sleep(0.01)
        await until(lambda: view.filled)
    # On a machine that stood still for a while it may be asked a third time, and never sooner than that.
    took_s = asyncio.get_running_loop().time() - begun_at
    assert 2 <= len(asked) <= 1 + took_s / broker.view.AGAIN_S


async def test_nobody_else_can_answer_or_listen_to_an_answer(
    connect: Connect, present: Present, make: Make
) -> None:
    me, other = await connect("application"), await connect("operator")
    mine, everybodys = answers_to("application", "0f"), Channel("/snapshot/")
    with pytest.raises(Denied):
        await other.publish(make(mine), exchange=SNAPSHOTS)
    for channel in (mine, everybodys):
        with pytest.raises(Denied):
            async with asyncio.timeout(SOON_S), other.lease(channel, exchanges=(SNAPSHOTS,)):
                pytest.fail("it was entered")
    with pytest.raises(Denied):
        await me.publish(make(Channel(f"{ASKED}below/")))


async def test_a_question_for_somebody_elses_answer_is_not_answered(
    connect: Connect, present: Present, make: Make
) -> None:
    me, other = await connect("application"), await connect("operator")
    mine = answers_to("application", "0f")

    def say(channel: Channel, pairs: Any) -> Event:
        return make(channel, pairs=dict(pairs))

    async with me.lease(mine, exchanges=(SNAPSHOTS,)) as answers:
        await other.publish(say(ASKED, {"channel": PINGER, "answer": mine}))
        portions = [portion async for portion in snapshot(other, Channel(PINGER), say)]
        # The planner takes questions in order: the wrong one is passed over by now.
        assert portions == [[]]
        await me.publish(say(ASKED, {"channel": PINGER, "answer": mine}))
        await heard(answers)
        assert present.snapshots is not None
