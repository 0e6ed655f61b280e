"""Hints: the broker says at once that a node's connection has ended, long before its heartbeats are missed.

A node that is hinted at is suspect and no more: whoever may connect can call its connection as it likes. A
broker that does not tell is said so once, and the planner goes on without.
"""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from broker.endings import node_of
from dsmt_core.errors import Denied, DsmtError
from planner.service.means import Means, Watched

_AGAIN_S: Final = 5.0
# A plug-in may be enabled while the planner runs.
_DENIED_AGAIN_S: Final = 300.0
HEARD: Final = "heard"
_log = structlog.get_logger(__name__)


class Hints:
    """Hears which connections end.

    Attributes:
        state: ``heard``, or why there are none.
    """

    def __init__(self, means: Means, watched: Watched) -> None:
        self._bus = means.bus
        self._clock = means.clock
        self._tracker = watched.tracker
        self.state = "not heard yet"

    async def run(self) -> None:
        """Hear, for ever."""
        while True:
            wait = _AGAIN_S
            try:
                await self._hear()
            except Denied as error:
                self._none(error)
                wait = _DENIED_AGAIN_S
            except DsmtError as error:
                self._none(error)
            await asyncio.sleep(wait)

    async def _hear(self) -> None:
        async with self._bus.endings() as endings:
            self.state = HEARD
            async for ended in endings:
                host = node_of(ended)
                if host is not None:
                    self._tracker.hint(host, "its connection to the broker has ended", now=self._clock())

    def _none(self, error: DsmtError) -> None:
        if self.state != error.message:
            _log.warning("nodes are not hinted at", reason=error.message, hint=error.hint)
        self.state = error.message
