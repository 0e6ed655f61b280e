"""The heartbeat: a hint each period, jittered, with a digest of what the node holds.

A heartbeat never waits: with the broker away it is dropped, for a late one is no news.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

# A share of the period by which each wait varies, so that a fleet does not beat as one.
JITTER: Final = 0.1


def wait_s(period: float, draw: float) -> float:
    """Seconds until the next heartbeat.

    Args:
        period: seconds, as the planner gave it.
        draw: a random number from 0 to 1.
    """
    return period * (1 - JITTER * draw)


async def beat(period: Callable[[], float], send: Callable[[], None], draw: Callable[[], float]) -> None:
    """Call ``send`` each period, at once at first, until cancelled; ``period`` is asked each time."""
    while True:
        send()
        await asyncio.sleep(wait_s(period(), draw()))
