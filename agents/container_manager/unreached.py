"""What a node says of a broker that it does not reach: each reason once, until it is connected again.

Nobody asks a node that has no connection, so it has to tell by itself why, as of a certificate that is for
another host. A cluster has a reason for each of its hosts.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Final

from broker.bus import Health, Link

log = logging.getLogger(__name__)

# A broker that is started anew is back before the second look.
LOOK_S: Final = 10.0
# A node that is let in again is back within some seconds.
DENIED_S: Final = 2.0
# Reasons that differ in every attempt are not worth a line each.
_MOST: Final = 16


class Reasons:
    """Those that were told since the last connection."""

    def __init__(self) -> None:
        self._told: set[str] = set()
        self._was_away = False

    def next(self, health: Health) -> str:
        """What is to be told at this look; mostly nothing."""
        if health.link is not Link.AWAY:
            self._told.clear()
            self._was_away = False
            return ""
        first, self._was_away = not self._was_away, True
        if first or health.last_error in self._told or len(self._told) >= _MOST:
            return ""
        self._told.add(health.last_error)
        return health.last_error


async def denied(health: Health, ask: Callable[[], None], *, look_s: float = DENIED_S) -> None:
    """Call ``ask`` whenever the broker refuses this node's user, until cancelled.

    The planner may have given it another password, or have excluded it: only the planner knows.
    """
    while True:
        await asyncio.sleep(look_s * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
        if health.denied:
            ask()


async def tell(health: Health, *, look_s: float = LOOK_S) -> None:
    """Log why the broker is not reached, until cancelled.

    Args:
        health: of the node's bus.
        look_s: seconds between two looks; it is told at the second one.
    """
    reasons = Reasons()
    while True:
        await asyncio.sleep(look_s)
        if reason := reasons.next(health):
            log.warning("the broker is not reachable: %s; trying goes on", reason)
