"""Fitting: who suits which slice is judged every second, and told to the fleet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from broker.bus import Link
from planner.service.means import Means, Watched

_TICK_S: Final = 1.0
_log = structlog.get_logger(__name__)


class Fitting:
    """Judges hosts for slices.

    Args:
        means: what is wanted, the clock, and whether anything can be heard.
        watched: what is seen.
        wake: called when there is something new for a round.
    """

    def __init__(self, means: Means, watched: Watched, wake: Callable[[], None]) -> None:
        self._ledger = means.ledger
        self._bus = means.bus
        self._clock = means.clock
        self._fleet = watched.fleet
        self._misfits = watched.misfits
        self._wake = wake

    async def run(self) -> None:
        """Judge, for ever."""
        while True:
            await asyncio.sleep(_TICK_S)
            if self._bus.health.link is Link.CONNECTED:
                self.tick()

    def tick(self) -> None:
        """Judge now."""
        news = self._misfits.tick(self._ledger.wanted, self._fleet, self._clock())
        for slice_, fits in news.items():
            _log.info("hosts fit anew", slice=slice_, out=dict(fits.out), doubts=dict(fits.doubts))
        if news:
            self._fleet.fit(news)
            self._wake()
