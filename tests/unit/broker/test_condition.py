"""A process tells its condition when it matters, else once a period, and never while the broker is away."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import broker
from broker import condition
from broker.bus import Bus
from broker.reading import Message
from broker.refusals import Refusals
from dsmt_core.health import LATE_S, Condition, Refused, read_refusals

LOOK_S = 0.02
NEVER_S = 1_000.0
Wait = Callable[[Callable[[list[Condition]], bool]], Awaitable[None]]


@asynccontextmanager
async def watched(bus: Bus, period_s: float) -> AsyncIterator[tuple[list[Condition], Wait]]:
    """What a process tells, and a wait for it."""
    told: list[Condition] = []

    async def tell(now: Condition) -> None:
        told.append(now)

    async def wait(holds: Callable[[list[Condition]], bool]) -> None:
        async with asyncio.timeout(20):
            while not holds(told):  # noqa: ASYNC110 - what is waited for tells nobody
                await asyncio.sleep(LOOK_S)

    watching = asyncio.create_task(condition.watch(bus, tell, period_s=period_s, look_s=LOOK_S))
    try:
        yield told, wait
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


def a_bus() -> Bus:
    return broker.connect(f"memory://node@{secrets.token_hex(4)}", name="n1")


async def test_what_matters_is_told_at_once_and_once() -> None:
    bus = a_bus()
    async with watched(bus, NEVER_S) as (told, wait):
        await asyncio.sleep(5 * LOOK_S)
        assert told == []
        await bus.start(wait_s=5)
        await wait(lambda told: len(told) == 1)
        assert told[0].link == "connected"
        bus.health.dropped += 3
        await wait(lambda told: len(told) == 2)
        assert told[1].dropped == 3
        await asyncio.sleep(10 * LOOK_S)
        assert len(told) == 2
    await bus.close()


async def test_a_period_is_kept_where_nothing_changes() -> None:
    bus = a_bus()
    await bus.start(wait_s=5)
    async with watched(bus, 0.1) as (told, wait):
        await wait(lambda told: len(told) == 4)
        assert {each.connects for each in told} == {1}
    await bus.close()


def dead(reason: str, user: str = "agent.s.h") -> tuple[Message, str]:
    return Message(b"x", "", "psepr", "a.b", user), reason


async def test_what_was_not_believed_is_told_once_and_in_few_words() -> None:
    bus = a_bus()
    await bus.start(wait_s=5)
    async with watched(bus, NEVER_S) as (told, wait):
        await wait(lambda told: len(told) == 1)
        assert not told[0].refusals
        for age in range(3):
            bus.health.refuse(*dead(f"it was signed {age}.5 s ago"))
        for number in range(1_000):
            bus.health.refuse(*dead("not believed", f"u{number}"))
        await wait(lambda told: len(told) == 2)
        kinds = read_refusals(told[1].refusals)
        assert [one.times for one in kinds] == [3, 1, 1, 1, 1, 1, 1, 994]
        assert kinds[0] == Refused(
            user="agent.s.h", exchange="psepr", at="a.b", reason="it was signed 0.5 s ago", times=3
        )
        bus.health.refuse(*dead("again"))
        await wait(lambda told: len(told) == 3)
        assert [one.reason for one in read_refusals(told[2].refusals)] == ["again"]
    await bus.close()


async def test_who_makes_much_noise_does_not_drown_who_made_none() -> None:
    refusals = Refusals()
    for number in range(100):
        refusals.note(*dead(f"copied {'x' * number}", "sliver.loud"))
    refusals.note(*dead("copied", "sliver.quiet"))
    refusals.note(*dead("copied again", "sliver.quiet"))
    kinds = read_refusals(refusals.take())
    assert [one.user for one in kinds] == [*["sliver.loud"] * 6, "sliver.quiet", ""]
    assert kinds[-1].times == 100 - 6 + 1


async def test_a_loop_that_was_late_is_told_with_how_late() -> None:
    bus = a_bus()
    await bus.start(wait_s=5)
    async with watched(bus, NEVER_S) as (told, wait):
        await wait(lambda told: len(told) == 1)
        # Somebody holds the loop.
        time.sleep(LATE_S + 0.3)  # noqa: ASYNC251
        await wait(lambda told: len(told) == 3)
        assert LATE_S < told[1].lag_s < LATE_S + 20
        assert told[2].lag_s < LATE_S
    await bus.close()
