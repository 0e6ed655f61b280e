"""What goes on beside the rounds: seen is written behind, queues are kept, the loop's lag is measured."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from dsmt_core.errors import Conflict, DsmtError
from dsmt_core.names import Host
from planner.failed_nodes import Misfit, Past
from planner.failed_nodes.misfit import Place
from planner.fleet import SeenRow
from planner.service.means import Means, Watched
from planner.service.recording import Recording
from planner.store import evidence, nodes

WRITE_S: Final = 1.0
EXCHANGES_S: Final = 5.0
# Every so many looks at the exchanges, all queues are declared; with many queues more seldom, so that not
# more than some 200 a second are: the broker has other things to do.
_LOOKS: Final = 2
_QUEUES_A_LOOK: Final = 1_000
_PROBE_S: Final = 0.25
_log = structlog.get_logger(__name__)


class WriteBehind:
    """Writes what has changed of seen, and of the evidence, once a second, each in one transaction.

    Rows that could not be written are kept for the next time: one for each node and sliver at most.
    """

    def __init__(self, means: Means, watched: Watched, recording: Recording) -> None:
        self._database = means.database
        self._recording = recording
        self._fleet = watched.fleet
        self._tracker = watched.tracker
        self._misfits = watched.misfits
        self._pasts: dict[Host, Past] = {}
        self._fits: dict[Place, Misfit | None] = {}
        self._kept: dict[tuple[str, str], SeenRow] = {}

    async def run(self) -> None:
        """Write, for ever."""
        await self._recording.begin()
        while True:
            await asyncio.sleep(WRITE_S)
            await self.flush()

    async def flush(self) -> None:
        """Write what has changed now.

        Raises:
            Conflict: another planner has taken over the database.
        """
        rows = self._fleet.take_rows()
        await self._recording.note(rows, self._why)
        self._kept |= {(row.host, row.slice): row for row in rows}
        self._pasts |= self._tracker.take_past()
        self._fits |= self._misfits.take_rows()
        if not (self._kept or self._pasts or self._fits):
            return
        try:
            await self._database.write(nodes.write_behind, list(self._kept.values()))
            await self._database.write(evidence.write_behind, dict(self._pasts))
            await self._database.write(evidence.write_misfits, dict(self._fits))
        except Conflict:
            raise
        except DsmtError as error:
            _log.warning("seen was not written", reason=str(error))
            return
        self._kept.clear()
        self._pasts.clear()
        self._fits.clear()

    def _why(self, host: Host, state: str) -> str:
        """Why the tracker judged a node so last."""
        says = f"{state}: "
        notes = (note.what for note in reversed(self._tracker.evidence(host)))
        return next((what.removeprefix(says) for what in notes if what.startswith(says)), "")


class Queues:
    """Declares once in a while what is there already: a queue or exchange that somebody deleted comes back.

    Nobody else can tell: whoever reads such a queue has no right to make it, and the broker is well. The
    exchanges are few and looked at often; with one of them all bindings to it were lost, and then, as once
    in a while anyway, the queues of all nodes are declared, too.

    Args:
        exchanges: makes the exchanges; True when one was missing.
        everything: makes all that there is to be; how many queues.
    """

    def __init__(
        self, exchanges: Callable[[], Awaitable[bool]], everything: Callable[[], Awaitable[int]]
    ) -> None:
        self._exchanges = exchanges
        self._everything = everything
        self._looks = 0
        self._every = _LOOKS

    async def run(self) -> None:
        """Declare, for ever."""
        while True:
            await asyncio.sleep(EXCHANGES_S)
            try:
                await self.look()
            except DsmtError as error:
                # What was missing may be there by half: the next look declares everything.
                self._looks = self._every
                _log.debug("the queues were not declared", reason=str(error))

    async def look(self) -> None:
        """Declare what is to be looked at now.

        Raises:
            Unavailable, Denied, Conflict: see `broker.bus.Bus.declare`.
        """
        self._looks += 1
        if await self._exchanges() or self._looks >= self._every:
            declared = await self._everything()
            self._every = max(_LOOKS, declared // _QUEUES_A_LOOK)
            self._looks = 0


class Lag:
    """Measures how late the event loop is; a loop that is too late has not heard the heartbeats.

    Args:
        too_late: seconds of lag from which ``on_late`` is called.
    """

    def __init__(self, too_late: float, on_late: Callable[[], None]) -> None:
        self._too_late = too_late
        self._on_late = on_late
        self.last = 0.0
        self.most = 0.0

    async def run(self) -> None:
        """Measure, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _PROBE_S
            await asyncio.sleep(_PROBE_S)
            self.last = max(0.0, loop.time() - due)
            self.most = max(self.most, self.last)
            if self.last > self._too_late:
                _log.warning("the event loop is late", seconds=round(self.last, 3))
                self._on_late()
