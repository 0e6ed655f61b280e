"""The rounds that tell of the end of slices, and delete those whose grace time has ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import structlog

from dsmt_core.channels import component_channel
from dsmt_core.errors import DsmtError
from dsmt_core.names import PLANNER, Slice
from planner.catalogue.parts import EXPIRES
from planner.expiry import Stage, Warned, due, end_of, stage, warned_on
from planner.service.audit import Audit
from planner.service.means import Means
from planner.service.packages import Packages
from planner.service.requests import Tell
from planner.service.slices import Slices
from planner.store import members, warnings

EVERY_S: Final = 60.0
_log = structlog.get_logger(__name__)


class Expiry:
    """Ends of slices; ``wall`` is the machine's clock, seconds since the epoch.

    Args:
        means: of the planner.
        slices, packages: what is deleted.
        tell: publishes an event of the planner.
        audit: what the planner deletes by itself is in it.
        grace: seconds from the end of a slice until it is deleted.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what a deletion needs
        self,
        means: Means,
        slices: Slices,
        packages: Packages,
        tell: Tell,
        audit: Audit,
        grace: float,
    ) -> None:
        self._means = means
        self._slices = slices
        self._packages = packages
        self._tell = tell
        self._audit = audit
        self._grace = grace
        self.wall: Callable[[], float] = time.time
        self._told: dict[Slice, tuple[float, Stage]] = {}
        self._warned: dict[Slice, Warned] | None = None
        self._looked = means.clock()

    async def renew(self, slice_: Slice, lasts_s: float | None) -> dict[str, Any]:
        """Say how long a slice is wanted from now on, seconds; None: it stays.

        Raises:
            NotFound: there is no such slice.
            Invalid: that is no time.
        """
        at = end_of(lasts_s, self._means.clock())
        await self._means.ledger.change(slice_, members.set_end, slice_, at)
        return await self._slices.show(slice_)

    def ran(self, seconds: float) -> None:
        """Count as if the planner had run for so much longer, such as in a test."""
        self._looked -= seconds

    async def look(self) -> None:
        """One round.

        Raises:
            DsmtError: it cannot be told or deleted now; the next round tries again.
        """
        ends = await self._means.database.read(members.ends)
        # A wall clock that was set back since the start is the better one.
        now = min(self._means.clock(), self.wall())
        self._told = {name: one for name, one in self._told.items() if name in ends}
        warned = await self._count(ends, now)
        found = due(ends, self._told, warned, now=now, grace=self._grace)
        for name in found.tell:
            await self._say(name, ends[name], now)
        for name in found.delete:
            await self._delete(name, ends[name])

    async def run(self, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Look, for ever."""
        while True:
            try:
                await self.look()
            except DsmtError as error:
                _log.warning("ends of slices were not looked at", reason=str(error))
            await pause(EVERY_S)

    async def _count(self, ends: Mapping[Slice, float], now: float) -> dict[Slice, Warned]:
        """For how long people have been warned; the steady clock counts while the planner runs."""
        database, at = self._means.database, self._means.clock()
        known = self._warned if self._warned is not None else await database.read(warnings.load)
        warned = warned_on(known, ends, self._told, now=now, passed=at - self._looked)
        if warned != known:
            await database.write(warnings.store, warned)
        self._warned, self._looked = warned, at
        return warned

    async def _say(self, name: Slice, at: float, now: float) -> None:
        near = stage(at, now, self._grace)
        pairs = {
            "slice": name,
            "stage": str(near),
            "expires_at": f"{at:.0f}",
            "deleted_at": f"{at + self._grace:.0f}",
        }
        await self._tell(name, component_channel(name, PLANNER), EXPIRES, pairs)
        self._told[name] = (at, near)
        _log.warning("a slice comes to its end", slice=name, stage=str(near))

    async def _delete(self, name: Slice, at: float) -> None:
        # Before: what cannot be written does not happen.
        await self._audit.note("slice.expire", f"slice/{name}", {"expired_at": round(at)}, slice_=name)
        packages = await self._packages.listed(name)
        await self._slices.remove(name)
        await self._packages.sweep(packages)
        self._told.pop(name, None)
