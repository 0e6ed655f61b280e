"""A process looks at itself: its bus and its event loop, and tells what has changed.

Rule: nothing is told while the broker is away; the numbers of what happened meanwhile come afterwards.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from broker.bus import Bus, Health, Link
from dsmt_core.health import LOOK_S, PERIOD_S, Condition, matters


def condition_of(health: Health, lag_s: float) -> Condition:
    """How a process is doing, from the health of its bus and the lag of its loop in seconds."""
    return Condition(
        link=str(health.link),
        connects=health.connects,
        unconfirmed=health.unconfirmed,
        outbox=health.outbox,
        dropped=health.dropped,
        refused=health.refused,
        lost=health.lost,
        lag_s=lag_s,
    )


async def watch(
    bus: Bus,
    tell: Callable[[Condition], Awaitable[None]],
    *,
    period_s: float = PERIOD_S,
    look_s: float = LOOK_S,
) -> None:
    """Tell the condition when something that matters has changed, and once a period; until cancelled.

    Args:
        bus: the one connection of this process.
        tell: publishes it; what it raises ends the watch.
        period_s: seconds between two tellings where nothing changes.
        look_s: seconds between two looks.
    """
    loop = asyncio.get_running_loop()
    told, told_at, worst = Condition(link=""), loop.time(), 0.0
    while True:
        now = condition_of(bus.health, worst)
        # Looked at that often, a period ends with the look that is nearest to it.
        over = loop.time() - told_at > period_s - look_s / 2
        if bus.health.link is Link.CONNECTED and (over or matters(told, now)):
            await tell(replace(now, refusals=bus.health.refusals.take()))
            told, told_at, worst = now, loop.time(), 0.0
        due = loop.time() + look_s
        await asyncio.sleep(look_s)
        worst = max(worst, loop.time() - due)
