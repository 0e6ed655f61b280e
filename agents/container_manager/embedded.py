"""Agents that are tasks of this process, in a world that is all in one."""

from __future__ import annotations

import asyncio
import logging
import time

from agents.container_manager.config import EmbeddedAgent
from agents.container_manager.slivers.place import Place
from agents.sliver_init.agent import FIRST_S, HEALTHY_S, MOST_S

log = logging.getLogger(__name__)


async def keep_running(embedded: EmbeddedAgent, place: Place) -> None:
    """Keep an embedded agent running, as the init does with one that is a process."""
    wait = FIRST_S
    while True:
        begun = time.monotonic()
        try:
            await embedded(place)
        except Exception:
            log.exception("the agent of %s ended", place.slice)
        wait = FIRST_S if time.monotonic() - begun >= HEALTHY_S else min(wait * 2, MOST_S)
        await asyncio.sleep(wait)
