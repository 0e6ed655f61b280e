"""The planner tells its own health, as every process of DSMT does."""

from __future__ import annotations

import asyncio

import structlog

from broker import condition
from broker.bus import Bus
from dsmt_core.errors import DsmtError
from dsmt_core.health import HEALTH, PERIOD_S, Condition, health_pairs
from dsmt_core.names import PLANNER
from planner.catalogue.parts import PLANNER_STATUS
from planner.service.refusals import Refusals
from planner.service.voice import Voice

_log = structlog.get_logger(__name__)


class OwnCondition:
    """Looks at the planner's bus and event loop; what it did not believe goes to ``refusals``."""

    def __init__(self, bus: Bus, voice: Voice, refusals: Refusals) -> None:
        self._bus = bus
        self._voice = voice
        self.refusals = refusals

    async def run(self) -> None:
        """Look and tell, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.refusals.run())
            tasks.create_task(condition.watch(self._bus, self._tell))

    async def _tell(self, now: Condition) -> None:
        pairs = health_pairs(now)
        self.refusals.own(pairs)
        try:
            await self._voice.say(PLANNER_STATUS, HEALTH, pairs, service=PLANNER, emit_rate=PERIOD_S)
        except DsmtError as error:
            _log.warning("the planner's health could not be said", reason=str(error))
