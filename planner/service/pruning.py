"""Garbage collection of the depots, asked for or once in a while, and of what no slice refers to."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import structlog

from dsmt_core.errors import Conflict, DsmtError
from dsmt_core.names import Slice
from planner.config import PlannerConfig
from planner.retention import Retention
from planner.service.means import Means
from planner.service.packages import Packages, written
from planner.store import pruning

# The first time soon after the start; a planner that starts again and again must not never look.
FIRST_S: Final = 300.0
EVERY_S: Final = 3600.0
# Bytes come into the depot before the database refers to them.
GRACE_S: Final = 3600.0
_log = structlog.get_logger(__name__)


class Pruning:
    """Removes packages that nobody needs.

    Args:
        means: of the planner.
        packages: gives the depot its room back.
        config: ``depot_keep`` and ``depot_older_than``.
    """

    def __init__(self, means: Means, packages: Packages, config: PlannerConfig) -> None:
        self._database = means.database
        self._ledger = means.ledger
        self._clock = means.clock
        self._packages = packages
        self._retention = (
            Retention.of(config.depot_keep, config.depot_older_than) if config.depot_keep else None
        )

    async def prune(self, slice_: Slice, retention: Retention, *, dry_run: bool) -> dict[str, Any]:
        """Remove what a slice does not need; what was removed and what stays, as the API shows it.

        Raises:
            NotFound: there is no such slice.
        """
        now = self._clock()
        if dry_run:
            found = await self._database.read(pruning.pruned, slice_, retention, now=now, dry_run=True)
        else:
            found = await self._ledger.change(
                slice_, pruning.pruned, slice_, retention, now=now, dry_run=False
            )
            await self._packages.sweep(found.gone)
        return {
            "slice": slice_,
            "dry_run": dry_run,
            "removed": [written(one) for one in found.gone],
            "bytes": pruning.sized(found.gone),
            "kept": [{"filename": name, "reason": reason} for name, reason in sorted(found.kept.items())],
        }

    async def run(self) -> None:
        """Look over all slices, and over what nobody refers to, once in a while, for ever."""
        await asyncio.sleep(FIRST_S)
        while True:
            await self.look()
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """One look; what goes wrong is told in the log and tried again at the next."""
        if self._retention is not None:
            for name in list(self._ledger.wanted.slices):
                await self._pruned(name, self._retention)
        try:
            orphans = await self._packages.sweep_orphans(GRACE_S)
        except DsmtError as error:
            _log.warning("what nobody refers to stays in the depot", reason=str(error))
        else:
            if orphans:
                _log.info("removed what nobody refers to", blobs=orphans)

    async def _pruned(self, name: Slice, retention: Retention) -> None:
        try:
            would = await self.prune(name, retention, dry_run=True)
            if would["removed"]:
                done = await self.prune(name, retention, dry_run=False)
                _log.info("pruned", slice=name, files=len(done["removed"]), bytes=done["bytes"])
        except Conflict:
            raise
        except DsmtError as error:
            _log.warning("a depot was not pruned", slice=name, reason=str(error))
