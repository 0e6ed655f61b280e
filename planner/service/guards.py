"""Guard rails: set by those who make slices, kept whoever changes one."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from dsmt_core.errors import Conflict, DsmtError
from dsmt_core.guards import Guard
from dsmt_core.names import Application, Host, Slice
from planner.fleet import Fleet
from planner.guarded import Guarded
from planner.outlook import world_of
from planner.placement import asked_for, selection_of
from planner.service.means import Means
from planner.standing import bars_at
from planner.store import slices
from planner.wanted import NO_PLAN, Run, WantedSlice


class Guards:
    """The guard rails of the slices. Every method raises `NotFound` for a slice that does not exist.

    Args:
        means: where they are kept, and what time it is.
        fleet: what is seen: what plans ask for depends on it.
    """

    def __init__(self, means: Means, fleet: Fleet) -> None:
        self._ledger = means.ledger
        self._clock = means.clock
        self._fleet = fleet

    async def put(self, slice_: Slice, guard: Guard) -> dict[str, Any]:
        """Set the rails of a slice; rails that bound nothing take them away. Returns them."""
        guarded = None if guard == Guard() else Guarded(guard)
        await self._ledger.change(slice_, slices.set_guard, slice_, guarded)
        return self.shown(slice_)

    def shown(self, slice_: Slice) -> dict[str, Any]:
        """The rails of a slice, and what it asks for now, as the API shows them."""
        wanted = self._ledger.slice(slice_)
        guarded = wanted.guard or Guarded(Guard())
        return {
            "slice": slice_,
            **asdict(guarded.guard),
            "changed_at": guarded.changed_at,
            "asks": self.asks(wanted),
        }

    def asks(self, slice_: WantedSlice) -> int:
        """How many hosts the plan in force asks for; none while it cannot be evaluated."""
        bars = bars_at(self._ledger.wanted.standings, self._clock())
        try:
            return asked_for(selection_of(slice_, world_of(slice_, self._fleet, bars)))
        except DsmtError:
            return 0

    def check_count(self, slice_: Slice, asks: int) -> Guarded | None:
        """Check a change of how many hosts a slice asks for.

        Returns:
            The rails after the change; None when they stay as they are.

        Raises:
            Conflict: the rails do not allow it.
        """
        wanted, now = self._ledger.slice(slice_), self._clock()
        if wanted.guard is None:
            return None
        current = self.asks(wanted)
        if wanted.plan == NO_PLAN:
            # Somebody has to begin: only how many there may be counts.
            begins = Guarded(replace(wanted.guard.guard, step=0, cool_down_s=0.0))
            begins.check(current, max(asks, 0), now=now)
        else:
            wanted.guard.check(current, asks, now=now)
        return None if asks == current else replace(wanted.guard, changed_at=now)

    def check_stop(self, slice_: Slice, application: Application, hosts: tuple[Host, ...]) -> None:
        """Check that an application may be stopped on these hosts, or everywhere when none is named.

        Raises:
            Conflict: fewer than the rails demand would be left.
        """
        wanted = self._ledger.slice(slice_)
        least = wanted.guard.guard.least if wanted.guard else 0
        running = {
            one.host
            for one in wanted.placements
            if one.application == application and one.run is Run.RUNNING
        }
        left = running - set(hosts) if hosts else set()
        if len(left) < min(least, len(running)):
            raise Conflict(
                f"the guard rails demand at least {least}: {len(left)} of {application} would run",
                hint="stop fewer; a pi sets other rails: dsmtc guard",
            )
