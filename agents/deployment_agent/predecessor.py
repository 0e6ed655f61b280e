"""What an agent before this one began and did not see the end of: its installation may still be under way.

The init runs it to its end, whoever asked. A second one beside it would leave files of both; and to end it
in the middle leaves half of it, such as rpm's files that are not renamed yet. So it is waited for.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from agents.deployment_agent.installers.extraction import UNPACK_S
from agents.deployment_agent.sliver import Sliver
from dsmt_core.names import Application

# No installation is let run for longer; what is there still is another thing, such as a command of people.
MOST_S: Final = UNPACK_S + 10.0
_LOOK_S: Final = 0.2
_LOG = logging.getLogger(__name__)


class Predecessor:
    """The agent that was here before.

    Args:
        sliver: where.
        most_s: how long to wait at most, seconds.
    """

    def __init__(self, sliver: Sliver, most_s: float = MOST_S) -> None:
        self._sliver = sliver
        self._most_s = most_s
        self._ended: set[Application] = set()

    async def end_of(self, name: Application) -> None:
        """Wait until nothing that it ran as this application is under way; the first time only.

        Raises:
            Conflict, Unavailable, DeadlinePassed: the init could not be asked.
        """
        if name in self._ended:
            return
        loop = asyncio.get_running_loop()
        until = loop.time() + self._most_s
        waits = False
        while (await self._sliver.processes(name)).runs and loop.time() < until:
            if not waits:
                _LOG.warning("what was begun for %s before is under way still, and is waited for", name)
            waits = True
            await asyncio.sleep(_LOOK_S)
        self._ended.add(name)
