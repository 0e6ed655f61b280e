"""The planner tells its own health, as every process of DSMT does."""

from __future__ import annotations

import structlog

from broker import condition
from broker.bus import Bus
from dsmt_core.errors import DsmtError
from dsmt_core.health import HEALTH, PERIOD_S, Condition, health_pairs
from dsmt_core.names import PLANNER
from planner.catalogue.parts import PLANNER_STATUS
from planner.service.voice import Voice

_log = structlog.get_logger(__name__)


class OwnCondition:
    """Looks at the planner's bus and event loop."""

    def __init__(self, bus: Bus, voice: Voice) -> None:
        self._bus = bus
        self._voice = voice

    async def run(self) -> None:
        """Look and tell, for ever."""
        await condition.watch(self._bus, self._tell)

    async def _tell(self, now: Condition) -> None:
        try:
            await self._voice.say(
                PLANNER_STATUS, HEALTH, health_pairs(now), service=PLANNER, emit_rate=PERIOD_S
            )
        except DsmtError as error:
            _log.warning("the planner's health could not be said", reason=str(error))
