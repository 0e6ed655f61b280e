"""Recording: once a second, what passed from one state to another goes into the database.

It is written beside the present and never read for it: where it cannot be written, the planner goes on, and
what passed meanwhile is kept in memory, so much of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import structlog

from dsmt_core.errors import Conflict, DsmtError
from dsmt_core.names import Host
from planner.fleet import SeenRow
from planner.past import AWAY, HERE, Passage, Recorder
from planner.service.means import Means
from planner.store import past

# That somebody looked is written so often; a gap that is longer was one.
_LOOKED_S: Final = 30.0
_GAP_S: Final = 2 * _LOOKED_S
_PRUNE_S: Final = 3600.0
_KEPT: Final = 100_000
_log = structlog.get_logger(__name__)


class Recording:
    """Writes passages.

    Args:
        means: the database, what is wanted, and the time.
        age: seconds; what passed longer ago is forgotten.
    """

    def __init__(self, means: Means, age: float) -> None:
        self._database = means.database
        self._ledger = means.ledger
        self._clock = means.clock
        self._age = age
        self._recorder: Recorder | None = None
        self._passages: list[Passage] = []
        self._written = self._pruned = 0.0

    async def begin(self) -> None:
        """Take up where the last life of the planner ended: between, nobody looked."""
        now = self._clock()
        self._recorder = Recorder(await self._database.read(past.at, now))
        seen_at = await self._database.read(past.seen_at)
        if 0 < seen_at < now - _GAP_S:
            self._passages += self._recorder.planner(AWAY, seen_at)
        self._passages += self._recorder.planner(HERE, now)

    async def note(self, rows: Sequence[SeenRow], why: Callable[[Host, str], str]) -> None:
        """Write what these rows, and what is wanted, tell that is new.

        Args:
            rows: as they are written behind.
            why: why a node is judged so.

        Raises:
            Conflict: another planner has taken over the database.
        """
        if self._recorder is None:
            return
        now = self._clock()
        self._passages += self._recorder.seen(rows, now, why)
        self._passages += self._recorder.wanted(self._ledger.wanted, now)
        if not self._passages and now - self._written < _LOOKED_S:
            return
        try:
            await self._database.write(past.append, self._passages, now)
            self._passages, self._written = [], now
            await self._forget(now)
        except Conflict:
            raise
        except DsmtError as error:
            _log.warning("what passed was not written", reason=str(error), kept=len(self._passages))
            del self._passages[:-_KEPT]

    async def _forget(self, now: float) -> None:
        if now - self._pruned >= _PRUNE_S:
            self._pruned = now
            await self._database.write(past.prune, now - self._age)
