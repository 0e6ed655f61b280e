"""The SDK over each adapter: what an application says is the current value that another one sees."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from broker.application import Application
from broker.bus import Bus, Link
from broker.view import View
from dsmt_core.errors import Denied, Invalid
from dsmt_core.events import ONCE
from tests.contract.terms import SOON_S, until

if TYPE_CHECKING:
    from tests.contract.conftest import Connect, Place

PINGER = "/com/example/pinger/"


async def seen(view: View, what: Callable[[View], bool]) -> None:
    """Follow the changes until the view satisfies ``what``."""
    async with asyncio.timeout(SOON_S):
        async for now in view.changes():
            if what(now):
                return


async def brief(view: View, *applications: Application) -> None:
    """Have all of them seen at once with a value of two seconds.

    On a busy machine one is over before the other is seen, or before its own publication is confirmed.
    """
    wanted = {application.instance for application in applications}
    async with asyncio.timeout(SOON_S):
        while not wanted <= view.by_instance("rtt").keys():
            await asyncio.gather(*(each.publish(PINGER, "rtt", "1", expiry=2.0) for each in applications))
            await asyncio.sleep(0.05)


def values(view: View, field: str = "rtt") -> dict[str, str]:
    return {instance: event.text for instance, event in view.by_instance(field).items()}


@pytest.fixture
async def trio(connect: Connect, planner: Bus) -> list[Application]:
    return [
        Application(await connect("application"), "s1_mgr", instance=f"h{number}/s1/pinger")
        for number in range(3)
    ]


async def test_a_view_is_of_all_instances_and_kept_current(trio: list[Application]) -> None:
    one, two, monitor = trio
    async with monitor.view(PINGER) as view:
        assert view.current
        await one.publish(PINGER, "rtt", "1")
        await two.publish(PINGER + "below/", "rtt", pairs={"ms": "2"})
        await seen(view, lambda now: values(now) == {one.instance: "1", two.instance: "ms=2"})
        await one.publish(PINGER, "rtt", "3")
        await seen(view, lambda now: values(now) == {one.instance: "3", two.instance: "ms=2"})
        assert len(view) == 2
        assert view[next(iter(view))].service == "s1_mgr"


async def test_a_value_ends_with_its_expiry_and_that_is_a_change(trio: list[Application]) -> None:
    one, two, monitor = trio
    async with monitor.view(PINGER) as view:
        await two.publish(PINGER, "rtt", "2")
        await seen(view, lambda now: len(now) == 1)
        await brief(view, one)
        assert len(view) == 2
        await seen(view, lambda now: values(now) == {two.instance: "2"})


async def test_a_view_is_read_in_one_go_whatever_ends_meanwhile(trio: list[Application]) -> None:
    one, two, monitor = trio
    async with monitor.view(PINGER) as view:
        await brief(view, one, two)
        items = iter(view.items())
        first = next(items)
        # The event loop stands still until both are over.
        while view._values.next_end >= asyncio.get_running_loop().time():
            time.sleep(0.05)  # noqa: ASYNC251 - that is what is tested
        assert len([first, *items]) == len(view) == 2
        await seen(view, lambda now: not now)


async def test_what_is_for_somebody_else_is_not_seen(trio: list[Application]) -> None:
    one, two, monitor = trio
    async with monitor.view(PINGER) as view:
        await one.publish(PINGER, "rtt", "other", to_service="other")
        await one.publish(PINGER, "rtt", "twin", to_service="s1_mgr", to_instance=two.instance)
        await one.publish(PINGER, "rtt", "you", to_service="s1_mgr", to_instance=monitor.instance)
        await seen(view, lambda now: values(now) == {one.instance: "you"})


async def test_a_view_goes_on_after_the_broker_was_away(place: Place, trio: list[Application]) -> None:
    one, _, monitor = trio
    async with monitor.view(PINGER) as view:
        await brief(view, one)
        await place.cut()
        await until(lambda: not view.current)
        await seen(view, lambda now: not now)
        await place.restore()
        await until(lambda: view.current and one.bus.health.link is Link.CONNECTED)
        await one.publish(PINGER, "rtt", "2")
        await seen(view, lambda now: values(now) == {one.instance: "2"})


async def test_a_view_of_what_one_may_not_hear_is_refused(trio: list[Application]) -> None:
    with pytest.raises(Denied):
        async with asyncio.timeout(SOON_S), trio[0].view("/org/dsmt/"):
            pytest.fail("it was entered")
    with pytest.raises(Invalid):
        trio[0].view("pinger")


async def test_a_change_that_must_not_get_lost_waits_for_the_broker(
    place: Place, trio: list[Application]
) -> None:
    one, _, monitor = trio
    async with monitor.view(PINGER) as view:
        await place.cut()
        await until(lambda: one.bus.health.link is Link.AWAY)
        assert not await one.post(PINGER, "done", "7")
        await place.restore()
        await seen(view, lambda now: values(now, "done") == {one.instance: "7"})
        event = view.by_instance("done")[one.instance]
        assert {"ttl": event.ttl, "expiry": event.expiry} == ONCE
