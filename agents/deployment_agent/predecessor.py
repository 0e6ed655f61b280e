"""What an agent before this one began and did not see the end of: its installation may still be under way.

The init runs it to its end, whoever asked. A second one beside it would leave files of both; and to end it
in the middle leaves half of it, such as rpm's files that are not renamed yet. So it is waited for.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable
from typing import Final

from agents.deployment_agent.installers.extraction import UNPACK_S
from agents.deployment_agent.sliver import Sliver
from dsmt_core.errors import DsmtError
from dsmt_core.names import Application

# No installation is let run for longer; what is there still is another thing, such as a command of people.
MOST_S: Final = UNPACK_S + 10.0
_LOOK_S: Final = 0.2
_NOTHING: Final[frozenset[int]] = frozenset()
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
        # What it ran as each application; nothing stands for one that is not known from before.
        self._left: dict[Application, frozenset[int]] = {}

    async def note(self, names: Iterable[Application]) -> None:
        """Note what is under way as these applications, before this agent runs anything itself."""
        for name in names:
            with contextlib.suppress(DsmtError):
                self._left[name] = (await self._sliver.processes(name)).runs

    async def end_of(self, name: Application) -> None:
        """Wait until nothing that it ran as this application is under way.

        Raises:
            Conflict, Unavailable, DeadlinePassed: the init could not be asked.
        """
        loop = asyncio.get_running_loop()
        until, told = loop.time() + self._most_s, False
        while self._left.get(name) != _NOTHING and loop.time() < until:
            under_way = (await self._sliver.processes(name)).runs
            self._left[name] = under_way & self._left.get(name, under_way)
            if not self._left[name]:
                return
            if not told:
                _LOG.warning("what was begun for %s before is under way still, and is waited for", name)
            told = True
            await asyncio.sleep(_LOOK_S)
        self._left[name] = _NOTHING
